// The rows of the built-in runtimes are sound: what the administrator's could not say, they do not say either.
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
    assert.match(runtime.command[0] ?? '', /^(\/usr\/s?bin\/[a-z-]+|\.\/\{entry\})$/);
  });

  test(`${runtime.name} has what its kind needs`, () => {
    const isScript = runtime.kind === 'script';
    assert.equal(runtime.extensions.length > 0, isScript);
    assert.equal(runtime.markers.length > 0, !isScript);
  });
}

test('only protocols that workers are spoken to in are built in', () => {
  assert.deepEqual(new Set(BUILTIN_RUNTIMES.map(({ protocol }) => protocol)), new Set(['fastcgi']));
});
