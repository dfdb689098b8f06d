// What the package does with the kernel's limits, in order, on a machine whose systemd has cgroup v2 with all controllers.
import { firstPage, privileges, stopped, URL } from './package-steps.mjs';
import { all, differs, until } from './steps.mjs';

const MIB = 1_048_576;
const GROUP = '/sys/fs/cgroup$(systemctl show -P ControlGroup usherd)';
const USER = `${GROUP}/usherd-*/u1500`;
const HUNGRY =
  '<?php ini_set("memory_limit", "-1"); $all = []; for (;;) $all[] = str_repeat("x", 1 << 20);';
const FORKS = `#!/usr/bin/perl
use strict; use warnings;
print "Content-Type: text/plain\\r\\n\\r\\n";
my @children;
for (1 .. 100) { my $pid = fork; last unless defined $pid; if (!$pid) { sleep 60; exit } push @children, $pid }
kill KILL => @children; print scalar(@children), "\\n";
`;

/** As dpkg does; what it asks of its own records takes an emulated machine many minutes, and package-test tries it elsewhere. */
const unpack = (booted, deb) =>
  all(booted, [
    `dpkg-deb -x ${deb} /`,
    'systemd-sysusers && systemd-tmpfiles --create',
    'systemctl daemon-reload && systemctl start usherd.target',
    'usherd ready',
    'usherd check',
    // Read once, so that a launch finds them in memory: an emulated disk is slower than its deadlines.
    'getent passwd root && setpriv --version && prlimit --version && php-cgi -v && perl -v',
    'test -z "$(systemctl --failed --plain --no-legend | grep usherd)"',
  ]);

/** Of the unit's own group: systemd gives it away, and it has every controller that a limit needs. */
const delegated = (booted) =>
  all(booted, [
    'a2enmod -q proxy_fcgi && systemctl start apache2',
    'test "$(systemctl show -P Delegate usherd)" = yes',
    ...['cpu', 'io', 'memory', 'pids'].map(
      (name) => `grep -qw ${name} ${GROUP}/cgroup.subtree_control`,
    ),
    // No process in an inner group: the kernel would refuse the controllers.
    `test -z "$(cat ${GROUP}/cgroup.procs)"`,
  ]);

/** The first look at an account may be too slow where the machine is emulated; the next one finds it in memory. */
async function pageComes(booted) {
  firstPage(booted);
  const problem = await until(booted, `curl -sf ${URL}`);
  return problem ?? differs('the page', booted.run(`curl -sf ${URL}`).output.split(' ')[0], '1500');
}

/** What is configured is what the kernel has. */
async function written(booted) {
  const settings = [
    '[limits]',
    ...['memory_max = "96MiB"', 'memory_high = "95MiB"', 'pids_max = 40', 'cpu_weight = 30'],
    'io_weight = 40',
  ];
  const problem = all(booted, [
    `printf '%s\\n' ${settings.map((line) => `'${line}'`).join(' ')} > /etc/usherd/users.d/alice.toml`,
    'chmod 0644 /etc/usherd/users.d/alice.toml && usherd reload && usherd restart alice/blog',
  ]);
  const comes = await until(booted, `curl -sf ${URL} && test "$(cat ${USER}/pids.max)" = 40`);
  if (problem !== undefined || comes !== undefined) return problem ?? comes;
  const value = (path) => booted.run(`cat ${USER}/${path}`).output;
  const wanted = [
    ['a-blog/memory.max', String(96 * MIB)],
    ['a-blog/memory.high', String(95 * MIB)],
    ['a-blog/memory.oom.group', '1'],
    ['pids.max', '40'],
    ['cpu.weight', '30'],
    ['io.weight', 'default 40'],
  ];
  return wanted
    .map(([path, expected]) => differs(path, value(path), expected))
    .find((it) => it !== undefined);
}

/** The program that eats is ended by the kernel, and told apart from one that crashed; the next request is served. */
async function outOfMemory(booted) {
  const body = 'curl -s -o /dev/null -w "%{http_code}" ' + URL;
  booted.run(`printf '%s' '${HUNGRY}' > /srv/alice/apps/blog/hungry.php`);
  const status = booted.run(`${body}hungry.php`).output;
  return (
    differs('the status of what ate too much', status, '502') ??
    all(booted, ['journalctl -u usherd -u usherd-router | grep -q "out of memory"']) ??
    (await until(booted, `curl -sf ${URL}`))
  );
}

/** A program that starts others comes as far as its user may, and no further. */
function tooManyProcesses(booted) {
  const problem = all(booted, [
    'install -d -o alice -g alice /srv/alice/apps/forks /srv/alice/apps/forks/cgi-bin',
    `cat > /srv/alice/apps/forks/cgi-bin/index.cgi <<'EOF'\n${FORKS}\nEOF`,
    'chown alice: /srv/alice/apps/forks/cgi-bin/index.cgi && chmod 755 /srv/alice/apps/forks/cgi-bin/index.cgi',
  ]);
  const count = Number(
    booted.run('curl -s http://localhost/~alice/apps/forks/cgi-bin/index.cgi').output,
  );
  if (problem !== undefined) return problem;
  return count > 0 && count < 40 ? undefined : `${count} processes where 40 are allowed in all`;
}

/** With the drop-in that opens namespaces, and without it never without walls. */
async function walls(booted) {
  const dropIn = '/etc/systemd/system/usherd.service.d';
  const see = 'curl -s http://localhost/~alice/apps/walled/';
  const problem = all(booted, [
    'install -d -o alice -g alice /srv/alice/apps/walled',
    `printf '%s' '<?php echo file_exists("/srv/alice/apps/blog") ? "open" : "walled", posix_geteuid();' > /srv/alice/apps/walled/index.php`,
    `printf 'isolation = "strict"\\n' > /srv/alice/apps/walled/usherd.toml`,
    'chown alice: /srv/alice/apps/walled/*',
    `test "$(${see})" != walled1500 && ! ${see} | grep -q open`,
    `mkdir -p ${dropIn} && cp /usr/share/doc/usherd/examples/systemd/usherd-isolation.conf ${dropIn}/`,
    'systemctl daemon-reload && systemctl restart usherd && usherd ready',
  ]);
  return (
    problem ??
    (await until(booted, `test "$(${see})" = walled1500`)) ??
    all(booted, ['usherd status | grep -q "isolated: alice/walled"'])
  );
}

/** Groups go with the last worker. */
async function removed(booted) {
  return (
    all(booted, ['usherd suspend alice']) ??
    (await until(booted, `test ! -e ${USER} && test -z "$(pgrep -u alice)"`)) ??
    all(booted, ['usherd resume alice']) ??
    (await until(booted, `curl -sf ${URL}`))
  );
}

export const LIMIT_STEPS = [
  ['the units start', unpack],
  ['the unit has a tree of groups of its own, with every controller', delegated],
  ['a PHP page answers through Apache after a2enconf, as its owner', pageComes],
  ['the kernel knows of no privilege that the units do not promise', privileges],
  ['limits of a user and of an application are what the kernel has', written],
  ['a program that eats memory is ended by the kernel, and told as that', outOfMemory],
  ['a program that forks comes to the limit of its user', tooManyProcesses],
  ['walls need the drop-in, hold with it, and are never left out', walls],
  ['groups go with the last worker', removed],
  ['stop leaves no process, start brings everything back', stopped],
];
