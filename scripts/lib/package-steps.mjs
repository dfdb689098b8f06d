// What `npm run package-test` does with the package, in order: each step returns undefined, or what was wrong.
import { setTimeout as pause } from 'node:timers/promises';

const URL = 'http://localhost/~alice/apps/blog/';
const UNITS = 'usherd.service usherd-router.service usherd.socket usherd-watchdog.timer';
const PAGE = '<?php echo posix_geteuid(), " ", getmypid(), "\\n";';

/** Undefined if every line of shell succeeds inside; else what the first other one said. */
function all(booted, lines) {
  for (const line of lines) {
    const { ok, output } = booted.run(line);
    if (!ok) return `$ ${line}\n${output}`;
  }
  return undefined;
}

const differs = (what, found, expected) =>
  found === expected ? undefined : `${what}: ${found}, expected ${expected}`;

/** Waits for a condition inside, never for a time. */
async function until(booted, line) {
  for (let tries = 0; tries < 300; tries += 1) {
    if (booted.run(line).ok) return undefined;
    await pause(100);
  }
  return `never true: ${line}`;
}

function install(booted, deb) {
  return all(booted, [
    `apt-get -q -y install ${deb}`,
    `systemctl is-active ${UNITS}`,
    'usherd ready',
    'usherd check',
    // Nothing that systemd has a word to say about.
    'test -z "$(systemctl --failed --plain --no-legend | grep usherd)"',
    'test -z "$(systemd-analyze verify --man=yes usherd.target 2>&1 | grep usherd)"',
  ]);
}

function firstPage(booted) {
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
function privileges(booted) {
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

/** Runs `lines` while requests come; undefined if at most `mayFail` answers were not the page. */
async function underLoad(booted, lines, mayFail) {
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
  const failed = Object.values(wrong).reduce((sum, count) => sum + count, 0);
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

const reload = (booted) =>
  underLoad(booted, ['systemctl reload usherd', 'systemctl reload apache2'], 0);

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
  return all(booted, ['systemctl start usherd-watchdog.service', `systemctl is-active ${UNITS}`]);
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

/** The same package under a higher version: worker and services stay the same processes. */
function upgrade(booted, deb) {
  const services = () => booted.run('systemctl show -P MainPID usherd usherd-router').output;
  const worker = booted.run(`curl -sf ${URL}`).output.split(' ')[1];
  const before = services();
  const problem = all(booted, [
    `dpkg-deb -R ${deb} /tmp/newer && sed -i 's/^Version: .*/&+1/' /tmp/newer/DEBIAN/control`,
    'dpkg-deb -b /tmp/newer /tmp/newer.deb',
    'apt-get -q -y install /tmp/newer.deb',
    `test -e /proc/${worker}`,
    `curl -sf ${URL}`,
  ]);
  return problem ?? differs('services after the upgrade', services(), before);
}

async function stopped(booted) {
  booted.run('systemctl stop usherd.target');
  const problem = await until(booted, 'test -z "$(pgrep -u usherd,alice)"');
  if (problem !== undefined) return problem;
  return all(booted, [
    'test -z "$(systemctl list-units --state=active --plain --no-legend "usherd*")"',
    'test ! -e /run/usherd/front/front.sock',
    'systemctl start usherd.target',
    `curl -sf ${URL}`,
  ]);
}

function purged(booted) {
  return all(booted, [
    'apt-get -q -y purge usherd',
    'test ! -e /etc/usherd && test ! -e /var/log/usherd && test ! -e /var/lib/usherd && test ! -e /usr/lib/usherd',
    'test -z "$(pgrep -u usherd,alice)"',
    'test -z "$(find /etc/systemd/system -name "usherd*")"',
    // Apache goes on without it, and alice has what is hers.
    'apachectl configtest && systemctl is-active apache2',
    'test -s /srv/alice/apps/blog/index.php && test "$(stat -c %U /srv/alice/apps)" = alice',
  ]);
}

function manuals(booted) {
  return all(
    booted,
    ['usherd', 'usherd.toml'].map((name) => `man --warnings ${name} > /dev/null`),
  );
}

export const STEPS = [
  ['install: every unit is active, and systemd has nothing to say', install],
  ['a PHP page answers through Apache after a2enconf, as its owner', firstPage],
  ['the kernel knows of no privilege that the units do not promise', privileges],
  ['the manual is there', manuals],
  [
    'systemctl restart usherd-router under load fails one request a kept connection at most',
    restartRouter,
  ],
  ['systemctl reload, of usherd and of Apache, under load loses no request', reload],
  ['a broken configuration is refused, and changes nothing', brokenConfiguration],
  ['the watchdog leaves alone what answers', watchdog],
  ['the watchdog ends a router that hangs', hungRouter],
  ['a killed supervisor takes its workers along and comes back', killedSupervisor],
  ['an upgrade stops no application', upgrade],
  ['stop leaves no process, start brings everything back', stopped],
  ['purge leaves what belongs to users, and nothing else', purged],
];
