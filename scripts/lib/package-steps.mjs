// What `npm run package-test` does with the package, in order: each step returns undefined, or what was wrong.
import { setTimeout as pause } from 'node:timers/promises';
import { all, differs, until } from './steps.mjs';

export const URL = 'http://localhost/~alice/apps/blog/';
const UNITS = 'usherd.service usherd-router.service usherd.socket usherd-watchdog.timer';
/** `is-active` with several names asks for one of them. */
const ARE_ACTIVE = `for unit in ${UNITS}; do systemctl is-active $unit || exit 1; done`;
const PAGE = '<?php echo posix_geteuid(), " ", getmypid(), "\\n";';

function install(booted, deb) {
  return all(booted, [
    `apt-get -q -y install ${deb}`,
    ARE_ACTIVE,
    'usherd ready',
    'usherd check',
    // Nothing that systemd has a word to say about.
    'test -z "$(systemctl --failed --plain --no-legend | grep usherd)"',
    'test -z "$(systemd-analyze verify --man=yes usherd.target 2>&1 | grep usherd)"',
  ]);
}

export function firstPage(booted) {
  const problem = all(booted, [
    'a2enconf -q usherd && systemctl reload apache2',
    'useradd --create-home --uid 1500 alice',
    'install -d -o alice -g alice /srv/alice /srv/alice/apps /srv/alice/apps/blog',
    `printf '%s' '${PAGE}' > /srv/alice/apps/blog/index.php`,
  ]);
  const answer = booted.run(`curl -sf ${URL}`).output;
  return problem ?? differs('the page', answer.split(' ')[0], '1500');
}

/** The privileges that the units promise, as the kernel has them. */
export function privileges(booted) {
  const status = (unit, field) =>
    booted
      .run(`grep ^${field}: /proc/$(systemctl show -P MainPID ${unit})/status | cut -f2-`)
      .output.replace(/\s+/g, ' ');
  const wanted = [
    ['usherd', 'CapPrm', '00000000000001e1'],
    ['usherd', 'CapBnd', '00000000000001e1'],
    ['usherd', 'NoNewPrivs', '1'],
    ['usherd-router', 'CapPrm', '0000000000000000'],
    ['usherd-router', 'CapBnd', '0000000000000000'],
    ['usherd-router', 'NoNewPrivs', '1'],
    ['usherd-router', 'Seccomp', '2'],
  ];
  return wanted
    .map(([unit, field, value]) => differs(`${field} of ${unit}`, status(unit, field), value))
    .find((problem) => problem !== undefined);
}

/** Runs `lines` while requests come; undefined if at most `mayFail` answers were not the page, those of `kind` aside. */
async function underLoad(booted, lines, mayFail, kind = undefined) {
  const load = booted.start(`node /load/package-load.mjs /~alice/apps/blog/ '1500 '`);
  await pause(500);
  let problem;
  for (const line of lines) {
    problem ??= all(booted, [line, `curl -sf ${URL}`]);
    await pause(200);
  }
  load.stdin.end();
  const { answers, wrong } = JSON.parse(await load.ended);
  process.stdout.write(`       ${answers} answers, not the page: ${JSON.stringify(wrong)}\n`);
  if (problem !== undefined) return problem;
  if (answers === 0) return 'no answer at all';
  const counted = Object.entries(wrong).filter(([what]) => what !== kind);
  const failed = counted.reduce((sum, [, count]) => sum + count, 0);
  return failed <= mayFail ? undefined : JSON.stringify(wrong);
}

/** Of package-load.mjs: each keeps one connection of Apache's to the router busy. */
const CLIENTS = 8;
const RESTARTS = 3;

/**
 * The socket stays, so nobody is refused. What can fail is a request that Apache sends on a kept connection at the very
 * moment when the router closes it: one a connection and restart.
 */
const restartRouter = (booted) =>
  underLoad(
    booted,
    Array.from({ length: RESTARTS }, () => 'systemctl restart usherd-router'),
    RESTARTS * CLIENTS,
  );

/** And none can fail where Apache keeps no connection. */
async function restartUnkept(booted) {
  const file = '/etc/apache2/conf-enabled/00-usherd-reuse.conf';
  return (
    all(booted, [`echo 'Define USHERD_REUSE off' > ${file}`, 'systemctl restart apache2']) ??
    (await underLoad(
      booted,
      Array.from({ length: RESTARTS }, () => 'systemctl restart usherd-router'),
      0,
    )) ??
    all(booted, [`rm ${file}`, 'systemctl restart apache2'])
  );
}

const reload = (booted) => underLoad(booted, ['systemctl reload usherd'], 0);

/**
 * Apache resets connections that it has just accepted when it reloads, of a plain file as well: none to three of 8 clients
 * in each of 15 reloads, without usherd. What it does answer has to be the page.
 */
const reloadApache = (booted) =>
  underLoad(booted, ['systemctl reload apache2', 'systemctl reload apache2'], 0, 'ECONNRESET');

