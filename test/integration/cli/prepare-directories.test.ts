// Making the run-time directories as an ordinary user, and what is refused to be taken over.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareDirectories } from '../../../src/cli/prepare-directories.js';
import { isUsherdError, type UsherdError } from '../../../src/errors.js';
import { scratchDirectory } from '../../support/scratch.js';

const OWN = { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };

const planned = (path: string, mode = 0o700) => ({ path, ...OWN, mode });
const modeOf = (path: string): number => statSync(path).mode & 0o7777;

async function refusal(path: string): Promise<UsherdError> {
  try {
    await prepareDirectories([planned(path)]);
  } catch (err) {
    if (isUsherdError(err)) return err;
    throw err;
  }
  throw new Error('was accepted');
}

test('directories and their missing parents are made, with their modes whatever the umask is', async (t) => {
  const base = scratchDirectory(t);
  const run = join(base, 'a/b/run');
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  await prepareDirectories([planned(run, 0o711), planned(join(run, 'worker'), 0o2710)]);
  assert.equal(modeOf(join(base, 'a')), 0o755);
  assert.equal(modeOf(run), 0o711);
  assert.equal(modeOf(join(run, 'worker')), 0o2710);
});

test('a second time nothing changes but a wrong mode', async (t) => {
  const run = join(scratchDirectory(t), 'run');
  await prepareDirectories([planned(run)]);
  writeFileSync(join(run, 'kept'), '');
  chmodSync(run, 0o755);
  await prepareDirectories([planned(run)]);
  assert.equal(modeOf(run), 0o700);
  assert.ok(statSync(join(run, 'kept')).isFile());
});

test('a file or a link in the place is refused and left alone', async (t) => {
  const base = scratchDirectory(t);
  mkdirSync(join(base, 'elsewhere'), { mode: 0o755 });
  symlinkSync('elsewhere', join(base, 'link'));
  writeFileSync(join(base, 'file'), '');
  for (const name of ['link', 'file']) {
    const err = await refusal(join(base, name));
    assert.equal(err.code, 'E_STARTUP_DIRECTORY');
    assert.equal(err.findings[0]?.rule, 'run-directory');
  }
  assert.equal(modeOf(join(base, 'elsewhere')), 0o755);
});

test('a parent that others can write to is refused before anything is made in it', async (t) => {
  const base = scratchDirectory(t);
  const open = join(base, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  const err = await refusal(join(open, 'run'));
  assert.equal(err.code, 'E_STARTUP_DIRECTORY');
  assert.equal(err.findings[0]?.path, open);
  assert.equal(statSync(join(open, 'run'), { throwIfNoEntry: false }), undefined);
});

test('what the system refuses is told with the directory and a remedy', async (t) => {
  const file = join(scratchDirectory(t), 'file');
  writeFileSync(file, '');
  const err = await refusal(join(file, 'run'));
  assert.match(err.findings[0]?.found ?? '', /ENOTDIR/);
});
