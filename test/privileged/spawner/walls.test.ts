// Launches behind walls with real processes: what the supervisor knows is bubblewrap, and what it is told is about the program.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { programBehindWalls } from '../../../src/spawner/behind-walls.js';
import { needsWalls } from '../../support/bubblewrap.js';
import type { FakeRouter } from '../../support/fake-router.js';
import { connected } from '../../support/fake-router.js';
import { SupervisorHost, UID } from '../../support/supervisor-host.js';
import { waitFor } from '../../support/wait-for.js';

const GRACE_MS = 60_000;

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'latin1').trim();

describe('a launch behind walls', { skip: needsWalls }, () => {
  let host: SupervisorHost;
  let router: FakeRouter;

  beforeEach(async () => {
    host = new SupervisorHost({
      isolation: 'strict',
      users: [{ name: 'alice', uid: UID.alice, limits: { stopTimeoutMs: GRACE_MS } }],
    });
    await host.start();
    router = await host.router();
  });
  afterEach(async () => {
    router.close();
    await host.close();
    assert.deepEqual(host.processesOf(UID.alice), []);
  });

  it('gives a worker exactly what one without walls has', async () => {
    host.makeApp('alice', 'tells', 'tells');
    const { worker } = await router.spawn('alice/tells');
    const said = await waitFor('the log', () => {
      const text = host.sink.of(worker)?.text;
      return text?.includes('ready\n') === true ? text : undefined;
    });
    const [, ...lines] = said.trimEnd().split('\n');
    const temporary = `${host.users}/${UID.alice}/tmp`;
    assert.deepEqual(lines, [
      ...[`uid ${UID.alice} ${UID.alice}`, `gid ${UID.alice}`, 'fds 0 1 2', 'flags 02'],
      ...['tty 6', 'umask 23', 'env HOME=/nonexistent/alice', 'env LANG=C.UTF-8'],
      ...['env LOGNAME=alice', 'env PATH=/usr/local/bin:/usr/bin:/bin', 'env SHELL=/bin/sh'],
      ...[`env TMPDIR=${temporary}`, 'env USER=alice', 'env USHERD_APP=alice/tells'],
      ...['truncated no', 'ready'],
    ]);
    const socket = await connected(host.path(`worker/${worker}.sock`));
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    await waitFor('the worker to answer', () => answer === `${UID.alice}\n`);
  });

  it('passes the graceful signal on, and tells by which signal or code the program ended', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    host.makeApp('alice', 'exits', 'exits-at-start');
    const { worker } = await router.spawn('alice/app');
    router.send({ type: 'retire', worker, reason: 'idle' });
    const gone = await router.hear('exited', (heard) => heard.worker === worker);
    assert.deepEqual([gone.by, gone.signal, gone.wanted], ['signal', 'SIGTERM', true]);
    const crashed = await router.spawn('alice/exits');
    const crash = await router.hear('exited', (heard) => heard.worker === crashed.worker);
    assert.deepEqual([crash.by, crash.exitCode, crash.wanted], ['code', 7, false]);
  });

  it('knows which process the program is, and that a signal killed it', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    const { worker, pid } = await router.spawn('alice/app');
    assert.equal(commandOf(pid), 'bwrap');
    const program = programBehindWalls(pid);
    await waitFor('the program', () => commandOf(program) === 'sleep'); // a shell script before
    assert.match(readFileSync(`/proc/${program}/status`, 'latin1'), /^NSpid:\t\d+(?:\t\d+)*\t2$/m);
    process.kill(program, 'SIGSEGV');
    const gone = await router.hear('exited', (heard) => heard.worker === worker);
    assert.deepEqual([gone.by, gone.signal, gone.wanted], ['signal', 'SIGSEGV', false]);
    assert.equal(programBehindWalls(pid), pid, 'gone');
  });

  it('kills one that does not end when asked', async () => {
    host.makeApp('alice', 'deaf', 'ignores-term');
    host.change({ users: [{ name: 'alice', uid: UID.alice, limits: { stopTimeoutMs: 50 } }] });
    await host.control({ command: 'reload' });
    const { worker } = await router.spawn('alice/deaf');
    await waitFor('the worker to be deaf', () =>
      host.sink.of(worker)?.text.includes('hears no TERM'),
    );
    router.send({ type: 'retire', worker, reason: 'idle' });
    const { by, signal, wanted } = await router.hear('exited', (heard) => heard.worker === worker);
    assert.deepEqual([by, signal, wanted], ['signal', 'SIGKILL', true]);
  });

  it('leaves nothing of one that made daemons, or handed its socket on (T105, T87)', async () => {
    host.makeApp('alice', 'daemon', 'forks-daemon');
    host.makeApp('alice', 'heir', 'forks-and-exits');
    const { worker } = await router.spawn('alice/daemon');
    await waitFor('the daemon', () => host.sink.of(worker)?.text.includes('daemon '));
    router.send({ type: 'retire', worker, reason: 'idle' });
    await router.hear('exited', (heard) => heard.worker === worker);
    const heir = await router.spawn('alice/heir');
    await router.hear('exited', (heard) => heard.worker === heir.worker);
    await waitFor('all to be gone', () => host.processesOf(UID.alice).length === 0);
  });

  it('leaves nothing where the supervisor is killed', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    const { pid } = await router.spawn('alice/app');
    await waitFor('it to sleep', () => commandOf(programBehindWalls(pid)) === 'sleep');
    process.kill(host.pid, 'SIGKILL');
    await waitFor('the program to be gone', () => host.processesOf(UID.alice).length === 0);
  });
});
