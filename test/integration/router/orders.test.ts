// Random orders of requests at real workers of every kind; the long run of the same is `npm run fuzz -- orders`.
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { playRound } from '../../fuzz/orders-round.js';
import { anyRound } from '../../fuzz/orders-steps.js';
import { noOrderWorker, OrderPrograms, orderWorkers } from '../../support/order-workers.js';

const programs = new OrderPrograms();
after(() => programs.remove());

describe('in whatever order requests, departures and deaths come, each request gets its own answer and nothing is left', () => {
  for (const [index, worker] of orderWorkers(programs).entries()) {
    test(worker.name, { skip: noOrderWorker(worker) }, async () => {
      const property = fc.asyncProperty(anyRound({ min: 20, max: 30 }), (round) =>
        playRound(worker, round),
      );
      await fc.assert(property, { seed: 4 + index, numRuns: 2, interruptAfterTimeLimit: 60_000 });
    });
  }
});
