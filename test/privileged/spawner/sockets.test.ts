// Who reaches which socket, what stands in the way of one, and that none of them is a network's.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connectAs, shellAs } from '../../support/as-uid.js';
import type { FakeRouter } from '../../support/fake-router.js';
import { SupervisorHost, UID } from '../../support/supervisor-host.js';
import { waitFor } from '../../support/wait-for.js';

const skip = process.getuid?.() === 0 ? false : 'needs root';

/** Prints every owner and mode that is ever seen in the directory, until its input ends. */
const WATCH = `
$| = 1;
print "watching\\n";
my %seen;
vec(my $stdin = '', 0, 1) = 1;
until (select(my $ready = $stdin, undef, undef, 0)) {
  for (1 .. 200) {
    opendir my $directory, $ARGV[0];
    for (grep { !/^\\.\\.?$/ } readdir $directory) {
      my @stat = lstat "$ARGV[0]/$_" or next;
      my $line = sprintf "%d %o", $stat[5], $stat[2] & 07777;
      print "$line\\n" unless $seen{$line}++;
    }
  }
}
`;

describe('the sockets of a running supervisor', { skip }, () => {
  let host: SupervisorHost;
  let router: FakeRouter;
  let workerSocket: string;

  before(async () => {
    host = new SupervisorHost();
    await host.start();
    router = await host.router();
    host.makeApp('alice', 'app', 'tells');
    const { worker } = await router.spawn('alice/app');
    workerSocket = host.path(`worker/${worker}.sock`);
  });
  after(async () => {
    router.close();
    await host.close();
  });

  it('belong to root and the router, with no bit more than needed', () => {
    const seen = (path: string): string => {
      const { uid, gid, mode } = statSync(path);
      return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
    };
    assert.equal(seen(workerSocket), `0:${UID.router} 660`);
    assert.equal(seen(host.path('supervisor.sock')), `0:${UID.router} 660`);
    assert.equal(seen(host.path('control.sock')), '0:0 600');
  });

  it('hold as many connections as a worker may have requests at once, and those of clients that left, though it accepts none', async () => {
    host.makeApp('alice', 'busy', 'sleeps');
    const { worker } = await router.spawn('alice/busy');
    const path = host.path(`worker/${worker}.sock`);
    const sockets = Array.from({ length: 1_500 }, () => connect({ path }));
    const ends = sockets.map(
      (socket) =>
        new Promise<string>((resolve) => {
          socket.once('connect', () => resolve('connected'));
          socket.once('error', (err: NodeJS.ErrnoException) => resolve(err.code ?? ''));
        }),
    );
    const kinds = new Set(await Promise.all(ends));
    for (const socket of sockets) socket.destroy();
    assert.deepEqual([...kinds], ['connected']);
  });

  it("let the router to workers, and neither another tenant, nor the web server, nor the worker's own user (T54, T55)", () => {
    assert.equal(connectAs(UID.router, workerSocket), 'connected');
    for (const uid of [UID.bob, UID.web, UID.alice]) {
      assert.equal(connectAs(uid, workerSocket), 'EACCES', `uid ${uid}`);
    }
  });

  it('let nobody but root to the control socket, and nobody but the router to the supervisor (T54, T55, T56)', () => {
    for (const uid of [UID.router, UID.alice, UID.web]) {
      assert.equal(connectAs(uid, host.path('control.sock')), 'EACCES', `uid ${uid}`);
    }
    for (const uid of [UID.alice, UID.web]) {
      assert.equal(connectAs(uid, host.path('supervisor.sock')), 'EACCES', `uid ${uid}`);
    }
    assert.equal(connectAs(UID.router, host.path('supervisor.sock')), 'connected');
  });

  it('let nobody but the router reach the logs, so that no line is forged', () => {
    for (const uid of [UID.alice, UID.web]) {
      assert.equal(connectAs(uid, host.path('router/log.sock')), 'EACCES', `uid ${uid}`);
    }
  });

  it('cannot be listed (T57)', () => {
    assert.match(shellAs(UID.web, `ls ${host.path('worker')}`), /Permission denied/);
    assert.match(shellAs(UID.router, `ls ${host.path('worker')}`), /Permission denied/);
  });

  it('are never wider than at the end while they are made (T60)', async () => {
    const watcher = spawn('perl', ['-e', WATCH, host.path('worker')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let seen = '';
    watcher.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text));
    await waitFor('the watcher', () => seen.includes('watching'));
    host.makeApp('bob', 'app', 'sleeps');
    for (let round = 0; round < 12; round += 1) {
      const { worker } = await router.spawn('bob/app');
      router.send({ type: 'retire', worker, reason: 'idle' });
      await router.hear('exited', (message) => message.worker === worker);
    }
    watcher.stdin.end();
    await waitFor('the watcher to end', () => watcher.exitCode !== null);
    assert.deepEqual(seen.trim().split('\n'), ['watching', `${UID.router} 660`]);
  });

  it('are all files: no process of usherd listens on a network (T120)', () => {
    const own = readdirSync(`/proc/${host.pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${host.pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });
    const inodes = new Set(own.map((link) => /^socket:\[([0-9]+)\]$/.exec(link)?.[1]));
    for (const family of ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'packet']) {
      const rows = readFileSync(`/proc/${host.pid}/net/${family}`, 'latin1').split('\n').slice(1);
      const mine = rows.filter((row) =>
        row.split(/\s+/).some((word) => word.length > 3 && inodes.has(word)),
      );
      assert.deepEqual(mine, [], family);
    }
  });
});

describe('starting a supervisor', { skip }, () => {
  let host: SupervisorHost;

  before(() => {
    host = new SupervisorHost();
  });
  after(async () => {
    await host.close();
  });

  const errorOf = (): string | undefined =>
    host.log.find(({ level }) => level === 'fatal')?.errorCode;

  it('replaces what is dead in the way of its sockets, and leaves what a link points to alone (T59)', async () => {
    const precious = join(mkdtempSync('/tmp/ut-precious-'), 'file');
    writeFileSync(precious, 'precious');
    symlinkSync(precious, host.path('supervisor.sock'));
    writeFileSync(host.path('control.sock'), 'a regular file');
    writeFileSync(host.path('worker/0123456789abcdef.sock'), 'stale');
    writeFileSync(host.path('worker/not-ours'), 'kept');
    await host.start();
    assert.equal(errorOf(), undefined);
    assert.equal(readFileSync(precious, 'utf8'), 'precious');
    assert.ok(statSync(host.path('supervisor.sock')).isSocket());
    assert.deepEqual(readdirSync(host.path('worker')), ['not-ours']);
    await host.stop();
    rmSync(host.path('worker/not-ours'));
    assert.deepEqual(readdirSync(host.run).sort(), ['router', 'worker']);
  });

  it('does not take the name of a living one', async () => {
    const living = createServer().listen(host.path('control.sock'));
    await waitFor('the other one', () => living.listening);
    await host.start();
    assert.equal(errorOf(), 'E_STARTUP_SOCKET');
    assert.ok(living.listening && statSync(host.path('control.sock')).isSocket());
    living.close();
    await host.stop();
  });

  it('refuses directories that others could use, and names them all', async () => {
    const wrong = new SupervisorHost();
    shellAs(0, `chmod 0777 ${wrong.path('worker')}; chown 0:0 ${wrong.path('router')}`);
    await wrong.start();
    const fatal = wrong.log.find(({ level }) => level === 'fatal');
    assert.equal(fatal?.errorCode, 'E_STARTUP_DIRECTORY');
    assert.match(JSON.stringify(fatal), /worker.*mode 2777.*router.*uid 0/);
    await wrong.close();
  });

  it('refuses a path that would be cut, before it binds anything (T58)', async () => {
    const long = new SupervisorHost();
    const run = join(long.root, 'r'.repeat(100));
    long.change({ run });
    await long.start();
    const fatal = long.log.find(({ level }) => level === 'fatal');
    assert.equal(fatal?.errorCode, 'E_STARTUP_SOCKET');
    assert.match(JSON.stringify(fatal), /at most 107 bytes/);
    await long.close();
  });
});
