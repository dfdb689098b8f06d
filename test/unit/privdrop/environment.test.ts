// The environment of a worker: exactly what the table says, in layers, without the names that would do harm.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { workerEnvironment } from '../../../src/privdrop/environment.js';

const account = {
  name: 'alice',
  uid: 1_001,
  gid: 1_001,
  home: '/home/alice',
  groups: [],
  hasOwnGroup: true,
  source: 'passwd',
} as const;
const base = { account, app: 'alice/blog', temporaryDirectory: '/var/tmp/alice' } as const;
const none: ReadonlyMap<string, string> = new Map();

const environment = (
  manifest: Iterable<readonly [string, string]>,
  runtime: Readonly<Record<string, string>> = {},
): string[] => workerEnvironment({ ...base, runtime, manifest: new Map(manifest) });

const refused = { code: 'E_ACCESS_REFUSED' };

describe('the environment of a worker', () => {
  it('is these eight variables when nobody adds one', () => {
    assert.deepEqual(environment([]), [
      'PATH=/usr/local/bin:/usr/bin:/bin',
      'HOME=/home/alice',
      'USER=alice',
      'LOGNAME=alice',
      'SHELL=/bin/sh',
      'LANG=C.UTF-8',
      'TMPDIR=/var/tmp/alice',
      'USHERD_APP=alice/blog',
    ]);
  });

  it('takes the runtime before the application, one value a name, from maps and records', () => {
    const lines = environment([['RACK_ENV', 'test']], { RACK_ENV: 'production', FCGI_ROLE: 'x' });
    assert.deepEqual(lines.slice(8), ['RACK_ENV=test', 'FCGI_ROLE=x']);
    const runtime = new Map([['LISTEN_FDS', '1']]);
    const other = workerEnvironment({ ...base, runtime, manifest: none, lang: 'de_DE.UTF-8' });
    assert.deepEqual(other.slice(8), ['LISTEN_FDS=1']);
    assert.ok(other.includes('LANG=de_DE.UTF-8'));
  });

  it('lets the application choose loader variables: only its own process sees them', () => {
    assert.ok(environment([['LD_PRELOAD', './x.so']]).includes('LD_PRELOAD=./x.so'));
  });

  it('ignores what a record inherits (T10)', () => {
    const runtime = Object.create({ LD_PRELOAD: '/evil.so' }) as Record<string, string>;
    assert.equal(workerEnvironment({ ...base, runtime, manifest: none }).length, 8);
  });

  for (const name of ['', 'A=B', '1A', 'A B', 'Ä', 'A\n', 'A'.repeat(257), '__proto__é']) {
    it(`has no variable called ${JSON.stringify(name.slice(0, 20))} (T11)`, () => {
      assert.throws(() => environment([[name, 'x']]), refused);
      assert.throws(() => environment([], { [name]: 'x' }), refused);
    });
  }

  for (const name of [
    'IFS',
    'ENV',
    'BASH_ENV',
    'BASH',
    'BASH_FUNC_x',
    'PWD',
    'UID',
    'SHLVL',
    '_',
  ]) {
    it(`leaves ${name} to the shell`, () => {
      assert.throws(() => environment([[name, 'x']]), refused);
      assert.throws(() => environment([], { [name]: 'x' }), refused);
    });
  }

  for (const name of [
    'USHERD_APP',
    'FCGI_WEB_SERVER_ADDRS',
    'PHP_FCGI_CHILDREN',
    'NOTIFY_SOCKET',
    'LISTEN_FDS',
  ]) {
    it(`does not take ${name} from an application`, () => {
      assert.throws(() => environment([[name, 'x']]), refused);
    });
  }

  for (const value of ['a\nLD_PRELOAD=/evil.so', 'a\0b']) {
    it(`has no value ${JSON.stringify(value)} (T11)`, () => {
      assert.throws(() => environment([['A', value]]), refused);
      assert.throws(
        () =>
          workerEnvironment({ ...base, temporaryDirectory: value, runtime: {}, manifest: none }),
        refused,
      );
    });
  }

  it('has names of 256 characters, and as many variables as allowed, and not one more', () => {
    assert.equal(environment([['A'.repeat(256), '']]).length, 9);
    const names = Array.from({ length: LIMITS.environmentMaxCount - 8 }, (_, i) => `A${i}`);
    const full = names.map((name) => [name, ''] as const);
    assert.equal(environment(full).length, LIMITS.environmentMaxCount);
    assert.throws(() => environment([...full, ['B', '']]), refused);
  });
});
