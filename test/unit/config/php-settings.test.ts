// The [php] table of a manifest: dotted names, kinds of values, and every name that an application may not set.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseManifest } from '../../../src/config/index.js';
import { LIMITS } from '../../../src/limits.js';
import { TEST_LIMITS } from '../../support/config.js';

const parse = (text: string): ReturnType<typeof parseManifest> => parseManifest(text, TEST_LIMITS);

function settingsOf(text: string): ReadonlyMap<string, string> {
  const parsed = parse(text);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.manifest.php;
}

function refusalOf(text: string): string {
  const parsed = parse(text);
  assert.ok(!parsed.ok, text);
  return parsed.findings.map(({ expected }) => expected).join('; ');
}

describe('settings of PHP in a manifest', () => {
  test('are text in the end, with the name that php.ini has', () => {
    const text =
      'memory_limit = "64M"\nmax_input_vars = 9\ndisplay_errors = false\nsession.name = "S"';
    assert.deepEqual(
      [...settingsOf(`[php]\n${text}\n[php.opcache]\njit = "off"`)],
      [
        ['memory_limit', '64M'],
        ['max_input_vars', '9'],
        ['display_errors', '0'],
        ['session.name', 'S'],
        ['opcache.jit', 'off'],
      ],
    );
  });

  for (const name of [
    ...['open_basedir', 'disable_functions', 'disable_classes', 'extension', 'zend_extension'],
    ...['extension_dir', 'enable_dl', 'allow_url_include', 'sys_temp_dir', 'upload_tmp_dir'],
    ...['error_log', 'doc_root', 'user_dir', 'cgi.fix_pathinfo', 'fastcgi.logging', 'ffi.enable'],
    ...['user_ini.filename', 'opcache.file_cache', 'opcache.file_cache_only', 'mail.log'],
    ...['opcache.restrict_api', 'opcache.lockfile_path', 'sp.configuration_file', 'unknown'],
  ]) {
    test(`never have ${name}, and the refusal names it`, () => {
      assert.match(refusalOf(`[php]\n${name} = "x"`), new RegExp(`${name} is none`));
    });
  }

  test('have values of one line, and names that PHP could have', () => {
    for (const value of ['"a\\nb"', '"a\\u0000b"', '[1]', '2020-01-01']) {
      assert.match(refusalOf(`[php]\nuser_agent = ${value}`), /text on one line/, value);
    }
    for (const name of ['"a b"', '""', '"x=y"', '"-d"', '"a..b"', '"é"']) {
      assert.match(refusalOf(`[php]\n${name} = 1`), /names of PHP settings/, name);
    }
    assert.match(refusalOf('php = 1'), /a table/);
  });

  test('take error_reporting as a number only: a constant would be 0', () => {
    assert.match(refusalOf('[php]\nerror_reporting = "E_ALL"'), /32767/);
    assert.equal(settingsOf('[php]\nerror_reporting = 32767').get('error_reporting'), '32767');
  });

  test('are as many as fit, and not one more', () => {
    const lines = (count: number): string =>
      Array.from({ length: count }, (_, index) => `session.x${index} = 1`).join('\n');
    assert.equal(
      settingsOf(`[php]\n${lines(LIMITS.phpSettingsMaxCount)}`).size,
      LIMITS.phpSettingsMaxCount,
    );
    assert.match(refusalOf(`[php]\n${lines(LIMITS.phpSettingsMaxCount + 1)}`), /at most/);
  });
});
