// Params as we read them, and as libfcgi and php-cgi do: on the same bytes the same variables, or a request that we refuse.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { ParamsDecoder } from '../../../src/fcgi-protocol/params-decoder.js';
import {
  encodeRequestHead,
  RecordDecoder,
  RecordType,
  Role,
} from '../../../src/fcgi-protocol/index.js';
import { isUsherdError } from '../../../src/errors.js';
import { compile, noCompiler } from '../../support/compile.js';
import { startFd0Worker, type Fd0Worker } from '../../support/fd0-worker.js';

const FIXTURES = join(import.meta.dirname, '../../../../test/fixtures/params');
const SCRIPT = join(FIXTURES, 'php.php');
const RUNS = 200;
const ANSWER_DEADLINE_MS = 2_000;

/** What a request needs of PHP; the names of the streams below begin with T. */
const OURS = new Map([
  ['SCRIPT_FILENAME', SCRIPT],
  ['REQUEST_METHOD', 'GET'],
  ['REDIRECT_STATUS', '200'],
]);

type Pairs = ReadonlyMap<string, string>;

const record = (type: number, content: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 0xff, 0, 0]),
    content,
  ]);

/** A length as §3.4 writes it; `isLong` for one that would fit a byte, which the specification allows, too. */
const length = (value: number, isLong: boolean): Buffer =>
  isLong || value > 127
    ? Buffer.from([
        0x80 | (value >>> 24),
        (value >>> 16) & 0xff,
        (value >>> 8) & 0xff,
        value & 0xff,
      ])
    : Buffer.from([value]);

const pair = (name: Buffer, value: Buffer, isLong: boolean): Buffer =>
  Buffer.concat([length(name.length, isLong), length(value.length, isLong), name, value]);

const anyName = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^T[A-Z0-9_]{0,12}$/) },
  { weight: 2, arbitrary: fc.constantFrom('T', 'TA', 'TB') },
  { weight: 1, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.stringMatching(/^T[A-Z]{120,200}$/) },
);
const anyValue = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ min: 1, maxLength: 40 }) },
  { weight: 1, arbitrary: fc.uint8Array({ min: 0, maxLength: 10 }) },
  { weight: 1, arbitrary: fc.uint8Array({ min: 1, minLength: 100, maxLength: 700 }) },
);
const anyPair = fc
  .tuple(anyName, anyValue, fc.boolean())
  .map(([name, value, isLong]) => pair(Buffer.from(name), Buffer.from(value), isLong));

/** Lengths that lie: beyond the end, beyond 31 bits, cut in the middle. */
const anyTail = fc.oneof(
  { weight: 4, arbitrary: fc.constant(Buffer.alloc(0)) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        ...[
          'ffffffff',
          '80',
          '8000',
          '01',
          '0105',
          '7f7f54',
          'ffffffffffffffff',
          '80000001800000055441',
        ],
      )
      .map((hex) => Buffer.from(hex, 'hex')),
  },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ minLength: 1, maxLength: 12 }).map((it) => Buffer.from(it)),
  },
);

const anyStream = fc.tuple(fc.array(anyPair, { maxLength: 6 }), anyTail, fc.nat(30));

/** The bytes of a request whose PARAMS come in pieces of this size, or in one. */
function requestOf(stream: Buffer, pieceBytes: number): Buffer {
  const size = pieceBytes === 0 ? stream.length : pieceBytes;
  const pieces: Buffer[] = [];
  for (let at = 0; at < stream.length; at += size) {
    pieces.push(record(RecordType.PARAMS, stream.subarray(at, at + size)));
  }
  const begin = record(
    RecordType.BEGIN_REQUEST,
    Buffer.from([0, Role.RESPONDER, 0, 0, 0, 0, 0, 0]),
  );
  const empty = Buffer.alloc(0);
  return Buffer.concat([
    begin,
    ...pieces,
    record(RecordType.PARAMS, empty),
    record(RecordType.STDIN, empty),
  ]);
}

function ours(stream: Buffer): Pairs | undefined {
  try {
    const decoder = new ParamsDecoder();
    decoder.push(stream);
    return own(new Map(decoder.end()));
  } catch (err) {
    if (isUsherdError(err)) return undefined;
    throw err;
  }
}

const own = (pairs: Pairs): Pairs =>
  new Map([...pairs].filter(([name]) => name.startsWith('T')).sort());

