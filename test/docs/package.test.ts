// What `npm pack` would ship: the program, its documents and examples, and nothing of the workshop (T125).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';

const ROOT = join(import.meta.dirname, '../../..');

interface Packed {
  readonly path: string;
  readonly mode: number;
}

describe('the package (T125)', () => {
  let files: readonly Packed[];
  before(() => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'];
    const { status, stdout, stderr } = spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    files =
      (JSON.parse(stdout) as readonly { readonly files: readonly Packed[] }[])[0]?.files ?? [];
  });
  const paths = (): readonly string[] => files.map(({ path }) => path);

  test('has the program and what is needed to run it', () => {
    for (const path of ['bin/usherd', 'dist/src/main.js', 'docs/security.md', 'package.json']) {
      assert.ok(paths().includes(path), path);
    }
  });

  test('has no test, no source, no secret and no leaving of an editor', () => {
    const unwanted =
      /^(?:test|src|scripts|bench|node_modules)\/|^dist\/(?!src\/)|(?:^|\/)\.(?!htaccess$)|\.(?:pem|key|tgz|log|orig|rej|swp|env)$|~$/;
    assert.deepEqual(
      paths().filter((path) => unwanted.test(path)),
      [],
    );
  });

  test('has files that nobody but their owner may write', () => {
    assert.deepEqual(
      files.filter(({ mode }) => (mode & 0o022) !== 0).map(({ path }) => path),
      [],
    );
  });
});
