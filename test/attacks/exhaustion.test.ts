// A tenant, or the web server, uses up what everybody needs: processors, the log, descriptors, shared memory, connections.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LIMITS } from '../../src/limits.js';
import { shellAs } from '../support/as-uid.js';
import { CpuWatch } from '../support/cpu-watch.js';
import { FrontClient } from '../support/front-client.js';
import { HostileHost } from '../support/hostile-host.js';
import { needsRoot } from '../support/needs-root.js';
import { perlWorker } from '../support/perl-worker.js';
import { UsherdRun } from '../support/usherd-run.js';
import { waitFor } from '../support/wait-for.js';

/** What a neighbour may have to wait (security.md §4). */
const NEIGHBOUR_MAX_MS = 250;
/** Or so many times as long as before, where the machine has other things to do. */
const SLOWER_MAX = 5;
const ATTACK_S = 4;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** How long the neighbour waits for each of his answers until the attack is over. */
async function neighbourDuring(host: HostileHost, attack: Promise<unknown>): Promise<number[]> {
  const state = { isOver: false };
  const waitedMs: number[] = [];
  const over = attack.finally(() => (state.isOver = true));
  while (!state.isOver || waitedMs.length === 0) {
    const startedMs = performance.now();
    await host.neighbourIsServed();
    waitedMs.push(performance.now() - startedMs);
  }
  await over;
  return waitedMs;
}