/** A mistake is refused with its line, and what runs goes on. */
function brokenConfiguration(booted) {
  const file = '/etc/usherd/usherd.toml';
  booted.run(`cp ${file} /tmp/saved && echo 'nonsense = 1' >> ${file}`);
  const { ok, output } = booted.run('systemctl reload usherd; journalctl -u usherd -n 20');
  const isStill = booted.run(`systemctl is-active usherd && curl -sf ${URL}`).ok;
  booted.run(`cp /tmp/saved ${file} && systemctl reload usherd`);
  if (!isStill) return 'a broken configuration ended the service';
  return ok && /nonsense/.test(output) ? undefined : output;
}

/** A start with a mistake fails once, says which, and is not tried every second; it takes no more than the mended file. */
async function brokenStart(booted) {
  const file = '/etc/usherd/usherd.toml';
  booted.run(`cp ${file} /tmp/saved && echo 'nonsense = 1' >> ${file}`);
  const started = booted.run('systemctl restart usherd').ok;
  await pause(3_000); // RestartSec=1s would have come twice
  const { output: state } = booted.run('systemctl show -P NRestarts -P ActiveState usherd');
  const { output: said } = booted.run('journalctl -u usherd -n 30');
  const problem = all(booted, [
    `cp /tmp/saved ${file} && systemctl start usherd && usherd ready`,
    `curl -sf ${URL}`,
  ]);
  if (started) return 'it started with a broken configuration';
  return (
    problem ??
    differs('restarts and state', state.split(/\s+/).sort().join(' '), '0 failed') ??
    (/nonsense/.test(said) ? undefined : said)
  );
}

/** The supervisor comes back by itself, and nothing of the old one is left. */
async function killedSupervisor(booted) {
  const worker = booted.run(`curl -sf ${URL}`).output.split(' ')[1];
  booted.run('systemctl kill --kill-whom=main --signal=SIGKILL usherd');
  return (
    (await until(booted, `! test -e /proc/${worker}`)) ??
    (await until(booted, 'systemctl is-active usherd && usherd ready')) ??
    all(booted, [`curl -sf ${URL}`])
  );
}

function watchdog(booted) {
  const services = () => booted.run('systemctl show -P MainPID usherd usherd-router').output;
  const before = services();
  const problem = all(booted, ['systemctl start usherd-watchdog.service', ARE_ACTIVE]);
  return problem ?? differs('services after the watchdog', services(), before);
}

/** A router that is stopped answers nothing; the watchdog kills it, and Restart= brings another. */
async function hungRouter(booted) {
  const before = booted.run('systemctl show -P MainPID usherd-router').output;
  if (!/^[1-9]\d*$/.test(before)) return `the router does not run: ${before}`;
  booted.run(`kill -STOP ${before}`);
  booted.run('systemctl start usherd-watchdog.service');
  const problem = await until(
    booted,
    `systemctl is-active usherd-router && test "$(systemctl show -P MainPID usherd-router)" != ${before}`,
  );
  return problem ?? all(booted, [`curl -sf ${URL}`]);
}

const PROTOCOL_FILE = 'usr/lib/usherd/dist/src/ipc/protocol.js';

/** What router and supervisor say to each other is of another version from here on. */
const otherProtocol = (root, number) =>
  `sed -i 's/IPC_PROTOCOL = [0-9]*/IPC_PROTOCOL = ${number}/' ${root}/${PROTOCOL_FILE} && grep -q 'IPC_PROTOCOL = ${number}' ${root}/${PROTOCOL_FILE}`;

/** The same package under a higher version, with another protocol: worker and services stay the same processes. */
function upgrade(booted, deb) {
  const services = () => booted.run('systemctl show -P MainPID usherd usherd-router').output;
  const worker = booted.run(`curl -sf ${URL}`).output.split(' ')[1];
  const before = services();
  const problem = all(booted, [
    `dpkg-deb -R ${deb} /tmp/newer && ${otherProtocol('/tmp/newer', 1_001)} && sed -i 's/^Version: .*/&+1/' /tmp/newer/DEBIAN/control`,
    'dpkg-deb -b /tmp/newer /tmp/newer.deb',
    'apt-get -q -y install /tmp/newer.deb > /tmp/said',
    // Before anything has happened, since the restart of the router that comes first to mind would end every request.
    'grep -q "Not usherd-router alone" /tmp/said',
    'usherd status | grep -q "does not understand the supervisor that runs"',
    `test -e /proc/${worker}`,
    `curl -sf ${URL}`,
  ]);
  return problem ?? differs('services after the upgrade', services(), before);
}

