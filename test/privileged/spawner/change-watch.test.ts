// What root sees of an application's files, on a real file system: changes of its own, and nothing behind a tenant's link.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import type { Blueprint } from '../../../src/spawner/blueprint.js';
import { ChangeWatch } from '../../../src/spawner/change-watch.js';
import { entryNames } from '../../../src/spawner/entry-names.js';
import { testConfig } from '../../support/config.js';
import { needsRoot } from '../../support/needs-root.js';
import { scratchDirectory } from '../../support/scratch.js';
import { waitFor } from '../../support/wait-for.js';

const TENANT_UID = 52_301;
const options = { skip: needsRoot };

interface Watching {
  readonly app: string;
  /** Looks once more. */
  readonly look: () => Promise<void>;
  readonly changes: readonly string[];
}

async function watching(
  t: TestContext,
  prepare: (app: string, root: string) => void,
): Promise<Watching> {
  const root = scratchDirectory(t);
  const app = join(root, 'app');
  mkdirSync(app);
  prepare(app, root);
  // All of it the tenant's, who may exchange what he likes.
  for (const path of [root, app]) {
    chmodSync(path, 0o755);
    chownSync(path, TENANT_UID, TENANT_UID);
  }
  let nowMs = 0;
  const changes: string[] = [];
  const watch = new ChangeWatch(
    () => nowMs,
    (name) => changes.push(name),
  );
  watch.watch('alice/app', { directory: app, entryNames: [] });
  const look = async (): Promise<void> => {
    nowMs += LIMITS.changeCheckIntervalMs;
    watch.check('alice/app');
    await waitFor('the look to be over', () => watch.lookingCount === 0);
  };
  await waitFor('the first look', () => watch.lookingCount === 0);
  return { app, look, changes };
}

test('a touched tmp/restart.txt is a change', options, async (t) => {
  const { app, look, changes } = await watching(t, (directory) =>
    mkdirSync(join(directory, 'tmp')),
  );
  await look();
  assert.deepEqual(changes, []);
  writeFileSync(join(app, 'tmp/restart.txt'), '');
  await look();
  assert.deepEqual(changes, ['alice/app']);
});

test('what lies behind a link of the tenant is not looked at', options, async (t) => {
  let secret = '';
  const { look, changes } = await watching(t, (directory, root) => {
    secret = join(root, 'secret');
    mkdirSync(secret);
    symlinkSync(secret, join(directory, 'tmp'));
  });
  writeFileSync(join(secret, 'restart.txt'), 'changed');
  await look();
  assert.deepEqual(changes, []);
});

test(
  'an application directory that was exchanged for a link is seen as gone, and not followed',
  options,
  async (t) => {
    const { app, look, changes } = await watching(t, () => undefined);
    renameSync(app, `${app}.old`);
    mkdirSync(`${app}.other`);
    symlinkSync(`${app}.other`, app);
    await look();
    assert.deepEqual(changes, ['alice/app']);
    writeFileSync(`${app}.other/restart.txt`, '');
    await look();
    assert.deepEqual(changes, ['alice/app']);
  },
);

test('a command of a thousand directories, or of many, costs root a few descriptors (T135)', () => {
  const deep = `./${'d/'.repeat(1_000)}program`;
  const blueprint = (argv: readonly string[]): Blueprint => ({ argv }) as unknown as Blueprint;
  const config = testConfig();
  const markers = entryNames(config, blueprint([])).length;
  const namesOf = (...argv: readonly string[]): readonly string[] =>
    entryNames(config, blueprint(argv)).slice(markers);
  assert.deepEqual(namesOf('./bin/serve', '--dir', './public'), ['bin/serve', 'public']);
  assert.deepEqual(namesOf(deep), []);
  assert.deepEqual(namesOf('./serve', deep, './late'), ['serve']);
  const many = namesOf(...Array.from({ length: 1_000 }, (_, n) => `./${n}`));
  assert.equal(many.length, LIMITS.changeStepsMaxCount);
});
