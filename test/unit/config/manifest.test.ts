// What an application may say for itself, and what happens to everything else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifest, type AppLimits, type Manifest } from '../../../src/config/index.js';
import { DEFAULTS } from '../../../src/config/defaults.js';

const LIMITS: AppLimits = DEFAULTS.limits;

function accepted(text: string, limits: AppLimits = LIMITS): Manifest {
  const parsed = parseManifest(text, limits);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.manifest;
}

function assertRefused(text: string, found = /./): void {
  const parsed = parseManifest(text, LIMITS);
  assert.ok(!parsed.ok, `accepted: ${text.slice(0, 80)}`);
  assert.ok(parsed.findings.length >= 1 && parsed.findings.length <= 10);
  assert.match(JSON.stringify(parsed.findings), found);
}

test('an empty manifest says nothing', () => {
  assert.deepEqual(accepted(''), {
    environment: new Map(),
    php: new Map(),
    limits: {},
  });
});

test('everything that may be said arrives', () => {
  const manifest = accepted(`
    runtime = "python"
    command = ["bin/serve", "--fast", ""]
    protocol = "http"
    mode = "development"
    min_workers = 0
    concurrency = 16
    buffer_requests = false
    front_controller = "app/front.php"
    [env]
    LD_LIBRARY_PATH = "./lib"
    GREETING = "grüß Gott"
    [limits]
    queue_timeout = "5s"
    max_body = "1MiB"
  `);
  assert.equal(manifest.runtime, 'python');
  assert.deepEqual(manifest.command, ['./bin/serve', '--fast', '']);
  assert.equal(manifest.protocol, 'http');
  assert.equal(manifest.mode, 'development');
  assert.equal(manifest.concurrency, 16);
  assert.equal(manifest.bufferRequests, false);
  assert.equal(manifest.frontController, 'app/front.php');
  assert.deepEqual(
    [...manifest.environment],
    [
      ['LD_LIBRARY_PATH', './lib'],
      ['GREETING', 'grüß Gott'],
    ],
  );
  assert.deepEqual(manifest.limits, {
    minWorkers: 0,
    queueTimeoutMs: 5_000,
    maxBodyBytes: 1_048_576,
  });
});

test('the front controller can be turned off', () => {
  assert.equal(accepted('front_controller = ""').frontController, '');
});

test('limits can be lowered and not raised (T9)', () => {
  const { limits } = accepted(
    'min_workers = 3\n[limits]\nmax_workers_per_app = 2\nqueue_length = 5000\nidle_timeout = "168h"\npids_max = 10',
  );
  assert.deepEqual(limits, {
    minWorkers: 0,
    maxWorkersPerApp: 2,
    queueLength: 100,
    idleTimeoutMs: 300_000,
    pidsMax: 10,
  });
});

test('where the administrator sets no limit any may be set, and "no limit" does not lift one', () => {
  const text = '[limits]\nmax_body = "5MiB"\nmemory_max = "0"\nmax_requests = 0';
  assert.deepEqual(accepted(text).limits, {
    maxBodyBytes: 5 * 2 ** 20,
    memoryMaxBytes: 0,
    maxRequests: 0,
  });
  const strict = { ...LIMITS, maxBodyBytes: 2 ** 20, memoryMaxBytes: 2 ** 25, maxRequests: 7 };
  assert.deepEqual(accepted(text, strict).limits, {
    maxBodyBytes: 2 ** 20,
    memoryMaxBytes: 2 ** 25,
    maxRequests: 7,
  });
});

test('a limit of the whole user is not an application to set', () => {
  assertRefused('[limits]\nmax_workers_per_user = 1', /max_workers_per_user/);
  assertRefused('[limits]\nmax_workers = 1', /max_workers/);
});

test('a program outside of the application is refused (T12)', () => {
  for (const program of [
    '../../b/apps/y/run',
    './../x',
    'a/../b',
    '/usr/bin/env',
    '//x',
    'a//b',
    'a/',
    './',
    '.',
    '..',
    '',
    'a\\u0000b',
    'a\\nb',
    'x'.repeat(256),
  ]) {
    assertRefused(`command = ["${program}"]`);
  }
  assertRefused('command = []');
  assertRefused('command = "serve"');
  assertRefused('command = [["serve"]]');
  assertRefused('command = ["./a", "b\\nc"]');
  assertRefused(`command = ["./a"${', "b"'.repeat(64)}]`);
  assert.equal(accepted(`command = ["./a"${', "b"'.repeat(63)}]`).command?.length, 64);
});

test('a front controller outside of the web root is refused', () => {
  for (const path of ['../x.php', '/x.php', './x.php', 'a//b.php', 'x/..', 'a\\nb']) {
    assertRefused(`front_controller = "${path}"`);
  }
});

