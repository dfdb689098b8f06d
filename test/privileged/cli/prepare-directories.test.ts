// Making the run-time directories as root: owners, modes, and whose directories are not taken over.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { planDirectories, type PlannedDirectory } from '../../../src/cli/directory-plan.js';
import { prepareDirectories } from '../../../src/cli/prepare-directories.js';
import { mergeLayers } from '../../../src/config/layers.js';
import { isUsherdError } from '../../../src/errors.js';
import { needsRoot } from '../../support/needs-root.js';
import { scratchDirectory } from '../../support/scratch.js';

const IDS = { routerUid: 61_320, routerGid: 61_321, frontGids: [61_322] };
const STRANGER = 61_323;

function planBelow(base: string): readonly PlannedDirectory[] {
  const paths = { run: join(base, 'run'), log: join(base, 'log'), state: join(base, 'state') };
  const layers = { file: '', main: { paths }, userFiles: new Map() };
  return planDirectories(mergeLayers(layers, { builtinRuntimes: [], memoryBytes: 0 }), IDS);
}

function assertPrepared(plan: readonly PlannedDirectory[]): void {
  for (const { path, uid, gid, mode } of plan) {
    const stats = statSync(path);
    assert.deepEqual([stats.uid, stats.gid, stats.mode & 0o7777], [uid, gid, mode], path);
  }
}

async function refusedPath(plan: readonly PlannedDirectory[]): Promise<string | undefined> {
  try {
    await prepareDirectories(plan);
  } catch (err) {
    if (isUsherdError(err) && err.code === 'E_STARTUP_DIRECTORY') return err.findings[0]?.path;
    throw err;
  }
  return undefined;
}

test(
  'every directory gets its owner and mode, and gets them back',
  { skip: needsRoot },
  async (t) => {
    const plan = planBelow(scratchDirectory(t));
    await prepareDirectories(plan);
    assertPrepared(plan);
    for (const { path } of plan) {
      chownSync(path, 0, 0);
      chmodSync(path, 0o700);
    }
    await prepareDirectories(plan);
    assertPrepared(plan);
  },
);

test('a directory that a stranger made is not taken over', { skip: needsRoot }, async (t) => {
  const base = scratchDirectory(t);
  const run = join(base, 'run');
  mkdirSync(run);
  chownSync(run, STRANGER, STRANGER);
  assert.equal(await refusedPath(planBelow(base)), run);
  assert.equal(statSync(run).uid, STRANGER);
});

test(
  "nothing is made in a stranger's directory, however it is reached",
  { skip: needsRoot },
  async (t) => {
    const base = scratchDirectory(t);
    const own = join(base, 'own');
    mkdirSync(own);
    chownSync(own, STRANGER, STRANGER);
    assert.equal(await refusedPath(planBelow(own)), own);
    symlinkSync('own', join(base, 'link'));
    assert.equal(await refusedPath(planBelow(join(base, 'link'))), own);
    assert.equal(statSync(join(own, 'run'), { throwIfNoEntry: false }), undefined);
  },
);
