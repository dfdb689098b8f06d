// Reloads while workers start: each of them has the old configuration or the new one.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { FakeRouter } from '../support/fake-router.js';
import { needsRoot } from '../support/needs-root.js';
import { SupervisorHost, UID } from '../support/supervisor-host.js';

describe('reloads under starts', { skip: needsRoot }, () => {
  const STARTS_COUNT = 100;
  /** One number in three places: the runtime's, the user's, and the kernel's limit of processes. */
  const settingOf = (n: number): Parameters<SupervisorHost['change']>[0] => ({
    maxRequests: n,
    users: (['alice', 'bob'] as const).map((name) => ({
      name,
      uid: UID[name],
      limits: { queueLength: n, pidsMax: n, maxWorkersPerUser: 40, maxWorkersPerApp: 20 },
    })),
  });

  test('every worker has the old configuration or the new one, never some of each (T109)', async () => {
    const host = new SupervisorHost(settingOf(1_000));
    const state = { isOver: false };
    try {
      await host.start();
      const names = Array.from({ length: 8 }, (_, n) => `app${n}`);
      for (const name of names) {
        for (const user of ['alice', 'bob'] as const) host.makeApp(user, name, 'sleeps');
      }
      const apps = names.flatMap((name) => [`alice/${name}`, `bob/${name}`]);
      const router = await host.router();
      let n = 1_000;
      const reloading = (async (): Promise<void> => {
        while (!state.isOver) {
          host.change(settingOf((n += 1)));
          await host.control({ command: 'reload' });
        }
      })();
      const seen = new Set<number>();
      for (let start = 0; start < STARTS_COUNT; start += apps.length) {
        const found = await Promise.all(apps.map((app) => startOf(router, app)));
        const mixed = found.filter((numbers) => new Set(numbers).size > 1);
        assert.deepEqual(mixed, []);
        found.flat().forEach((number) => seen.add(number));
      }
      state.isOver = true;
      await reloading;
      assert.ok(seen.size > 5, `${seen.size} configurations`);
      router.close();
    } finally {
      state.isOver = true;
      await host.close();
    }
  });
});

/** The number as the worker's runtime, its user and its process have it; nothing where no more may be started so fast. */
async function startOf(router: FakeRouter, app: string): Promise<readonly number[]> {
  const answer = await router.need(app);
  if (answer.type !== 'spawned') return [];
  const before = router.heard.slice(0, router.heard.indexOf(answer));
  const facts = before.findLast((message) => message.type === 'facts' && message.app === app);
  if (facts?.type !== 'facts') throw new Error('a worker without facts');
  const limits = readFileSync(`/proc/${answer.pid}/limits`, 'latin1');
  const processes = Number(/^Max processes +(\d+)/m.exec(limits)?.[1]);
  router.send({ type: 'retire', worker: answer.worker, reason: 'idle' });
  return [answer.maxRequests, facts.limits.queueLength, facts.limits.pidsMax, processes];
}
