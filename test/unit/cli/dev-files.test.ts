// Which files `usherd dev` sends as they are: those that Apache would, of every kind of application.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { plainFile } from '../../../src/cli/dev-files.js';
import { BUILTIN_RUNTIMES } from '../../../src/runtimes/index.js';
import { testConfig } from '../../support/config.js';

const runtimes = new Map(BUILTIN_RUNTIMES.map((row) => [row.name, row]));
const config = testConfig({ runtimes });

interface Site {
  /** The name that is sent below the directory, '/' for the way to one, undefined for what usherd answers. */
  readonly sent: (path: string) => string | undefined;
}

function siteOf(t: TestContext, files: Readonly<Record<string, string>>): Site {
  const directory = mkdtempSync(join(tmpdir(), 'usherd-dev-files-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, dirname(name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  symlinkSync('/nonexistent', join(directory, 'dangling.html'));
  const sent = (path: string): string | undefined => {
    const found = plainFile(config, directory, path);
    if (found?.kind === 'directory') return '/';
    return found?.path.toString().slice(directory.length + 1);
  };
  return { sent };
}

test('a directory of files is a site', (t) => {
  const { sent } = siteOf(t, { 'index.html': '', 'a/b.css': '', 'b/index.html': '', 'ü.txt': '' });
  assert.equal(sent('/'), 'index.html');
  assert.equal(sent(''), '/');
  assert.equal(sent('/a/b.css'), 'a/b.css');
  assert.equal(sent('/b'), '/');
  assert.equal(sent('/b/'), 'b/index.html');
  assert.equal(sent('/a/'), undefined);
  assert.equal(sent('/none.css'), undefined);
  assert.equal(sent('/dangling.html'), undefined);
  assert.equal(sent('/index.html/x'), undefined);
  assert.equal(sent(`/${'x'.repeat(5_000)}`), undefined);
  assert.equal(sent(Buffer.from('/ü.txt').toString('latin1')), 'ü.txt');
});

test('scripts, settings, hidden files and what editors leave are not sent', (t) => {
  const names = [
    ...['a.php', 'a.php.jpg', 'a.PHP', 'a.cgi', 'a.pl', 'cgi-bin/a.txt', 'usherd.toml', '.env'],
    ...[
      '.git/config',
      'x/.htpasswd',
      'restart.txt',
      'a.txt~',
      '#a.txt#',
      'a.bak',
      'a.inc',
      'a.swp',
    ],
  ];
  const { sent } = siteOf(t, Object.fromEntries(names.map((name) => [name, ''])));
  for (const name of names) assert.equal(sent(`/${name}`), undefined, name);
});

test('an index script is usherd’s, and files beside it are sent', (t) => {
  const { sent } = siteOf(t, { 'index.php': '', 'index.html': '', 'app.js': '', 'a.css': '' });
  assert.equal(sent('/'), undefined);
  assert.equal(sent('/app.js'), 'app.js', 'with an index.php it is for browsers');
  assert.equal(sent('/a.css'), 'a.css');
});

for (const marker of BUILTIN_RUNTIMES.flatMap(({ markers }) => markers)) {
  test(`of an application with ${marker} only public/ is sent`, (t) => {
    const bare = siteOf(t, { [marker]: '', 'a.css': '' });
    for (const path of ['', '/', `/${marker}`, '/a.css']) assert.equal(bare.sent(path), undefined);
    const { sent } = siteOf(t, { [marker]: '', 'a.css': '', 'public/b.css': '' });
    assert.equal(sent('/b.css'), 'public/b.css');
    for (const path of [`/${marker}`, '/a.css', '/public/b.css', '/../a.css']) {
      assert.equal(sent(path), undefined, path);
    }
  });
}

test('a manifest that names a program, or that cannot be read, hides the directory', (t) => {
  for (const manifest of ['command = ["./serve"]', 'runtime = "python"', 'runtime = "x"', '[[']) {
    const { sent } = siteOf(t, { 'usherd.toml': manifest, 'a.css': '', 'index.php': '' });
    assert.equal(sent('/a.css'), undefined, manifest);
  }
  const { sent } = siteOf(t, { 'usherd.toml': 'runtime = "php"', 'a.css': '' });
  assert.equal(sent('/a.css'), 'a.css');
});

test('a directory whose .htaccess denies it is not sent', (t) => {
  const files = { 'data/.htaccess': 'Require all denied\n', 'data/a.txt': '', 'data/b/c.txt': '' };
  const { sent } = siteOf(t, { ...files, 'd/e/.htaccess': '  deny from all', 'd/e/f.txt': '' });
  for (const path of ['/data/a.txt', '/data/b/c.txt', '/d/e/f.txt']) {
    assert.equal(sent(path), undefined, path);
  }
});
