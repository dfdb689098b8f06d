// The logger, in a process that dies right after its last word.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const LOG = pathToFileURL(join(import.meta.dirname, '../../../src/log.js')).href;

/** The lines that a process writes which logs and is killed at once. */
function logged(statements: string): readonly Record<string, unknown>[] {
  const script = `
    const { createLogger } = await import(${JSON.stringify(LOG)});
    const log = createLogger('info', 'supervisor');
    ${statements}
    process.kill(process.pid, 'SIGKILL');`;
  const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.equal(signal, 'SIGKILL');
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('the last line before a sudden death is written', () => {
  const lines = logged(`for (let n = 0; n < 500; n += 1) log.info({ n }, 'x'.repeat(200));`);
  assert.equal(lines.length, 500);
  assert.equal(lines.at(-1)?.['n'], 499);
});

test('a line says when, who and how loud in words', () => {
  const [line] = logged(`log.warn({ app: 'alice/blog' }, 'hello');`);
  assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(line?.['level'], 'warn');
  assert.equal(line['name'], 'supervisor');
  assert.equal(typeof line['pid'], 'number');
  assert.equal(line['app'], 'alice/blog');
  assert.equal(line['msg'], 'hello');
});

test('what is below the level is not written, what a tenant wrote stays on its line', () => {
  const lines = logged(
    `log.debug('no'); log.info({ text: 'a\\n{"level":"fatal"}\\u001b[2J' }, 'yes');`,
  );
  assert.equal(lines.length, 1);
});