test('variables with bad names or values are refused, and no value is told (T11)', () => {
  assertRefused('[env]\nIFS = "x"');
  assertRefused('[env]\nFCGI_ROLE = "x"');
  assertRefused('[env]\nLISTEN_FDS = "1"');
  assertRefused('[env]\n"A=B" = "x"');
  assertRefused('[env]\n"" = "x"');
  assertRefused('[env]\n"A\\nB" = "x"');
  assertRefused('[env]\nA = "x\\nLD_PRELOAD=y"');
  assertRefused('[env]\nA = "x\\u0000y"');
  assertRefused('[env]\nA = 1');
  assertRefused('[env.A]\nB = "x"');
  assertRefused('env = "x"');
  assertRefused('[[env]]\nA = "x"');
  const parsed = parseManifest('[env]\nA = "hush\\nhush"', LIMITS);
  assert.doesNotMatch(JSON.stringify(parsed), /hush/);
});

test('as many variables as fit are accepted, one more is refused', () => {
  const variables = (count: number): string =>
    `[env]\n${Array.from({ length: count }, (_, index) => `V${index} = ""`).join('\n')}`;
  assert.equal(accepted(variables(256)).environment.size, 256);
  assertRefused(variables(257), /at most 256/);
});

test('keys that every object has are refused as keys and change no object (T9)', () => {
  for (const key of ['__proto__', 'constructor']) {
    assertRefused(`${key} = 1`);
    assertRefused(`[${key}]\nLD_PRELOAD = "x"`);
    assertRefused(`[env]\n${key} = "x"`);
    assertRefused(`[env.${key}]\nLD_PRELOAD = "x"`);
    assertRefused(`env = { ${key} = { LD_PRELOAD = "x" } }`);
  }
  assertRefused('toString = 1');
  assertRefused('hasOwnProperty = 1');
  assert.equal(Object.hasOwn(Object.prototype, 'LD_PRELOAD'), false);
});

test('a variable that is called like something every object has is only a variable (T10)', () => {
  assert.equal(accepted('[env]\ntoString = "x"').environment.get('toString'), 'x');
});

test('keys twice, unknown keys and wrong types are refused with their lines (T9)', () => {
  assertRefused('runtime = "php"\nruntime = "perl"', /usherd\.toml:2/);
  assertRefused('\nruntme = "php"', /usherd\.toml:2.*did you mean runtime/);
  assertRefused('[limits]\nqueue_length = 4294967296.5');
  assertRefused('[limits]\nqueue_length = -0');
  assertRefused('[limits]\nqueue_length = 1e308');
  assertRefused('[limits]\nqueue_length = 123456789012345678901234567890');
  assertRefused('runtime = 1979-05-27');
  assertRefused('connect = "tcp:/run/x"');
});

test('a byte order mark is skipped, half a surrogate pair is refused (T9)', () => {
  assert.equal(accepted('\ufeffruntime = "php"').runtime, 'php');
  assertRefused('[env]\nA = "\ud800"');
  assertRefused('[env]\nA = "\\ud800"');
});

test('sixteen KiB are accepted, one byte more is refused, in bytes and not in characters (T8)', () => {
  assert.equal(accepted(`#${'x'.repeat(16_383)}`).mode, undefined);
  assertRefused(`#${'x'.repeat(16_384)}`, /16384/);
  assertRefused(`#${'ü'.repeat(8_192)}`, /16384/);
});

test('roles are a short list of names, each once', () => {
  const manifestOf = (text: string) => parseManifest(text, DEFAULTS.limits);
  const parsed = manifestOf('roles = ["filter", "authorizer"]');
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.manifest.roles, ['authorizer', 'filter']);
  for (const wrong of [
    ...['[]', '"authorizer"', '["responder", "responder"]', '["Responder"]', '[1]', '[[]]'],
    `[${'"x", '.repeat(2_000)}"x"]`,
  ]) {
    const refused = manifestOf(`roles = ${wrong}`);
    assert.ok(!refused.ok, wrong.slice(0, 40));
    assert.equal(refused.findings.length, 1);
  }
});

for (const [written, mask] of [
  ['"0022"', 0o022],
  ['"027"', 0o027],
  ['"0777"', 0o777],
  ['"0002"', undefined],
  ['"0020"', undefined],
  ['"00022"', undefined],
  ['"1022"', undefined],
  ['"0028"', undefined],
  ['18', undefined],
] as const) {
  test(`umask = ${written} is ${mask === undefined ? 'refused' : 'taken'}`, () => {
    const parsed = parseManifest(`umask = ${written}`, LIMITS);
    assert.equal(parsed.ok ? parsed.manifest.umask : undefined, mask);
    assert.equal(parsed.ok, mask !== undefined);
  });
}
