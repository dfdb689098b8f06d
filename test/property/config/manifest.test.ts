// A manifest is a tenant's text: whatever it is, parsing ends quickly, throws nothing and gives nothing out of bounds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULTS } from '../../../src/config/defaults.js';
import {
  parseManifest,
  type AppLimits,
  type Manifest,
  type ParsedManifest,
} from '../../../src/config/index.js';
import type { Finding } from '../../../src/errors.js';

const LIMITS: AppLimits = { ...DEFAULTS.limits, maxBodyBytes: 2 ** 30, maxRequests: 1_000 };
const UNLIMITED_BY_ZERO = new Set(['maxRequests', 'maxBodyBytes', 'memoryMaxBytes']);
const LENGTH_MAX = 16_384;
const BUDGET_MS = 10;

function assertInBounds(parsed: ParsedManifest): void {
  if (parsed.ok) assertManifestInBounds(parsed.manifest);
  else assertFindingsInBounds(parsed.findings);
}

function assertFindingsInBounds(findings: readonly Finding[]): void {
  assert.ok(findings.length >= 1 && findings.length <= 10);
  for (const finding of findings) {
    assert.ok(JSON.stringify(finding).length < 2_000);
    assert.match(finding.path ?? '', /^usherd\.toml(:\d+)?$/);
  }
}

function assertManifestInBounds({ limits, command = ['./x'], environment }: Manifest): void {
  for (const [field, value] of Object.entries(limits)) {
    const limit = LIMITS[field as keyof AppLimits];
    const isUnlimited = limit === 0 && UNLIMITED_BY_ZERO.has(field);
    assert.ok(Number.isSafeInteger(value) && value >= 0 && (isUnlimited || value <= limit), field);
  }
  assert.match(command[0] ?? '', /^\.\//);
  assert.doesNotMatch(command.join(' '), /[\n\0]/);
  for (const [name, value] of environment) {
    assert.match(name, /^[A-Za-z_]\w*$/);
    assert.doesNotMatch(value, /[\n\r\0]/);
  }
}

test('any text is parsed or refused, never thrown over', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
      assertInBounds(parseManifest(text, LIMITS));
    }),
    { numRuns: 2_000 },
  );
});

test('any text made of pieces of TOML is parsed or refused, never thrown over', () => {
  const piece = fc.constantFrom(
    ...[
      '[',
      ']',
      '[[',
      ']]',
      '{',
      '}',
      '=',
      '.',
      ',',
      '"',
      "'",
      '"""',
      "'''",
      '\\',
      '#',
      '\n',
      ' ',
    ],
    ...[
      'env',
      'limits',
      'command',
      'runtime',
      'queue_length',
      'max_body',
      '"0"',
      '"1KiB"',
      '"30s"',
    ],
    ...['__proto__', 'constructor', '1', '-0', '1e308', 'nan', 'true', '1979-05-27', '\ufeff'],
    ...['[env]\n', '[limits]\n', 'A = "x"\n', 'command = ["a"]\n', 'pids_max = 9\n', '\ud800'],
  );
  const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, (written) => assertInBounds(parseManifest(written, LIMITS))),
    { numRuns: 5_000 },
  );
  assert.deepEqual(Object.keys(Object.prototype), []);
});

test('any limit in any unit ends within the bounds of the administrator', () => {
  const key = fc.constantFrom(
    ...['max_workers_per_app', 'min_workers', 'queue_length', 'max_requests', 'pids_max'],
  );
  fc.assert(
    fc.property(key, fc.bigInt({ min: -10n, max: 2n ** 80n }), (name, value) => {
      assertInBounds(parseManifest(`[limits]\n${name} = ${value}`, LIMITS));
    }),
  );
  const sized = fc.tuple(fc.nat(), fc.constantFrom('B', 'KiB', 'MiB', 'GiB', 'TiB', ''));
  fc.assert(
    fc.property(sized, ([value, unit]) => {
      assertInBounds(parseManifest(`[limits]\nmax_body = "${value}${unit}"`, LIMITS));
    }),
  );
});

const filled = (piece: string, before = '', after = ''): string => {
  const room = LENGTH_MAX - before.length - after.length;
  return before + piece.repeat(Math.floor(room / piece.length)) + after;
};

const filledWithKeys = (before: string): string =>
  Array.from({ length: 1_100 }, (_, index) => `x${index}=1`).reduce(
    (text, line) => `${text}${line}\n`,
    before,
  );

