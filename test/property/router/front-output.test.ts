// Whatever is written, and whenever the web server reads: it gets the same bytes, and nothing is held back for ever.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../../../src/limits.js';
import { systemClock } from '../../../src/pool/index.js';
import { DeadlineWatch } from '../../../src/router/deadline-watch.js';
import { FrontOutput } from '../../../src/router/front-output.js';
import type { Pausable } from '../../../src/router/request-types.js';
import { SpoolBudget } from '../../../src/router/spool-budget.js';
import { WriteBudget } from '../../../src/router/write-budget.js';
import { directoryFor, isEmpty, patternOf, until } from '../../unit/router/spool-support.js';

/** Two ends of one connection. */
async function pairAt(path: string, t: TestContext): Promise<readonly [net.Socket, net.Socket]> {
  const server = net.createServer();
  t.after(() => server.close());
  server.listen(path);
  await once(server, 'listening');
  const client = net.connect(path);
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  t.after(() => client.destroy());
  t.after(() => accepted.destroy());
  return [accepted, client];
}

type Step =
  | { readonly kind: 'write'; readonly bytes: number; readonly parts: number }
  /** The client is slow by now. */
  | { readonly kind: 'slow' }
  | { readonly kind: 'read' }
  | { readonly kind: 'rest' };

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('write' as const),
      bytes: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 400_000 })),
      parts: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({ kind: fc.constantFrom('slow' as const, 'read' as const, 'rest' as const) }),
  ),
  { minLength: 1, maxLength: 40 },
);

test('the same bytes, from memory or from disk, and all budgets back', async (t) => {
  const directory = directoryFor(t);
  const [socket, client] = await pairAt(join(directory, 'front.sock'), t);
  let received: Buffer[] = [];
  let receivedBytes = 0;
  client.on('data', (chunk: Buffer) => {
    received.push(chunk);
    receivedBytes += chunk.length;
  });
  const writeBudget = new WriteBudget();
  const spoolBudget = new SpoolBudget();
  const deadlineWatch = new DeadlineWatch(systemClock);
  const output = new FrontOutput(socket, {
    ...{ writeBudget, spoolBudget, deadlineWatch },
    spoolDirectory: directory,
  });
  let spilled = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (list: readonly Step[]) => {
      received = [];
      receivedBytes = 0;
      const is = { paused: false };
      const source: Pausable = {
        spillsFor: 'alice',
        pause: () => (is.paused = true),
        resume: () => (is.paused = false),
      };
      const sent: Buffer[] = [];
      client.pause();
      for (const step of list) {
        if (step.kind === 'read') client.resume();
        else if (step.kind === 'rest') await new Promise((done) => setImmediate(done));
        else if (step.kind === 'slow') output.ring();
        else if (!is.paused) {
          const bytes = patternOf(step.bytes);
          for (let i = 0; i < step.parts; i += 1) {
            const at = Math.floor((bytes.length * i) / step.parts);
            output.add(bytes.subarray(at, Math.floor((bytes.length * (i + 1)) / step.parts)));
          }
          sent.push(bytes);
          output.flush(source);
          assert.ok(writeBudget.bytes <= LIMITS.responseBufferMaxBytes + 800_000);
        }
        if (spoolBudget.filesCount > 0) spilled += 1;
      }
      client.resume();
      output.flush(undefined);
      const all = Buffer.concat(sent);
      await until(() => receivedBytes >= all.length && output.isEmpty && !is.paused);
      assert.ok(Buffer.concat(received).equals(all));
      await until(() => isEmpty(spoolBudget));
      assert.equal(writeBudget.bytes, 0);
      assert.equal(deadlineWatch.watchedCount, 0);
    }),
    { numRuns: 200 },
  );
  assert.ok(spilled > 0, 'the disk was in use');
});