describe('a user who takes all that there is', { skip: needsRoot }, () => {
  let host: HostileHost;
  before(async () => {
    host = await HostileHost.start(52_341);
    const asked: number[] = [];
    while (asked.length < 20) asked.push(...(await neighbourDuring(host, Promise.resolve())));
    calmMs = median(asked);
  });
  after(() => host.usherd.stop());

  let calmMs = 0;
  const isInTime = (waitedMs: readonly number[]): void => {
    const maxMs = Math.max(NEIGHBOUR_MAX_MS, SLOWER_MAX * calmMs);
    assert.ok(median(waitedMs) < maxMs, `${median(waitedMs)} ms, ${calmMs} before`);
  };

  const logDirectory = (user: string): string => join(host.usherd.directory, 'log', user);
  const logBytes = (user: string, app: string): number =>
    readdirSync(logDirectory(user))
      .filter((name) => name.startsWith(`${app}.log`))
      .reduce((sum, name) => sum + statSync(join(logDirectory(user), name)).size, 0);

  test('of the processors: his neighbour is served in time (T101)', async () => {
    const spin = `my $until = time + ${ATTACK_S}; 1 while time < $until; return 'spun'`;
    const apps = Array.from({ length: 8 }, (_, n) => `mallory/spin${n}`);
    for (const app of apps) host.usherd.write(app, 'app.fcgi', perlWorker(spin), 0o755);
    const spinning = Promise.all(apps.map((app) => host.text(app)));
    const waitedMs = await neighbourDuring(host, spinning);
    assert.deepEqual(new Set(await spinning), new Set(['spun']));
    assert.ok(waitedMs.length > 10, `${waitedMs.length} answers`);
    isInTime(waitedMs);
    await host.isUnharmed();
  });

  test('of the log: his own is bounded, the others’ are whole, and root is not busy with it (T93)', async () => {
    const flood = `my $line = ('x' x 200) . "\\n"; my $until = time + ${ATTACK_S};
      while (time < $until) { syswrite STDERR, $line x 20 for 1..50 } return 'flooded'`;
    host.usherd.write('mallory/flood', 'app.fcgi', perlWorker(flood), 0o755);
    const says = `my ($n) = $request =~ /QUERY_STRINGn=(\\d+)/; warn "line $n\\n"; return 'said'`;
    host.usherd.write('bob/says', 'app.fcgi', perlWorker(says), 0o755);
    await host.text('bob/says');
    const startedMs = performance.now();
    const watch = new CpuWatch(host.usherd.pidOf('supervisor'));
    const flooding = host.text('mallory/flood');
    const waitedMs = await neighbourDuring(host, flooding);
    assert.equal(await flooding, 'flooded');
    assert.ok(watch.share() < 0.2, `the supervisor had ${watch.share()} of a processor`);
    for (let n = 1; n <= 20; n += 1) {
      await host.fetch('bob/says', '/', { QUERY_STRING: `n=${n}` });
    }
    const own = join(logDirectory('bob'), 'says.log');
    await waitFor('bob’s lines', () => readFileSync(own, 'utf8').split(/line \d/).length > 20);
    const seconds = (performance.now() - startedMs) / 1000;
    const max = LIMITS.logBurstBytes + (seconds + 1) * LIMITS.logBytesPerS;
    const bytes = logBytes('mallory', 'flood');
    // A line is longer in the file than it was: its prefix is not the application's.
    assert.ok(bytes > LIMITS.logBytesPerS && bytes < 2 * max, `${bytes} bytes`);
    isInTime(waitedMs);
    await host.isUnharmed();
  });

  test('of descriptors, watches and shared memory: what is his own has an end, and others have theirs (T94)', async () => {
    // inotify_init1(2) has no name in Perl.
    const inotify = process.arch === 'arm64' ? 26 : 294;
    const take = `
      my @held;
      while (@held < 5000 and open my $one, '<', '/dev/null') { push @held, $one }
      my $files = @held; @held = ();
      my ($watches, @watches) = (0);
      while ($watches < 5000 and (my $fd = syscall ${inotify}, 0) >= 0) { $watches++; push @watches, $fd }
      POSIX::close($_) for @watches;
      my @segments = grep { defined } map { shmget 0, 1 << 30, 0600 } 1..100;
      my $segments = @segments;
      open my $file, '>', "/dev/shm/usherd-$<-$$"; truncate $file, 1 << 40;
      shmctl $_, 0, 0 for @segments; unlink "/dev/shm/usherd-$<-$$";
      return "$files $watches $segments";`;
    host.usherd.write('mallory/takes', 'app.fcgi', perlWorker(take), 0o755);
    const want = `my $fd = syscall ${inotify}, 0; my $id = shmget 0, 4096, 0600;
      my $said = ($fd >= 0 ? 'watch' : "no watch: $!") . (defined $id ? ' segment' : " no segment: $!");
      POSIX::close($fd); shmctl $id, 0, 0 if defined $id; return $said;`;
    host.usherd.write('bob/wants', 'app.fcgi', perlWorker(want), 0o755);
    const taking = host.text('mallory/takes');
    await neighbourDuring(host, taking);
    const [files = 0, watches = 0] = (await taking).split(' ').map(Number);
    assert.ok(files > 500 && files < LIMITS.workerFilesMaxCount, `${files} files`);
    const watchesMax = Number(readFileSync('/proc/sys/fs/inotify/max_user_instances', 'latin1'));
    assert.ok(watches > 0 && watches <= watchesMax, `${watches} watches`);
    assert.equal(await host.text('bob/wants'), 'watch segment');
    await host.isUnharmed();
  });
});

/** Connections that say nothing; those that are closed are forgotten. */
async function crowd(path: string, count: number): Promise<Set<net.Socket>> {
  const open = new Set<net.Socket>();
  for (let at = 0; at < count; at += 100) {
    const batch = Array.from({ length: 100 }, () => net.connect({ path }));
    const settled = batch.map((socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', () => undefined);
      return new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    });
    await Promise.all(settled);
  }
  return open;
}