const HOSTILE: Readonly<Record<string, string>> = {
  'open brackets': filled('['),
  'open brackets as a value': filled('[', 'a='),
  'open braces as a value': filled('{a=', 'a='),
  'nested tables that are closed': `a=${'{a='.repeat(4_000)}1${'}'.repeat(4_000)}`,
  'a deep dotted key': filled('a.', '', 'a=1'),
  'a deep header': filled('a.', '[', 'a]'),
  'a deep header with keys below': filled('b=1\n', `[${'a.'.repeat(4_000)}a]\n`),
  'many headers': Array.from({ length: 2_300 }, (_, index) => `[x${index}]`).join('\n'),
  'arrays of tables': filled('[[a]]\n'),
  'nested arrays of tables': filled('[[a]]\n[[a.b]]\n[[a.b.c]]\n'),
  'unknown keys': Array.from({ length: 1_800 }, (_, index) => `k${index}=1`).join('\n'),
  'long unknown keys': Array.from({ length: 300 }, (_, i) => `${'k'.repeat(40)}${i}=1`).join('\n'),
  'keys below a long header': filledWithKeys(`["${'k'.repeat(8_000)}"]\n`),
  'a list below a long key': filled('0,', `"${'k'.repeat(8_000)}"=[`, ']'),
  'variables with bad names': `[env]\n${Array.from({ length: 1_400 }, (_, i) => `"${i}"=""`).join('\n')}`,
  'variables with bad values': `[env]\n${Array.from({ length: 1_800 }, (_, i) => `v${i}=1`).join('\n')}`,
  'a number without an end': filled('9', 'concurrency='),
  'a hexadecimal number without an end': filled('f', 'concurrency=0x'),
  'numbers without an end in many keys': filled(`x${'9'.repeat(50)}=${'9'.repeat(4_000)}\n`),
  'a string without an end': filled('x', 'runtime="'),
  'a multi-line string without an end': filled('\n', 'runtime="""'),
  'quotes only': filled('"'),
  'escapes only': filled('\\u0041', 'runtime="', '"'),
  'comments only': filled('#\n'),
  'empty lines only': filled('\n'),
  'a long list': filled('"",', 'command=["a",', ']'),
  'a list of lists': filled('[],', 'command=[', ']'),
  'commas only': filled(',', 'command=['),
  'the same key': filled('a=1\n'),
  'a duration of digits': filled('1', '[limits]\nqueue_timeout="', 's"'),
  'a path of dots': filled('./', 'command=["', 'x"]'),
  'a front controller of slashes': filled('a/', 'front_controller="', 'x"'),
  'halves of surrogate pairs': filled('\ud800', 'runtime="', '"').slice(0, 5_000),
  'too long by far': '['.repeat(60_000),
};

const TURNS_MAX = 20;

/** Processor time of the quickest of a few turns: what else the machine does is not the text's fault. */
function quickestMs(text: string): number {
  let quickestUs = Infinity;
  for (let turn = 0; turn < TURNS_MAX && quickestUs > (BUDGET_MS * 1_000) / 2; turn += 1) {
    const before = process.cpuUsage();
    parseManifest(text, LIMITS);
    const { user, system } = process.cpuUsage(before);
    quickestUs = Math.min(quickestUs, user + system);
  }
  return quickestUs / 1_000;
}

for (const [name, text] of Object.entries(HOSTILE)) {
  test(`hostile text takes less than ${BUDGET_MS} ms: ${name} (T9)`, () => {
    const parsed = parseManifest(text, LIMITS);
    assertInBounds(parsed);
    const ms = quickestMs(text);
    assert.ok(ms < BUDGET_MS, `${ms.toFixed(1)} ms`);
  });
}

test('random text of full length takes less than 10 ms', () => {
  const line = fc.constantFrom(
    ...['[limits]\n', '[env]\n', 'a="b"\n', 'a.b.c=[1,2,{x=1}]\n', '[[t]]\n', '# comment\n'],
    ...['"k\\u0041"=1\n', "s='''x\ny'''\n", 'z={a={b={c=1}}}\n', 'n=123456789\n', '\n'],
  );
  const text = fc
    .array(line, { minLength: 50, maxLength: 400 })
    .map((lines) => lines.join('').repeat(20).slice(0, LENGTH_MAX));
  fc.assert(
    fc.property(text, (written) => quickestMs(written) < BUDGET_MS),
    { numRuns: 100 },
  );
});
