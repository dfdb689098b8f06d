// The clock of the machine is set an hour forward and back: no deadline, back-off or idle time notices (T113).
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { WorkerRequest } from '../support/fake-worker.js';
import { parseCgi } from '../support/front-client.js';
import { needsRoot } from '../support/needs-root.js';
import { RouterAttack } from '../support/router-attack.js';
import { appParams } from '../support/router-rig.js';
import { SupervisorHost, UID } from '../support/supervisor-host.js';
import { waitFor } from '../support/wait-for.js';

const HOUR_MS = 3_600_000;
const JUMPS_MS = [HOUR_MS, -HOUR_MS, -HOUR_MS, HOUR_MS];
const realNow = Date.now;

describe('a router whose clock jumps', () => {
  let offsetMs = 0;
  after(() => (Date.now = realNow));

  test('cuts no request, ends no worker, forgets no back-off (T113)', async () => {
    Date.now = (): number => realNow() + offsetMs;
    let held: WorkerRequest | undefined;
    const attack = await RouterAttack.start({
      'alice/slow': { worker: { onRequest: (request) => (held = request) } },
      'alice/full': {
        worker: { onRequest: () => undefined },
        facts: { limits: { maxWorkersPerApp: 1, queueTimeoutMs: 600_000 } },
      },
      'alice/dies': { worker: { onRequest: ({ socket }) => void socket.destroy() } },
    });
    try {
      const [client, waiting, crashing] = [
        await attack.front(),
        await attack.front(),
        await attack.front(),
      ];
      client.send(1, appParams('alice/slow'));
      await waitFor('the request', () => held);
      waiting.send(1, appParams('alice/full'));
      waiting.send(2, appParams('alice/full'));
      const dies = async (): Promise<string | undefined> =>
        (await crashing.fetch(appParams('alice/dies'))).headers.get('x-usherd-reason');
      await dies();
      assert.equal(await dies(), 'crash-loop');
      const workers = [...attack.rig.supervisor.running.keys()];
      for (const jumpMs of JUMPS_MS) {
        offsetMs += jumpMs;
        await attack.neighbourIsServed();
        assert.equal(await dies(), 'crash-loop');
      }
      assert.deepEqual([...attack.rig.supervisor.running.keys()], workers);
      for (const id of [1, 2]) assert.equal(waiting.answer(id).end, undefined);
      held?.reply('Content-Type: text/plain\r\n\r\nat last');
      assert.equal(parseCgi(await client.ended(1)).body.toString(), 'at last');
      await attack.isOver(client, waiting, crashing);
    } finally {
      await attack.stop();
    }
  });
});

describe('a supervisor whose clock jumps', { skip: needsRoot }, () => {
  test('ends no worker, and keeps its deadlines (T113)', async () => {
    const host = new SupervisorHost({
      users: [{ name: 'alice', uid: UID.alice, limits: { stopTimeoutMs: 200 } }],
    });
    try {
      await host.start();
      host.makeApp('alice', 'app', 'sleeps');
      host.makeApp('alice', 'deaf', 'ignores-term');
      const router = await host.router();
      const app = await router.spawn('alice/app');
      const deaf = await router.spawn('alice/deaf');
      await waitFor('it to be deaf', () =>
        host.sink.of(deaf.worker)?.text.includes('hears no TERM'),
      );
      let clockOffsetMs = 0;
      for (const jumpMs of JUMPS_MS) {
        clockOffsetMs += jumpMs;
        host.change({ clockOffsetMs });
        await host.control({ command: 'reload' });
        await host.control({ command: 'status' });
        router.send({ type: 'check', app: 'alice/app' });
      }
      router.send({ type: 'retire', worker: deaf.worker, reason: 'idle' });
      host.change({ clockOffsetMs: -HOUR_MS });
      await host.control({ command: 'reload' });
      const exit = await router.hear('exited', (it) => it.worker === deaf.worker);
      assert.equal(exit.signal, 'SIGKILL');
      assert.deepEqual(
        router.of('exited').map(({ worker }) => worker),
        [deaf.worker],
      );
      process.kill(app.pid, 0);
      assert.equal((await router.need('alice/app')).type, 'spawned');
      router.close();
    } finally {
      await host.close();
    }
  });
});
