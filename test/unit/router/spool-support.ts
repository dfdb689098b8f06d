// A spool in a directory of its own, and ways to read it that wait for what happens instead of for time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { UsherdError } from '../../../src/errors.js';
import { BodySpool, type BodySpoolOptions } from '../../../src/router/body-spool.js';
import { SPOOL_LIMITS, SpoolBudget, type SpoolLimits } from '../../../src/router/spool-budget.js';

export function directoryFor(context: TestContext | undefined): string {
  const directory = mkdtempSync(join(tmpdir(), 'usherd-test-'));
  context?.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface Rig {
  readonly spool: BodySpool;
  readonly budget: SpoolBudget;
  readonly failures: UsherdError[];
  /** Resolves at the next onDrain. */
  drained(): Promise<void>;
}

export function rigOf(
  directory: string,
  changes: Partial<BodySpoolOptions> & { readonly limits?: Partial<SpoolLimits> } = {},
): Rig {
  const failures: UsherdError[] = [];
  const waiting: (() => void)[] = [];
  const budget = changes.budget ?? new SpoolBudget({ ...SPOOL_LIMITS, ...changes.limits });
  const wake = (): void => waiting.splice(0).forEach((resume) => resume());
  const spool = new BodySpool({
    user: 'alice',
    directory,
    maxBodyBytes: 0,
    onDrain: wake,
    onFailed: (err) => {
      failures.push(err);
      wake();
    },
    ...changes,
    budget,
  });
  return { spool, budget, failures, drained: () => new Promise((done) => waiting.push(done)) };
}

/** A copy: the bytes are valid until the next read. */
export const readOnce = (spool: BodySpool, maxBytes: number): Promise<Buffer | null> =>
  new Promise((done, fail) => {
    spool.read(maxBytes, (err, bytes) => {
      if (err === null) done(bytes === null ? null : Buffer.from(bytes));
      else fail(err);
    });
  });

export async function readAll(spool: BodySpool, maxBytes = 65_536): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (;;) {
    const bytes = await readOnce(spool, maxBytes);
    if (bytes === null) return Buffer.concat(parts);
    parts.push(bytes);
  }
}

export async function writeAll(rig: Rig, parts: Iterable<Buffer>): Promise<void> {
  for (const part of parts) {
    if (!rig.spool.write(part)) await rig.drained();
  }
  rig.spool.end();
}

/** Lets callbacks of the operating system come until the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setImmediate(done));
}

export const isEmpty = (budget: SpoolBudget): boolean =>
  budget.memoryBytes === 0 &&
  budget.pendingBytes === 0 &&
  budget.diskBytes === 0 &&
  budget.filesCount === 0 &&
  budget.userDiskBytes('alice') === 0;

/** Bytes in which a shift by any small number would show. */
export const patternOf = (bytes: number): Buffer => {
  const pattern = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i += 1) pattern[i] = (i * 31 + (i >> 8)) & 0xff;
  return pattern;
};

export const codes = (failures: readonly { code: string }[]): string[] =>
  failures.map((f) => f.code);
