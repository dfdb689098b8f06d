// What becomes of an application when somebody asks it for a script that nothing on this machine runs.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { TEST_RUNTIME } from '../../support/config.js';
import type { FakeApp, FakeSupervisor } from '../../support/fake-supervisor.js';
import { parseCgi, type FrontClient } from '../../support/front-client.js';
import { appParams, RouterRig } from '../../support/router-rig.js';

const APP = 'alice/blog';
const PHP = { ...TEST_RUNTIME, name: 'php', kind: 'script', extensions: ['.php'] } as const;

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

/** A program of its own that answers; PHP there is none. */
async function started(more: Partial<FakeApp> = {}): Promise<RouterRig> {
  const app: FakeApp = {
    worker: { onRequest: (request) => request.reply('Content-Type: text/plain\r\n\r\nhere') },
    refuse: { code: 'E_RUNTIME_MISSING' },
    refuseRuntime: 'php',
    ...more,
  };
  rig = await RouterRig.start({
    apps: { [APP]: app },
    config: {
      runtimes: new Map([
        ['fastcgi', TEST_RUNTIME],
        ['php', PHP],
      ]),
    },
  });
  return rig;
}

async function withFront(
  starting: Promise<RouterRig>,
): Promise<{ supervisor: FakeSupervisor; front: FrontClient }> {
  const current = await starting;
  return { supervisor: current.supervisor, front: await current.front() };
}

test('a script that cannot run keeps nobody from the program beside it', async () => {
  const front = await (await started()).front();
  const probe = await front.fetch(appParams(APP, '/wp-login.php'));
  assert.equal(probe.headers.get('x-usherd-reason'), 'runtime-missing');
  assert.equal((await front.fetch(appParams(APP))).body.toString(), 'here');
});

test('nor those who wait at the same time', async () => {
  const front = await (await started()).front();
  front.send(1, appParams(APP, '/wp-login.php'));
  front.send(2, appParams(APP));
  front.send(3, appParams(APP, '/xmlrpc.php'));
  front.send(4, appParams(APP, '/page'));
  const reasonOf = async (id: number): Promise<string | undefined> =>
    parseCgi(await front.ended(id)).headers.get('x-usherd-reason');
  assert.deepEqual(
    [await reasonOf(1), await reasonOf(2), await reasonOf(3), await reasonOf(4)],
    ['runtime-missing', undefined, 'runtime-missing', undefined],
  );
});

test('what was refused is not asked for again at once', async () => {
  const { supervisor, front } = await withFront(started());
  for (let count = 0; count < 5; count += 1) await front.fetch(appParams(APP, '/wp-login.php'));
  assert.equal(supervisor.needs.length, 1);
});

test('scripts in a crash loop keep nobody from the program beside them', async () => {
  const { supervisor, front } = await withFront(started({ refuse: { code: 'E_PRIVDROP_REPORT' } }));
  assert.equal((await front.fetch(appParams(APP))).status, 200);
  const probe = async (): Promise<string | undefined> =>
    (await front.fetch(appParams(APP, '/wp-login.php'))).headers.get('x-usherd-reason');
  assert.equal(await probe(), 'start-failed');
  assert.equal(await probe(), 'crash-loop');
  for (const id of [...supervisor.running.keys()]) supervisor.kill(id, { wanted: true });
  assert.equal((await front.fetch(appParams(APP))).body.toString(), 'here');
  assert.equal(await probe(), 'crash-loop');
});