/** The new router cannot speak with the old supervisor, and says so; a new supervisor has an old router replaced. */
async function twoVersions(booted) {
  const router = () => booted.run('systemctl show -P MainPID usherd-router').output;
  const serves = () => until(booted, `curl -sf ${URL}`);
  booted.run('systemctl restart usherd-router');
  const problem =
    (await until(booted, 'usherd status | grep -q "two versions that do not understand"')) ??
    all(booted, ['systemctl restart usherd']) ??
    (await serves());
  if (problem !== undefined) return problem;
  const before = router();
  return (
    all(booted, [otherProtocol('', 1_002), 'systemctl restart usherd']) ??
    (await serves()) ??
    (router() === before ? 'the old router serves a new supervisor' : undefined) ??
    all(booted, ['usherd status | grep -q "nothing wrong"'])
  );
}

export async function stopped(booted) {
  booted.run('systemctl stop usherd.target');
  const problem = await until(booted, 'test -z "$(pgrep -u usherd,alice)"');
  if (problem !== undefined) return problem;
  const left = all(booted, [
    'test -z "$(systemctl list-units --state=active --plain --no-legend "usherd*")"',
    'test ! -e /run/usherd/front/front.sock',
    'systemctl start usherd.target',
  ]);
  return left ?? (await until(booted, `curl -sf ${URL}`));
}

function purged(booted) {
  return all(booted, [
    'apt-get -q -y purge usherd',
    'test ! -e /etc/usherd && test ! -e /var/log/usherd && test ! -e /var/lib/usherd && test ! -e /usr/lib/usherd',
    'test -z "$(pgrep -u usherd,alice)"',
    'test -z "$(find /etc/systemd/system -name "usherd*")"',
    // Apache goes on without it, and alice has what is hers.
    // While it reloads, as it does after the purge, it is not called active.
    'apachectl configtest',
    'timeout 60 sh -c "until systemctl is-active apache2; do sleep 0.2; done"',
    'test -s /srv/alice/apps/blog/index.php && test "$(stat -c %U /srv/alice/apps)" = alice',
  ]);
}

const inBash = (typed, offer) =>
  `bash -c 'source /usr/share/bash-completion/completions/usherd; COMP_WORDS=(usherd ${typed}); COMP_CWORD=2; _usherd_yargs_completions; printf "%s\\n" "\${COMPREPLY[@]}" | grep -qx -e "${offer}"'`;

/** What zsh itself brings prints what it was to show. */
const inZsh = (typed, offer) =>
  `zsh -c 'compdef() { }; _default() { }; _describe() { print -rl -- "\${(@P)2}" }; source /usr/share/zsh/vendor-completions/_usherd; words=(usherd ${typed}); CURRENT=3; _usherd_yargs_completions | grep -qx -e "${offer}"'`;

/** bash-completion reads the file when the first word is asked for; here it is read by hand, and asked for applications. */
function completion(booted) {
  return all(booted, [
    'test -s /usr/share/zsh/vendor-completions/_usherd',
    inBash('restart ""', 'alice/blog'),
    inBash('status --j', '--json'),
    inZsh('restart ""', 'alice/blog'),
    inZsh('status --j', '--json:print JSON for programs'),
  ]);
}

function manuals(booted) {
  return all(
    booted,
    ['usherd', 'usherd.toml'].map((name) => `man --warnings ${name} > /dev/null`),
  );
}

/** The router can make no socket of the network; systemd hands it one. */
function metrics(booted) {
  return all(booted, [
    'curl -sf --unix-socket /run/usherd/router/metrics.sock http://localhost/metrics | grep -q usherd_build',
    'systemctl enable usherd-metrics.socket && systemctl restart usherd-router',
    `curl -sf ${URL}`,
    `curl -sf http://127.0.0.1:9464/metrics | grep -q 'usherd_requests_total{status="2xx",user="alice",app="alice/blog"} [1-9]'`,
    'systemctl disable usherd-metrics.socket && systemctl stop usherd-metrics.socket',
  ]);
}

export const STEPS = [
  ['install: every unit is active, and systemd has nothing to say', install],
  ['a PHP page answers through Apache after a2enconf, as its owner', firstPage],
  ['the kernel knows of no privilege that the units do not promise', privileges],
  ['the manual is there', manuals],
  ['bash and zsh complete names of applications, and options', completion],
  [
    'systemctl restart usherd-router under load fails one request a kept connection at most',
    restartRouter,
  ],
  ['systemctl restart usherd-router under load fails none with USHERD_REUSE off', restartUnkept],
  ['systemctl reload usherd under load loses no request', reload],
  ['systemctl reload apache2 under load gets no answer but the page', reloadApache],
  ['metrics come from the socket of the router, and from a port of systemd', metrics],
  ['a broken configuration is refused, and changes nothing', brokenConfiguration],
  ['a start with a broken configuration fails once, and says why', brokenStart],
  ['the watchdog leaves alone what answers', watchdog],
  ['the watchdog ends a router that hangs', hungRouter],
  ['a killed supervisor takes its workers along and comes back', killedSupervisor],
  ['an upgrade stops no application', upgrade],
  ['an upgrade that changes what the two say to each other needs one restart', twoVersions],
  ['stop leaves no process, start brings everything back', stopped],
  ['purge leaves what belongs to users, and nothing else', purged],
];
