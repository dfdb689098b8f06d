// The rows of the built-in runtimes are sound: what the administrator's could not say, they do not say either.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { withLibexec } from '../../../src/runtimes/entry.js';
import { mainFileSchema } from '../../../src/config/schema.js';
import { BUILTIN_RUNTIMES } from '../../../src/runtimes/index.js';

for (const runtime of BUILTIN_RUNTIMES) {
  test(`the row of ${runtime.name} would be accepted from the administrator`, () => {
    const { name, kind, protocol, command, extensions, markers, environment, concurrency } =
      runtime;
    const table = { kind, protocol, command, extensions, markers, environment };
    const row = { ...table, concurrency: BigInt(concurrency) };
    const parsed = mainFileSchema.safeParse({ runtimes: { [name]: row } });
    assert.deepEqual(parsed.error?.issues, undefined);
  });

  test(`${runtime.name} starts a program by its absolute path or in the application`, () => {
    assert.match(runtime.command[0] ?? '', /^(\/usr\/s?bin\/[a-z0-9-]+|\.\/\{entry\})$/);
  });

  test(`${runtime.name} has what its kind needs`, () => {
    const isScript = runtime.kind === 'script';
    assert.equal(runtime.extensions.length > 0, isScript);
    assert.equal(runtime.markers.length > 0, !isScript);
  });
}

test('every need can be sent to a launcher, and says how it is met', () => {
  const rows = BUILTIN_RUNTIMES.flatMap((runtime) => [runtime, ...(runtime.variants ?? [])]);
  const needs = rows.flatMap((row) => row.needs ?? []);
  assert.ok(needs.length > 0);
  for (const { what, paths, remedy } of needs) {
    for (const path of paths) assert.match(path, /^(?:~\/)?[A-Za-z0-9._*/-]+$/, what);
    assert.match(remedy, /apt-get install [a-z]|python3 -m venv/);
  }
});

test('every program of ours that a command names is there', () => {
  const commands = BUILTIN_RUNTIMES.flatMap(({ command, variants = [] }) => [
    command,
    ...variants.map((variant) => variant.command),
  ]);
  const named = withLibexec(commands.flat().filter((word) => word.startsWith('{libexec}')));
  assert.ok(named.length > 0);
  for (const path of named) assert.ok(existsSync(path), path);
});
