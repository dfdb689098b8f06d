// libexec/procfile.sh: the `web:` line of a Procfile may be whatever a shell takes, and its program hears of the end.
import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratchDirectory } from '../../support/scratch.js';

const SCRIPT = fileURLToPath(new URL('../../../../libexec/procfile.sh', import.meta.url));

/** Started as a worker is: a process group of its own. Descriptor 0 is a pipe in place of the socket. */
function start(t: TestContext, procfile: string): ChildProcessByStdio<Writable, Readable, null> {
  const cwd = scratchDirectory(t);
  mkdirSync(join(cwd, 'app'));
  writeFileSync(join(cwd, 'Procfile'), procfile);
  const child = spawn('/bin/sh', [SCRIPT, '/preload.cjs'], {
    ...{ cwd, detached: true, env: { PATH: '/usr/bin:/bin' } },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

const LINES = [
  ['a command', 'web: echo $NODE_OPTIONS', '--require=/preload.cjs'],
  ['one among others, without a space', 'worker: false\nweb:echo here\nlater: false', 'here'],
  ['an assignment before it', 'web: GREETING=hello printenv GREETING', 'hello'],
  ['a list of commands', 'web: cd app && basename "$PWD"', 'app'],
  ['one after the other', 'web: cd app; basename "$PWD"', 'app'],
  ['a "=" further on', 'web: echo --workers=2', '--workers=2'],
] as const;

for (const [what, procfile, expected] of LINES) {
  test(`the line is ${what}: it is run as the shell understands it`, async (t) => {
    const child = start(t, procfile);
    assert.equal(await text(child.stdout), `${expected}\n`);
  });
}

for (const begin of ['', 'WAYS=2 ', 'cd app && ']) {
  test(`a program of "web: ${begin}…" ends its work when the group has TERM, and that is waited for`, async (t) => {
    const program = `sh -c 'trap "echo ended; exit 3" TERM; echo up; read -r line'`;
    const child = start(t, `web: ${begin}${program}\n`);
    assert.equal(String((await once(child.stdout, 'data'))[0]), 'up\n');
    process.kill(-(child.pid ?? assert.fail('not started')), 'SIGTERM');
    const said = text(child.stdout);
    assert.deepEqual(await once(child, 'exit'), [3, null]);
    assert.equal(await said, 'ended\n');
  });
}
