// Supervisor's own life: stop, sudden death and return, reload, suspension, the admin's socket.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Status } from '../../../src/spawner/index.js';
import { connected } from '../../support/fake-router.js';
import { SupervisorHost, UID } from '../../support/supervisor-host.js';
import { waitFor } from '../../support/wait-for.js';

const skip = process.getuid?.() === 0 ? false : 'needs root';

describe('a supervisor', { skip }, () => {
  let host: SupervisorHost;

  beforeEach(async () => {
    host = new SupervisorHost();
    await host.start();
  });
  afterEach(async () => {
    await host.close();
    assert.deepEqual([...host.processesOf(UID.alice), ...host.processesOf(UID.bob)], []);
  });

  const status = async (): Promise<Status> => {
    const answer = await host.control({ command: 'status' });
    assert.equal(answer['ok'], true, JSON.stringify(answer));
    return answer['result'] as Status;
  };

  it('takes every worker along when it stops, whatever they make of TERM', async () => {
    host.change({ users: [{ name: 'alice', uid: UID.alice, limits: { stopTimeoutMs: 100 } }] });
    await host.control({ command: 'reload' });
    host.makeApp('alice', 'deaf', 'ignores-term');
    host.makeApp('alice', 'daemon', 'forks-daemon');
    const router = await host.router();
    const deaf = await router.spawn('alice/deaf');
    await router.spawn('alice/daemon');
    await waitFor('it to be deaf', () => host.sink.of(deaf.worker)?.text.includes('hears no TERM'));
    await host.stop();
    assert.deepEqual(host.processesOf(UID.alice), []);
    assert.deepEqual(readdirSync(host.path('worker')), []);
    assert.ok(!existsSync(host.path('supervisor.sock')) && !existsSync(host.path('control.sock')));
    assert.equal(router.of('exited').length, 2);
  });

  it('leaves no orphan and no stale socket when it is killed and started again (T111)', async () => {
    host.makeApp('alice', 'daemon', 'forks-daemon');
    host.makeApp('bob', 'app', 'sleeps');
    const router = await host.router();
    const { worker } = await router.spawn('alice/daemon');
    await router.spawn('bob/app');
    await waitFor('the daemon', () => host.sink.of(worker)?.text.includes('daemon '));
    await host.stop('SIGKILL');
    await host.start();
    assert.deepEqual([...host.processesOf(UID.alice), ...host.processesOf(UID.bob)], []);
    assert.deepEqual(readdirSync(host.path('worker')), []);
    const again = await host.router();
    assert.deepEqual(again.of('living'), []);
    assert.equal((await again.need('bob/app')).type, 'spawned');
    again.close();
  });

  it('says in its status what runs, for whom, and what it costs', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    const router = await host.router();
    const { worker, pid } = await router.spawn('alice/app');
    const seen = await status();
    assert.deepEqual(seen.router, { connected: true, answered: true, foreignProtocol: 0 });
    assert.equal(seen.limits.workers, 1);
    assert.match(seen.isolation.cgroup.path, /usherd-[0-9a-f]{8}$/);
    const [app] = seen.apps;
    assert.deepEqual([app?.app, app?.user, app?.uid], ['alice/app', 'alice', UID.alice]);
    const [row] = app?.workers ?? [];
    assert.deepEqual([row?.id, row?.pid, row?.state], [worker, pid, 'running']);
    assert.ok((row?.rssBytes ?? 0) > 100_000);
    router.close();
    assert.equal((await status()).router.answered, false);
  });

  it('suspends a user at once, tells every router so, and lets him back (T32)', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    host.makeApp('bob', 'app', 'sleeps');
    const router = await host.router();
    const { worker } = await router.spawn('alice/app');
    await router.spawn('bob/app');
    await host.control({ command: 'suspend', user: 'alice' });
    const hold = await router.hear('restart');
    assert.deepEqual([hold.user, hold.reason, hold.hold], ['alice', 'suspended', true]);
    assert.equal((await router.hear('exited')).worker, worker);
    const refused = await router.need('alice/app');
    assert.ok(refused.type === 'refused' && refused.code === 'E_SUSPENDED');
    assert.equal(host.processesOf(UID.bob).length, 1);
    router.close();
    const next = await waitFor('the next router', () => host.router().catch(() => undefined));
    const told = next.heard.map(({ type }) => type);
    assert.ok(told.indexOf('restart') < told.indexOf('settled'), 'before it may ask for anybody');
    await next.hear('restart', ({ user, hold: held }) => user === 'alice' && held);
    await host.control({ command: 'resume', user: 'alice' });
    await next.hear('resumed');
    assert.equal((await next.need('alice/app')).type, 'spawned');
    next.close();
  });

  it('reloads wholly, and touches only what would now be run differently', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    host.makeApp('bob', 'app', 'sleeps');
    const router = await host.router();
    await router.spawn('alice/app');
    await router.spawn('bob/app');
    host.change({
      users: [
        { name: 'alice', uid: UID.alice, limits: { queueLength: 7 } },
        { name: 'bob', uid: UID.bob },
      ],
    });
    assert.equal((await host.control({ command: 'reload' }))['ok'], true);
    await router.hear('reload');
    await waitFor('the restart', () => router.of('restart').length > 0);
    assert.deepEqual(
      router.of('restart').map(({ app, reason }) => `${app} ${reason}`),
      ['alice/app config'],
    );
    const told = router.of('facts').map(({ app, limits }) => `${app} ${limits.queueLength}`);
    assert.deepEqual(told.slice(-1), ['alice/app 7'], 'and what holds for it now');
    router.close();
  });

  it('keeps the old configuration, and says so, where the router has read another one', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    const router = await host.router();
    router.objection = 'other texts';
    await router.spawn('alice/app');
    const change = (queueLength: number): void =>
      host.change({ users: [{ name: 'alice', uid: UID.alice, limits: { queueLength } }] });
    change(7);
    const refused = await host.control({ command: 'reload' });
    assert.deepEqual([refused['ok'], refused['code']], [false, 'E_CONFIG_UNREADABLE']);
    assert.match(JSON.stringify(refused), /other texts; nothing was changed/);
    assert.deepEqual(router.of('restart'), []);
    router.objection = '';
    const result = async (): Promise<unknown> =>
      (await host.control({ command: 'reload' }))['result'];
    assert.deepEqual(await result(), { router: 'agreed' });
    await router.hear('restart', ({ app }) => app === 'alice/app');
    router.objection = undefined;
    assert.deepEqual(await result(), { router: 'silent' });
    // Nobody to agree with: the next one reads for itself.
    router.close();
    await waitFor('the router to be gone', async () => !(await status()).router.connected);
    change(8);
    assert.deepEqual(await result(), { router: 'alone' });
  });

  it('enforces a suspension that comes with a reload (T32)', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    const router = await host.router();
    await router.spawn('alice/app');
    host.change({ users: [{ name: 'alice', uid: UID.alice, suspended: true }] });
    await host.control({ command: 'reload' });
    assert.equal((await router.hear('restart')).reason, 'suspended');
    await router.hear('exited');
    router.close();
  });

  it('stops the workers of one application on command', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    const router = await host.router();
    await router.spawn('alice/app');
    const answer = await host.control({ command: 'stop', app: 'alice/app' });
    assert.deepEqual(answer['result'], { app: 'alice/app', workers: 1 });
    assert.equal((await router.hear('exited')).wanted, true);
    router.close();
  });

  it('restarts an application itself when there is no router to drain it', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    const router = await host.router();
    await router.spawn('alice/app');
    router.close();
    await waitFor('the router to be gone', async () => !(await status()).router.connected);
    await host.control({ command: 'restart', app: 'alice/app' });
    await waitFor('its end', () => host.processesOf(UID.alice).length === 0);
  });

  it('answers what is no command with an error, and what is too long or silent not for ever (T118)', async () => {
    const answers = [
      await host.controlRaw('status\n'),
      await host.controlRaw('{"command":"exec"}\n'),
      await host.controlRaw('{"command":"ping","extra":1}\n'),
      await host.controlRaw(Buffer.alloc(64, 0xff).fill('\n', 63)),
    ].map((text) => JSON.parse(text) as { ok: boolean; code: string });
    assert.ok(answers.every(({ ok, code }) => !ok && code === 'E_CONTROL'));
    const flood = await connected(host.path('control.sock'));
    let told = '';
    flood.setEncoding('utf8').on('data', (text: string) => (told += text));
    for (let mib = 0; mib < 10 && !flood.closed; mib += 1)
      flood.write(Buffer.alloc(1024 * 1024, 'x'));
    await waitFor('the flood to be cut', () => flood.closed);
    assert.match(told, /"code":"E_CONTROL".*too long/, 'by its length, and not by the deadline');
    const silent = await connected(host.path('control.sock'));
    silent.resume();
    await waitFor('the silent one to be cut', () => silent.closed, 8_000);
    assert.equal((await host.control({ command: 'ping' }))['ok'], true);
  });

  it('keeps nobody out of its control socket by many connections for long (T118)', async () => {
    const many = await Promise.all(
      Array.from({ length: 40 }, () => connected(host.path('control.sock'))),
    );
    const told: string[] = [];
    for (const socket of many) socket.on('data', (chunk: Buffer) => told.push(chunk.toString()));
    const closedCount = (): number => many.filter((socket) => socket.closed).length;
    await waitFor('the surplus to be dropped', () => closedCount() >= 24);
    assert.equal(closedCount(), 24);
    assert.ok(told.length > 0, 'some of them are told why');
    for (const line of told) assert.match(line, /^\{"ok":false,"code":"E_CONTROL".*try again/);
    for (const socket of many) socket.destroy();
    await waitFor('an answer', () => host.control({ command: 'ping' }).catch(() => undefined));
  });
});
