// What a launcher is told to exec: sizes, lines and paths, refused here before the launcher sees them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { encodeProgram, type Program } from '../../../src/privdrop/launcher-program.js';

const encode = (program: Partial<Program>): string =>
  encodeProgram({ umask: 0o27, environment: [], argv: ['/bin/true'], ...program });

const refused = { code: 'E_START_FAILED' };

describe('a program for the launcher', () => {
  it('is umask, counts, folders, environment and argv, a line each', () => {
    const argv = ['./a', 'b c', ''];
    const text = encode({ umask: 0, folders: ['/t/1'], environment: ['A='], argv });
    assert.equal(text, '0000\n1\n0\n1\n0\n3\n0\n/t/1\nA=\n./a\nb c\n\n');
  });

  it('has walls that begin with a program, as many as allowed and not one more', () => {
    const walls = ['/usr/bin/bwrap', '--proc', '/proc'];
    assert.equal(
      encode({ walls }),
      '0027\n0\n3\n0\n0\n1\n0\n/usr/bin/bwrap\n--proc\n/proc\n/bin/true\n',
    );
    for (const program of ['bwrap', './bwrap', '', '-x']) {
      assert.throws(() => encode({ walls: [program] }), refused);
    }
    assert.throws(() => encode({ walls: ['/usr/bin/bwrap', 'a\nb'] }), refused);
    const most = Array.from({ length: LIMITS.wallsMaxCount }, () => '/x');
    encode({ walls: most });
    assert.throws(() => encode({ walls: [...most, '/x'] }), refused);
  });

  it('has needs, a line each, between environment and argv', () => {
    const needs = [{ what: 'a', paths: ['/usr/lib*/a-1_2.so', 'venv/x'], remedy: '' }];
    const text = encode({ needs, environment: ['A='], isRehearsal: true });
    assert.equal(text, '0027\n0\n0\n1\n1\n1\n1\nA=\n/usr/lib*/a-1_2.so:venv/x\n/bin/true\n');
  });

  for (const path of [
    '/a b',
    '/a\n/b',
    '/a:/b',
    '$HOME',
    '`id`',
    '/a[b]',
    '~/a',
    '',
    '/a;b',
    "/'",
  ]) {
    it(`has no need at ${JSON.stringify(path)}`, () => {
      assert.throws(() => encode({ needs: [{ what: 'a', paths: [path], remedy: '' }] }), refused);
    });
  }

  for (const folder of ['', 'a', '/', '/a/', '/a//b', '/a/../b', './a', '/a\nb']) {
    it(`has no folder ${JSON.stringify(folder)}`, () => {
      assert.throws(() => encode({ folders: [folder] }), refused);
    });
  }

  for (const text of ['a\nb', 'a\0b']) {
    it(`has no ${JSON.stringify(text)} (T11)`, () => {
      assert.throws(() => encode({ argv: ['/bin/true', text] }), refused);
      assert.throws(() => encode({ environment: [`A=${text}`] }), refused);
    });
  }

  for (const setting of ['', 'A', '=b', '1=b', 'A B=c', '-f=x']) {
    it(`has no variable ${JSON.stringify(setting)}`, () => {
      assert.throws(() => encode({ environment: [setting] }), refused);
    });
  }

  for (const path of ['/usr/bin/php8.2', './app.fcgi', './bin/..x/run', '/opt/a b/c']) {
    it(`may be ${path}`, () => assert.ok(encode({ argv: [path] }).endsWith(`\n${path}\n`)));
  }
  for (const path of [
    ...['', 'app.fcgi', '../b/run', './../b/run', '/usr/../bin/x', './a/./b', '/', './'],
    ...['//bin/true', '/bin/true/', '~/x', '-c', '/a=b', '/bin/..'],
  ]) {
    it(`may not be ${JSON.stringify(path)} (T12)`, () => {
      assert.throws(() => encode({ argv: [path] }), refused);
    });
  }

  it('has an argv', () => assert.throws(() => encode({ argv: [] }), refused));

  for (const umask of [-1, 0o1000, 1.5, Number.NaN]) {
    it(`has no umask ${umask}`, () => assert.throws(() => encode({ umask }), refused));
  }

  it('has as many variables, words and bytes as allowed, and not one more (T46)', () => {
    const environment = Array.from({ length: LIMITS.environmentMaxCount }, (_, i) => `A${i}=`);
    encode({ environment });
    assert.throws(() => encode({ environment: [...environment, 'B='] }), refused);
    const argv = Array.from({ length: LIMITS.argvMaxCount }, () => '/x');
    encode({ argv });
    assert.throws(() => encode({ argv: [...argv, 'x'] }), refused);
    const room = LIMITS.environmentMaxBytes - '/bin/true\n'.length - 'A=\n'.length;
    encode({ environment: [`A=${'x'.repeat(room)}`] });
    assert.throws(() => encode({ environment: [`A=${'x'.repeat(room + 1)}`] }), refused);
    assert.throws(() => encode({ environment: [`A=${'ü'.repeat(room / 2 + 1)}`] }), refused);
  });
});
