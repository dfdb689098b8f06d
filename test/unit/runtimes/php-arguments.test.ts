// The settings of a php-cgi: which source wins, how values travel, what is a php-cgi at all.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isPhp, phpProgram, type PhpInput } from '../../../src/runtimes/php-arguments.js';
import { privateFolders, userDirectory } from '../../../src/runtimes/private-folders.js';
import { testConfig } from '../../support/config.js';

const config = testConfig({
  php: { openBasedir: ['{user_directory}', '/usr/'], settings: new Map([['precision', '3']]) },
});

const program = (input: Partial<PhpInput> = {}): ReturnType<typeof phpProgram> =>
  phpProgram(['/usr/bin/php-cgi'], {
    config,
    userDirectory: '/srv/alice',
    folders: privateFolders(config, 1001, { app: 'alice/blog', isIsolated: false }),
    settings: new Map(),
    isDevelopment: false,
    concurrency: 1,
    ...input,
  });

/** The value that PHP ends up with. */
function valueOf(name: string, input: Partial<PhpInput> = {}): string | undefined {
  const { argv, environment } = program(input);
  const word = argv.find((it) => it.startsWith(`-d${name}=`));
  const value = word?.slice(name.length + 3);
  const [, variable] = /^\$\{(\w+)\}$/.exec(value ?? '') ?? [];
  if (variable !== undefined) return environment[variable];
  return value?.replace(/^"(.*)"$/, '$1');
}

describe('the settings of php-cgi', () => {
  test('the application may change defaults, but not what keeps users apart', () => {
    const settings = new Map([
      ['expose_php', '1'],
      ['open_basedir', '/'],
      ['error_log', '/x'],
      ['precision', '9'],
    ]);
    assert.equal(valueOf('expose_php', { settings }), '1');
    assert.equal(
      valueOf('open_basedir', { settings }),
      '/srv/alice/:/usr/:/var/lib/usherd/users/1001/',
    );
    assert.equal(valueOf('error_log', { settings }), '');
    assert.equal(valueOf('precision', { settings }), '3', 'the administrator has the last word');
  });

  test('each name is said once', () => {
    const settings = new Map([['open_basedir', '/']]);
    const names = program({ settings })
      .argv.slice(1)
      .map((word) => word.split('=')[0]);
    assert.equal(new Set(names).size, names.length);
  });

  test('a value that is more than a number or a path is not on the command line', () => {
    for (const value of ['secret', 'a b', '"', '${X}', 'none', '1;2', '-1', 'é']) {
      const { argv, environment } = program({ settings: new Map([['user_agent', value]]) });
      const word = argv.find((it) => it.startsWith('-duser_agent=')) ?? '';
      assert.match(word, /^-duser_agent=\$\{USHERD_PHP_[0-9]+\}$/, value);
      assert.ok(Object.values(environment).includes(value), value);
    }
  });

  test('what the application may not change is said in the argument itself', () => {
    // php.ini, which PHPRC lets an application bring, is asked for ${NAME} before the environment is.
    const values = new Map([
      ['disable_functions', 'exec,system'],
      ['user_agent', 'none'],
      ['from', '"${X}\\'],
    ]);
    const { argv } = program({
      config: testConfig({ php: { openBasedir: [], settings: values } }),
    });
    assert.ok(argv.includes('-ddisable_functions="exec,system"'));
    assert.ok(argv.includes('-duser_agent="none"'));
    assert.ok(argv.some((word) => /^-dfrom=\$\{USHERD_PHP_[0-9]+\}$/.test(word)));
    assert.ok(
      program().argv.includes('-dopen_basedir="/srv/alice/:/usr/:/var/lib/usherd/users/1001/"'),
    );
  });

  test('errors are shown to the visitor in development only', () => {
    assert.equal(valueOf('display_errors'), '0');
    assert.equal(valueOf('display_errors', { isDevelopment: true }), '1');
  });

  test('without places in the configuration, open_basedir is left to php.ini', () => {
    const bare = testConfig({ php: { openBasedir: [], settings: new Map() } });
    assert.equal(valueOf('open_basedir', { config: bare }), undefined);
  });

  test('a worker is one process, or a tree where the administrator wants that', () => {
    assert.equal(program().environment['PHP_FCGI_CHILDREN'], '0');
    assert.equal(program({ concurrency: 4 }).environment['PHP_FCGI_CHILDREN'], '4');
  });

  test('it does not count its requests itself', () => {
    assert.equal(program().environment['PHP_FCGI_MAX_REQUESTS'], '0');
  });

  test('every php-cgi gets them, and nothing else does', () => {
    for (const name of ['php-cgi', 'php-cgi8.2', 'php8.3-cgi', 'php-cgi-8.1', 'php82-cgi']) {
      assert.ok(isPhp([`/usr/bin/${name}`]), name);
    }
    for (const name of ['php', 'php-fpm8.2', 'php-cgi.sh', 'myphp-cgi', 'php8.2']) {
      assert.ok(!isPhp([`/usr/bin/${name}`]), name);
    }
    assert.ok(!isPhp([]));
  });
});

describe("the user's part of a root", () => {
  const roots = ['/srv/{user}/apps/{app}', '/home/{user}/public_html/{app}'];
  for (const [directory, expected] of [
    ['/srv/alice/apps/blog', '/srv/alice'],
    ['/home/alice/public_html/x', '/home/alice'],
    ['/opt/alice/apps/blog', '/opt/alice/apps/blog'],
    ['/srv/bob/apps/blog', '/srv/bob/apps/blog'],
  ] as const) {
    test(`of ${directory}`, () => assert.equal(userDirectory(roots, 'alice', directory), expected));
  }
});
