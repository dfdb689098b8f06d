// Whatever is written, and whenever the web server reads: it gets the same bytes, and nothing is held back for ever.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { encodeStream, RecordDecoder, RecordType } from '../../../src/fcgi-protocol/index.js';
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
  /** Records as a whole, which stay in memory. */
  | { readonly kind: 'add'; readonly bytes: number }
  /** The client is slow by now. */
  | { readonly kind: 'slow' }
  | { readonly kind: 'read' }
  | { readonly kind: 'rest' };

const WRITE_MAX_BYTES = 400_000;
const MEMORY_MAX_BYTES =
  LIMITS.responseBufferMaxBytes + LIMITS.answerSpillPendingMaxBytes + 2 * WRITE_MAX_BYTES;
/** More than memory takes: what follows goes to disk. */
const SLOW: readonly Step[] = [
  ...Array<Step>(4).fill({ kind: 'write', bytes: WRITE_MAX_BYTES, parts: 1 }),
  { kind: 'slow' },
];
const someBytes = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: WRITE_MAX_BYTES }),
);
const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('write' as const),
        bytes: someBytes,
        parts: fc.integer({ min: 1, max: 5 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('add' as const), bytes: someBytes }) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constantFrom('slow' as const, 'read' as const, 'rest' as const),
      }),
    },
  ),
  { minLength: 1, maxLength: 40 },
);

function cut(bytes: Buffer, parts: number): readonly Buffer[] {
  const at = (i: number): number => Math.floor((bytes.length * i) / parts);
  return Array.from({ length: parts }, (_, i) => bytes.subarray(at(i), at(i + 1)));
}

test('the same bytes, from memory or from disk, and all budgets back', async (t) => {
  const directory = directoryFor(t);
  const [socket, client] = await pairAt(join(directory, 'front.sock'), t);
  let received: Buffer[] = [];
  let receivedBytes = 0;
  const decoder = new RecordDecoder({
    record: (_type, _id, content) => {
      received.push(content);
      receivedBytes += content.length;
    },
  });
  client.on('data', (chunk: Buffer) => decoder.push(chunk));
  const writeBudget = new WriteBudget();
  const spoolBudget = new SpoolBudget();
  const deadlineWatch = new DeadlineWatch(systemClock);
  const output = new FrontOutput(socket, {
    ...{ writeBudget, spoolBudget, deadlineWatch },
    spoolDirectory: directory,
  });
  let readsCount = 0;
  const { read } = fs;
  t.mock.method(fs, 'read', ((...args: Parameters<typeof read>) => {
    readsCount += 1;
    read(...args);
  }) as typeof read);
  await fc.assert(
    fc.asyncProperty(fc.boolean(), steps, async (isSlow, list: readonly Step[]) => {
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
      for (const step of isSlow ? [...SLOW, ...list] : list) {
        if (step.kind === 'read') client.resume();
        else if (step.kind === 'rest') await new Promise((done) => setImmediate(done));
        else if (step.kind === 'slow') {
          if (output.nearestMs() < Infinity) output.ring();
        } else if (!is.paused) {
          const bytes = patternOf(step.bytes);
          if (step.kind === 'add') output.add(encodeStream(RecordType.STDOUT, 1, [bytes]));
          else output.addStream(RecordType.STDOUT, 1, cut(bytes, step.parts));
          sent.push(bytes);
          output.flush(source);
          assert.ok(writeBudget.bytes <= MEMORY_MAX_BYTES);
        }
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
  assert.ok(readsCount > 0, 'some of it came back from disk');
});
