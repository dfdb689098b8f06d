// gitweb as a visitor uses it: a CGI program in Perl whose addresses are paths, with a style sheet beside it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { attributes } from '../support/applications/browser.js';
import { Site } from '../support/applications/site.js';
import { noApache } from '../support/apache.js';
import { needsRoot } from '../support/needs-root.js';

const missing = ['/usr/share/gitweb/gitweb.cgi', '/usr/bin/git', '/usr/sbin/fcgiwrap'].find(
  (path) => !existsSync(path),
);
const noGitweb = missing === undefined ? false : `${missing} is not installed`;

/** A bare one, as it is pushed to: gitweb's addresses then have no name that begins with a dot. */
function layRepository(userDirectory: string): void {
  const work = join(userDirectory, 'work');
  const git = (...args: readonly string[]): void => {
    const identity = ['-c', 'user.name=Someone', '-c', 'user.email=someone@example.test'];
    execFileSync('/usr/bin/git', [...identity, ...args], { stdio: 'pipe', cwd: userDirectory });
  };
  mkdirSync(work);
  git('init', '-q', '-b', 'main', work);
  writeFileSync(join(work, 'hello.txt'), 'Hello from a repository.\n');
  git('-C', work, 'add', '.');
  git('-C', work, 'commit', '-q', '-m', 'the first change');
  git('clone', '-q', '--bare', work, join(userDirectory, 'repositories/demo.git'));
}

describe('gitweb', { skip: needsRoot || noApache || noGitweb }, () => {
  let site: Site;
  before(async () => {
    site = await Site.start('git', (directory, userDirectory) => {
      const web = join(directory, 'public');
      mkdirSync(web, { recursive: true });
      cpSync('/usr/share/gitweb/gitweb.cgi', join(web, 'index.cgi'));
      chmodSync(join(web, 'index.cgi'), 0o755);
      cpSync('/usr/share/gitweb/static', join(web, 'static'), { recursive: true });
      layRepository(userDirectory);
      const settings = [
        `$projectroot = "${userDirectory}/repositories";`,
        '$feature{"pathinfo"}{"default"} = [1];',
        '@stylesheets = ("/static/gitweb.css"); $logo = "/static/git-logo.png";',
        '$favicon = "/static/git-favicon.png"; $javascript = "/static/gitweb.js";',
      ];
      writeFileSync(join(directory, 'gitweb.conf'), settings.join('\n'));
      const manifest = `[env]\nGITWEB_CONFIG = "${directory}/gitweb.conf"\n`;
      writeFileSync(join(directory, 'usherd.toml'), manifest);
    });
  });
  after(() => site.stop());

  test('its address lists the repositories', async () => {
    const page = await site.browser.get('/');
    assert.equal(page.status, 200, page.text.slice(0, 500));
    assert.match(page.text, /href="\/demo\.git"/);
  });

  test('styles, scripts and pictures come from Apache', async () => {
    const { text } = await site.browser.get('/');
    const needed = [
      ...attributes(text, /<link[^>]*rel="stylesheet"[^>]*href="([^"]+)"/g),
      ...attributes(text, /<script[^>]*src="([^"]+)"/g),
      ...attributes(text, /<img[^>]*src="([^"]+)"/g),
    ];
    assert.ok(needed.length >= 2, needed.join(' '));
    for (const path of needed) {
      const { status, type } = await site.browser.get(path);
      assert.equal(status, 200, path);
      assert.match(type, /^(?:text\/css|application\/javascript|text\/javascript|image\/)/, path);
    }
  });

  test('repository, change and file have addresses of their own', async () => {
    const summary = await site.browser.get('/demo.git');
    assert.match(summary.text, /the first change/);
    const [commit = ''] = attributes(summary.text, /href="(\/demo\.git\/commit\/[0-9a-f]{40})"/g);
    const change = await site.browser.get(commit);
    assert.equal(change.status, 200);
    assert.match(change.text, /someone@example\.test/);
    const blob = await site.browser.get('/demo.git/blob/HEAD:/hello.txt');
    assert.match(blob.text, /Hello&nbsp;from&nbsp;a&nbsp;repository/);
    const plain = await site.browser.get('/demo.git/blob_plain/HEAD:/hello.txt');
    assert.deepEqual([plain.status, plain.text], [200, 'Hello from a repository.\n']);
  });

  test('an archive is streamed, and what is not there is a 404 of its own', async () => {
    const archive = await site.browser.get('/demo.git/snapshot/HEAD.tar.gz');
    assert.equal(archive.status, 200);
    assert.match(archive.type, /^application\/x-gzip/);
    const missingPage = await site.browser.get('/?p=nothing.git;a=summary');
    assert.equal(missingPage.status, 404);
    assert.match(missingPage.text, /No such project/);
  });

  test('neither its settings nor the program nor a repository is sent out', async () => {
    for (const path of [
      '/gitweb.conf',
      '/../gitweb.conf',
      '/usherd.toml',
      '/static/../index.cgi',
    ]) {
      const { text } = await site.browser.get(path);
      assert.doesNotMatch(text, /projectroot|GITWEB_CONFIG|#!\/usr\/bin\/perl/, path);
    }
  });
});
