// What becomes of a command's output: it is read slowly, or not to its end, or there is no room for it.
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ExitCode } from '../../../src/errors.js';
import { fakeControl } from '../../support/fake-control.js';

const MAIN = join(import.meta.dirname, '../../../src/main.js');
/** More than any pipe or socket holds. */
const APPS_COUNT = 50_000;

/** `usherd status --json` against a supervisor that knows very many applications. */
async function longStatus(t: TestContext): Promise<ChildProcess> {
  const apps = Array.from({ length: APPS_COUNT }, (_, n) => ({
    app: `alice/app${n}`,
    workers: [],
  }));
  const file = await fakeControl(t, { apps });
  return spawn(process.execPath, [MAIN, 'status', '--json', '--config', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test('an answer of megabytes arrives to its last byte', async (t) => {
  const child = await longStatus(t);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, ExitCode.OK);
  assert.equal((JSON.parse(text) as { apps: unknown[] }).apps.length, APPS_COUNT);
});

test('whoever stops reading is not told a stack trace', async (t) => {
  const child = await longStatus(t);
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk));
  child.stdout?.once('data', () => child.stdout?.destroy());
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 141);
  assert.equal(complaint, '');
});

test('output for which there is no room is no success, and is told', () => {
  const full = openSync('/dev/full', 'w');
  try {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, 'completion'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    assert.equal(status, ExitCode.FAILED);
    assert.match(stderr, /^usherd: the output is not whole: ENOSPC: .*\n$/);
  } finally {
    closeSync(full);
  }
});