describe('a web server that takes all that there is', { skip: needsRoot }, () => {
  const [ALICE, BOB] = [
    { name: 'alice', uid: 52_345 },
    { name: 'bob', uid: 52_346 },
  ] as const;
  const ROUTER_UID = 52_347;
  const CONNECTIONS_MAX = 256;
  let usherd: UsherdRun;

  before(async () => {
    usherd = await UsherdRun.start([ALICE, BOB], {
      routerUid: ROUTER_UID,
      boundTo: ['bob'],
      prepare: ({ configFile }) => {
        const text = readFileSync(configFile, 'utf8');
        const line = `[front]\nconnections_max = ${CONNECTIONS_MAX}\n`;
        writeFileSync(configFile, text.replace('[front]\n', line));
      },
    });
    for (const { name } of [ALICE, BOB]) {
      usherd.write(`${name}/app`, 'app.fcgi', perlWorker('return "served"'), 0o755);
    }
  });
  after(() => usherd.stop());

  const routerDescriptors = (): number => readdirSync(`/proc/${usherd.pidOf('router')}/fd`).length;

  const isServed = async (user: string, socketPath: string): Promise<void> => {
    const { status, body } = await HostileHost.ask(usherd, `${user}/app`, socketPath);
    assert.deepEqual([status, body.toString()], [200, 'served']);
  };

  test('of one front socket’s connections: it keeps its part, and the others accept (T97)', async () => {
    await isServed('alice', usherd.frontSocket);
    const before = routerDescriptors();
    const open = await crowd(usherd.frontSocket, 10_000);
    await waitFor('the surplus to be closed', () => open.size < CONNECTIONS_MAX);
    assert.ok(open.size > CONNECTIONS_MAX / 2, `${open.size} are kept`);
    assert.ok(routerDescriptors() < before + CONNECTIONS_MAX);
    await isServed('bob', usherd.socketOf('bob'));
    for (const socket of open) socket.destroy();
    await waitFor('descriptors to be given back', () => routerDescriptors() <= before + 8);
    await isServed('alice', usherd.frontSocket);
  });

  test('of the router’s descriptors: it turns the newest away, is not busy with it, and recovers (T98)', async () => {
    await isServed('alice', usherd.frontSocket);
    await isServed('bob', usherd.socketOf('bob'));
    const router = usherd.pidOf('router');
    const before = routerDescriptors();
    const limit = (soft: number): void => {
      // prlimit(2): whoever has all of its ids may.
      const said = shellAs(ROUTER_UID, `prlimit --pid ${router} --nofile=${soft}:`);
      assert.equal(said, '');
    };
    const old = /^Max open files +(\d+)/m.exec(readFileSync(`/proc/${router}/limits`, 'latin1'));
    limit(before + 20);
    const open = await crowd(usherd.frontSocket, 100);
    await waitFor('the newest to be closed', () => open.size <= 40);
    assert.ok(open.size >= 10, `${open.size} are kept`);
    const watch = new CpuWatch(router);
    await crowd(usherd.frontSocket, 100);
    await watch.after(500);
    assert.ok(watch.share() < 0.5, `the router had ${watch.share()} of a processor`);
    // The limit stays; as soon as somebody leaves, there is room for the next ones.
    for (const socket of open) socket.destroy();
    await waitFor('an answer', () =>
      isServed('bob', usherd.socketOf('bob')).then(
        () => true,
        () => false,
      ),
    );
    limit(Number(old?.[1] ?? 1024));
    await isServed('alice', usherd.frontSocket);
    await waitFor('descriptors to be given back', () => routerDescriptors() <= before + 8);
  });
});

describe('a router with few descriptors', { skip: needsRoot }, () => {
  const FILES = 1_024;
  let usherd: UsherdRun;
  before(async () => {
    usherd = await UsherdRun.start([{ name: 'alice', uid: 52_348 }], {
      routerUid: 52_349,
      files: FILES,
    });
    usherd.write('alice/app', 'app.fcgi', perlWorker('return "served"'), 0o755);
  });
  after(() => usherd.stop());

  test('keeps enough of them for the workers of those whom it has let in (T98)', async () => {
    const known = await FrontClient.connect(usherd.frontSocket);
    const open = await crowd(usherd.frontSocket, 800);
    await waitFor('the surplus to be closed', () => open.size <= FILES / 2);
    assert.ok(open.size > FILES / 4, `${open.size} are kept`);
    for (let n = 0; n < 5; n += 1) {
      const { status } = await known.fetch(HostileHost.params(usherd.root, 'alice/app'));
      assert.equal(status, 200);
    }
    assert.match(usherd.log(), /fewer front connections than configured/);
    for (const socket of open) socket.destroy();
    known.close();
  });
});
