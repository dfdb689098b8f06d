// What a router makes of a supervisor that went away, came back, or started something else than what was asked for.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { SupervisorMessage } from '../../../src/ipc/index.js';
import { TEST_DIGEST, TEST_LIMITS, TEST_RUNTIME } from '../../support/config.js';
import { TEST_FACTS } from '../../support/fake-supervisor.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import { appParams, RouterRig, type RigOptions } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});
const start = async (options: RigOptions): Promise<RouterRig> =>
  (rig = await RouterRig.start(options));

const APP = 'alice/blog';
const worker = {
  onRequest: (request: WorkerRequest): void => request.reply('Content-Type: text/plain\r\n\r\nok'),
};
const WELCOME: SupervisorMessage = { type: 'welcome', version: 'test', digest: TEST_DIGEST };
const hold: SupervisorMessage = {
  ...{ type: 'restart', app: '', user: 'alice', reason: 'suspended', hold: true },
};

test('a suspension by command ends with the supervisor that was told it', async () => {
  const started = await start({ apps: { [APP]: { worker } } });
  const { supervisor } = started;
  const front = await started.front();
  assert.equal((await front.fetch(appParams(APP))).status, 200);
  supervisor.send(hold);
  const reason = async (): Promise<string | undefined> =>
    (await front.fetch(appParams(APP))).headers.get('x-usherd-reason');
  assert.equal(await reason(), 'suspended');
  let greetings = 0;
  const greet = supervisor.onHello;
  supervisor.onHello = () => {
    greetings += 1;
    greet();
  };
  supervisor.disconnect();
  await waitFor('the router back', () => greetings === 1);
  assert.equal(await reason(), undefined);
});

test('a resumed user is served at once, also where an application was first asked for while he was suspended', async () => {
  const refuse = { code: 'E_SUSPENDED', retryAfterMs: 600_000 } as const;
  const started = await start({ apps: { [APP]: { refuse }, 'bob/shop': { refuse } } });
  const { supervisor } = started;
  const front = await started.front();
  const reason = async (app: string): Promise<string | undefined> =>
    (await front.fetch(appParams(app))).headers.get('x-usherd-reason');
  assert.equal(await reason(APP), 'suspended');
  assert.equal(await reason('bob/shop'), 'suspended');
  for (const app of [APP, 'bob/shop']) supervisor.apps.set(app, { worker });
  supervisor.send({ type: 'resumed', user: 'alice' });
  await waitFor('that it is heard', async () => (await reason(APP)) === undefined);
  assert.equal(await reason('bob/shop'), 'suspended', 'of another user nothing was said');
});

test('what was asked of a supervisor that ended before it had told everything is asked again', async () => {
  const { supervisor } = await start({ withoutSupervisor: true });
  let hellos = 0;
  const facts = { ...TEST_FACTS, app: APP, limits: { ...TEST_FACTS.limits, minWorkers: 2 } };
  const living = { type: 'living', app: APP, runtime: 'fastcgi', worker: '1'.repeat(16) } as const;
  const of = { pid: 1, protocol: 'fastcgi', connect: '', uid: 0, concurrency: 1, maxRequests: 0 };
  supervisor.onHello = () => {
    hellos += 1;
    supervisor.send(WELCOME);
    supervisor.send(facts);
    if (hellos > 1) supervisor.send({ type: 'settled' });
    else {
      supervisor.send({ ...living, ...of } as SupervisorMessage);
      supervisor.disconnect();
    }
  };
  await supervisor.listen();
  await waitFor('both workers asked for', () => supervisor.needs.length === 2, 700);
});

const php = (name: string): [string, typeof TEST_RUNTIME] => [
  name,
  { ...TEST_RUNTIME, name, kind: 'script', extensions: ['.php'], markers: [] },
];

test('an application that takes another of several runtimes loses no place for a worker', async () => {
  const runtimes = new Map(['php', 'php8', 'php9'].map(php));
  const facts = { limits: { maxWorkersPerApp: 2, queueTimeoutMs: 1_000 } };
  const started = await start({
    apps: { [APP]: { worker, facts, runtime: 'php' } },
    config: { runtimes, defaults: { ...TEST_LIMITS, queueTimeoutMs: 1_000 } },
  });
  const { supervisor } = started;
  const front = await started.front();
  const status = async (): Promise<number> => (await front.fetch(appParams(APP, '/x.php'))).status;
  assert.equal(await status(), 200);
  for (const name of ['php8', 'php9', 'php', 'php8', 'php9']) {
    supervisor.apps.set(APP, { worker, facts, insistsOn: name });
    supervisor.send({ type: 'restart', app: APP, user: '', reason: 'changed', hold: false });
    await waitFor(`a worker of ${name}`, async () => {
      assert.equal(await status(), 200, name);
      return [...supervisor.running.values()].some(({ runtime }) => runtime === name);
    });
    assert.equal(await status(), 200, name);
  }
  for (const id of [...supervisor.running.keys()]) supervisor.kill(id, { wanted: true });
  assert.equal(await status(), 200);
});

test('an application that becomes another program is served by that one, and the first ends', async () => {
  const entry = { ...TEST_RUNTIME, kind: 'entry', extensions: [], markers: [] } as const;
  const runtimes = new Map(['python', 'node'].map((name) => [name, { ...entry, name }]));
  const facts = { limits: { minWorkers: 1 } };
  const started = await start({
    apps: { [APP]: { worker, facts, runtime: 'python' } },
    config: { runtimes },
  });
  const { supervisor } = started;
  const front = await started.front();
  const status = async (): Promise<number> => (await front.fetch(appParams(APP))).status;
  assert.equal(await status(), 200);
  const [first = ''] = supervisor.running.keys();
  supervisor.apps.set(APP, { worker, facts, insistsOn: 'node' });
  supervisor.send({ type: 'restart', app: APP, user: '', reason: 'changed', hold: false });
  await waitFor('the end of the first program', async () => {
    assert.equal(await status(), 200);
    return !supervisor.running.has(first);
  });
  assert.deepEqual(
    [...supervisor.running.values()].map(({ runtime }) => runtime),
    ['node'],
  );
});
