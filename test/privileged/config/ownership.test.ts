// Whose configuration root believes: T121, each way in which somebody else could have written it.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { loadConfig } from '../../../src/config/index.js';
import { needsRoot } from '../../support/needs-root.js';
import { refusalOf } from '../../support/config-directory.js';
import { scratchDirectory } from '../../support/scratch.js';

const STRANGER = 61_330;

const load = (file: string) => loadConfig(file, { builtinRuntimes: [], requireRootOwned: true });

/** `etc/usherd.toml` and `etc/users.d/alice.toml`, all of root. */
function configuration(t: TestContext): { etc: string; file: string; users: string; user: string } {
  const etc = join(scratchDirectory(t), 'etc');
  const paths = { etc, file: join(etc, 'usherd.toml'), users: join(etc, 'users.d') };
  mkdirSync(paths.users, { recursive: true });
  const user = join(paths.users, 'alice.toml');
  for (const path of [paths.file, user]) writeFileSync(path, '', { mode: 0o644 });
  for (const path of [etc, paths.users]) chmodSync(path, 0o755);
  return { ...paths, user };
}

async function assertUnsafe(file: string, path: string): Promise<void> {
  const err = await refusalOf(load(file));
  assert.equal(err.code, 'E_CONFIG_UNSAFE');
  assert.ok(
    err.findings.some((finding) => finding.path === path),
    JSON.stringify(err.findings),
  );
}

test("root's own configuration is read", { skip: needsRoot }, async (t) => {
  const { file } = configuration(t);
  assert.equal((await load(file)).users.size, 1);
});

for (const name of ['etc', 'file', 'users', 'user'] as const) {
  test(`a stranger's ${name} is refused (T121)`, { skip: needsRoot }, async (t) => {
    const paths = configuration(t);
    chownSync(paths[name], STRANGER, 0);
    await assertUnsafe(paths.file, paths[name]);
  });

  test(`a ${name} that others can write is refused (T121)`, { skip: needsRoot }, async (t) => {
    const paths = configuration(t);
    for (const mode of [0o775, 0o757, 0o777]) {
      chmodSync(paths[name], mode);
      await assertUnsafe(paths.file, paths[name]);
    }
  });
}

test(
  "a stranger's link on the way is refused, root's is followed",
  { skip: needsRoot },
  async (t) => {
    const { etc } = configuration(t);
    const link = `${etc}-link`;
    symlinkSync('etc', link);
    await load(join(link, 'usherd.toml'));
    lchownSync(link, STRANGER, STRANGER);
    await assertUnsafe(join(link, 'usherd.toml'), link);
  },
);

test(
  "a sticky directory of root's is a fine parent, a stranger's is none",
  { skip: needsRoot },
  async (t) => {
    const { etc, file } = configuration(t);
    chmodSync(join(etc, '..'), 0o1777);
    await load(file);
    chownSync(join(etc, '..'), STRANGER, 0);
    await assertUnsafe(file, join(etc, '..'));
  },
);
