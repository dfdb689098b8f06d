// What root sees of an application's files, on real file systems: its changes, nothing behind a tenant's link, and past what hangs.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import type { Blueprint } from '../../../src/spawner/blueprint.js';
import { ChangeWatch } from '../../../src/spawner/change-watch.js';
import { entryNames, systemProgram } from '../../../src/spawner/entry-names.js';
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
  names: readonly string[] = [],
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
  const watch = new ChangeWatch({
    now: () => nowMs,
    onChanged: (name) => changes.push(name),
    onHung: (name) => assert.fail(`${name} hangs`),
    threads: 4,
  });
  watch.watch('alice/app', { directory: app, entryNames: names });
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
  'another link in place of `current`, or on the way to the program, is a change',
  options,
  async (t) => {
    const swapped = ['current', 'releases/live'];
    const { app, look, changes } = await watching(
      t,
      (directory) => {
        for (const name of ['one', 'two'])
          mkdirSync(join(directory, 'releases', name), { recursive: true });
        chownSync(join(directory, 'releases'), TENANT_UID, TENANT_UID);
        for (const link of swapped)
          symlinkSync(join(directory, 'releases/one'), join(directory, link));
      },
      ['releases/live/serve'],
    );
    writeFileSync(join(app, 'releases/one/restart.txt'), 'it is not followed');
    await look();
    assert.deepEqual(changes, []);
    for (const [index, link] of swapped.entries()) {
      symlinkSync(join(app, 'releases/two'), join(app, `${link}.new`));
      renameSync(join(app, `${link}.new`), join(app, link));
      await look();
      assert.equal(changes.length, index + 1, link);
    }
  },
);

test('a file called `current` is a file like others', options, async (t) => {
  const { app, look, changes } = await watching(t, (directory) =>
    writeFileSync(join(directory, 'current'), '1'),
  );
  writeFileSync(join(app, 'current'), 'changed');
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

test(
  'a program of the system is looked at, and none that somebody else than root could exchange',
  options,
  (t) => {
    const directory = scratchDirectory(t); // in /tmp, where others may write
    writeFileSync(join(directory, 'php-cgi'), '', { mode: 0o755 });
    symlinkSync('/usr/bin/env', join(directory, 'env'));
    const watched = (program: string): readonly string[] =>
      systemProgram({ argv: [program, '/bin/sh'] } as unknown as Blueprint);
    assert.deepEqual(watched('/usr/bin/env'), ['/usr/bin/env']);
    for (const program of ['php-cgi', 'env', 'none']) {
      assert.deepEqual(watched(join(directory, program)), []);
    }
    assert.deepEqual(watched('./serve'), []);
    assert.deepEqual(watched('/usr/bin'), []);
  },
);

/** A file system on which every look at a name waits for somebody who does not answer; undefined where the kernel has none. */
async function hangingDirectory(t: TestContext): Promise<string | undefined> {
  const root = mkdtempSync(join(tmpdir(), 'usherd-hung-')); // removed when nothing is mounted there any more
  const directory = join(root, 'hung');
  mkdirSync(directory);
  // autofs(5) asks on a pipe, which is held open and never read. Whoever is in the group of mount(8) would not have to wait.
  const script = `mkfifo "$1/pipe"; sleep 600 <>"$1/pipe" & exec 5>"$1/pipe"
    mount -t autofs -o fd=5,pgrp=$$,minproto=5,maxproto=5,indirect hang "$1/hung" && echo mounted; wait`;
  const holder = spawn('/bin/sh', ['-c', script, 'sh', root], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const closed = once(holder, 'exit');
  const [said] = (await Promise.race([once(holder.stdout, 'data'), closed])) as unknown[];
  const isMounted = String(said).startsWith('mounted');
  t.after(async () => {
    if (holder.exitCode === null) process.kill(-(holder.pid ?? 0), 'SIGKILL');
    await closed;
    if (isMounted) {
      // The next who asks finds nobody at the pipe, and the kernel lets everybody go.
      spawnSync('/usr/bin/stat', [join(directory, 'other')]);
      await waitFor('the unmount', () => spawnSync('umount', [directory]).status === 0);
    }
    rmSync(root, { recursive: true });
  });
  return isMounted ? directory : undefined;
}

test(
  'files that hang, of a user with many applications, do not keep a change of his neighbour from being seen',
  options,
  async (t) => {
    const directory = await hangingDirectory(t);
    if (directory === undefined) {
      t.skip('no autofs in this kernel');
      return;
    }
    const well = scratchDirectory(t);
    const changes: string[] = [];
    const hung: string[] = [];
    const watch = new ChangeWatch({
      now: () => performance.now(),
      onChanged: (app) => changes.push(app),
      onHung: (app) => hung.push(app),
      threads: 4,
    });
    watch.watch('bob/app', { directory: well, entryNames: [] });
    await waitFor('the first look', () => watch.lookingCount === 0);
    for (const n of [0, 1, 2, 3]) {
      watch.watch(`mallory/app${n}`, { directory: join(directory, `app${n}`), entryNames: [] });
    }
    await waitFor('the hang', () => hung.length > 0);
    const changedMs = performance.now();
    writeFileSync(join(well, 'restart.txt'), '');
    await waitFor('the change to be seen', () => {
      watch.check('bob/app');
      return changes.length > 0;
    });
    const ms = performance.now() - changedMs;
    assert.ok(ms < 2 * LIMITS.changeCheckIntervalMs, `${ms} ms`);
    assert.deepEqual([changes, hung], [['bob/app'], ['mallory/app0']]);
  },
);