/** The variables that a worker says it got, duplicates as it has them; undefined if it served no request. */
function ask({ socketPath }: Fd0Worker, bytes: Buffer): Promise<Pairs | undefined> {
  return new Promise((resolve) => {
    const output: Buffer[] = [];
    let isEnded = false;
    const socket = connect(socketPath);
    const deadline = setTimeout(() => socket.destroy(), ANSWER_DEADLINE_MS);
    const decoder = new RecordDecoder({
      record: (type, _id, content) => {
        if (type === RecordType.STDOUT) output.push(Buffer.from(content));
        if (type !== RecordType.END_REQUEST) return;
        isEnded = true;
        socket.end();
      },
    });
    socket.on('data', (chunk) => decoder.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(deadline);
      const text = Buffer.concat(output).toString('latin1');
      const said = text.slice(text.indexOf('\r\n\r\n') + 4);
      const lines = said.split('\n').filter((line) => /^(?:[0-9a-f]{2})+$/.test(line));
      const isServed = isEnded && lines.length > 0;
      resolve(isServed ? own(new Map(lines.map(pairOfHex))) : undefined);
    });
    socket.write(bytes);
  });
}

function pairOfHex(hex: string): [string, string] {
  const text = Buffer.from(hex, 'hex').toString('latin1');
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

const hasLibfcgi = existsSync('/usr/include/fcgiapp.h');
const hasPhp = existsSync('/usr/bin/php-cgi');
const OTHERS = [
  {
    name: 'libfcgi',
    isWhole: false,
    skip: noCompiler || (hasLibfcgi ? false : 'libfcgi-dev is not installed'),
  },
  // It wants every pair in one record, which the specification does not.
  { name: 'php-cgi', isWhole: true, skip: hasPhp ? false : 'php-cgi is not installed' },
] as const;

for (const { name, isWhole, skip } of OTHERS) {
  describe(`params beside ${name}`, { skip }, () => {
    let directory: string;
    let worker: Fd0Worker;
    let argv: readonly string[];

    before(async () => {
      directory = mkdtempSync(join(tmpdir(), 'usherd-params-'));
      const program = join(directory, 'program');
      if (name === 'libfcgi') compile('params/libfcgi.c', program, ['-lfcgi']);
      const php = ['/usr/bin/php-cgi', '-n', '-dcgi.force_redirect=0'];
      argv = name === 'libfcgi' ? [program] : php;
      worker = await startFd0Worker(directory, argv);
    });
    after(async () => {
      await worker.stop();
      rmSync(directory, { recursive: true });
    });

    /** A refused request may have been the end of it. */
    const another = async (): Promise<void> => {
      await worker.stop();
      worker = await startFd0Worker(directory, argv);
    };

    test('the same bytes are the same variables, or we refuse them (T80)', async () => {
      const seen = { agreed: 0, refusedByUs: 0, refusedByThem: 0 };
      const head = Buffer.concat(
        [...OURS].map(([key, value]) => pair(Buffer.from(key), Buffer.from(value), false)),
      );
      await fc.assert(
        fc.asyncProperty(anyStream, async ([pairs, tail, pieceBytes]) => {
          const stream = Buffer.concat([head, ...pairs, tail]);
          const expected = ours(stream);
          const theirs = await ask(worker, requestOf(stream, isWhole ? 0 : pieceBytes));
          if (theirs === undefined) await another();
          if (expected === undefined) seen.refusedByUs += 1;
          else if (theirs === undefined) seen.refusedByThem += 1;
          else {
            assert.deepEqual(theirs, expected);
            seen.agreed += 1;
          }
        }),
        { numRuns: RUNS },
      );
      assert.ok(seen.agreed > RUNS / 4 && seen.refusedByUs > RUNS / 10, JSON.stringify(seen));
    });

    test('what we hand on is read as we mean it, always (T80)', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyPair, { maxLength: 6 }), async (pairs) => {
          const meant = ours(Buffer.concat(pairs));
          fc.pre(meant !== undefined);
          const params = new Map([...OURS, ...meant]);
          const whole = { role: Role.RESPONDER, flags: 0, params, isBodiless: true };
          const theirs = await ask(worker, encodeRequestHead(1, whole));
          assert.deepEqual(theirs, meant);
        }),
        { numRuns: RUNS / 2 },
      );
    });
  });
}
