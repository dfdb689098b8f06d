// Records and MiB of content a second, decoded by the codec and by the twin; and request heads.
// Run: node --expose-gc dist/bench/codec.js [rounds]. Both alternate; median and spread are
// printed. It fails where the codec is not so many times as fast as the twin as it should be: a ratio
// holds on every machine, a time on one.
import { Buffer } from 'node:buffer';
import { availableParallelism, cpus } from 'node:os';

import {
  encodeRequestHead,
  KNOWN_NAMES,
  ParamsDecoder,
  RecordDecoder,
  type PairList,
} from '../src/fcgi-protocol/index.js';
import { TwinDecoder, twinDecodePairs, twinEncode } from '../test/conformance/twin-codec.js';
import { chunksOf } from '../test/support/bytes.js';

const MIB = 1024 * 1024;
const ROUNDS = Number(process.argv[2] ?? 5);

interface Figure {
  readonly recordsPerS: number;
  readonly mibPerS: number;
}

/** One shape of traffic: records of one content size in chunks of another. */
interface Shape {
  readonly contentBytes: number;
  readonly chunkBytes: number;
  readonly totalBytes: number;
  /** The twin is quadratic in records and chunks; it gets so much less to do. */
  readonly twinTotalBytes: number;
  /** About half of the least that was measured. */
  readonly ratioMin: number;
}

const SHAPES: readonly Shape[] = [
  {
    contentBytes: 8_192,
    chunkBytes: 65_536,
    totalBytes: 64 * MIB,
    twinTotalBytes: 8 * MIB,
    ratioMin: 4,
  },
  {
    contentBytes: 65_535,
    chunkBytes: 65_536,
    totalBytes: 64 * MIB,
    twinTotalBytes: 8 * MIB,
    ratioMin: 0.5,
  },
  {
    contentBytes: 65_535,
    chunkBytes: 1_024,
    totalBytes: 64 * MIB,
    twinTotalBytes: 2 * MIB,
    ratioMin: 4,
  },
  {
    contentBytes: 200,
    chunkBytes: 65_536,
    totalBytes: 32 * MIB,
    twinTotalBytes: MIB,
    ratioMin: 25,
  },
  {
    contentBytes: 65_535,
    chunkBytes: 64,
    totalBytes: 16 * MIB,
    twinTotalBytes: MIB / 4,
    ratioMin: 25,
  },
];

function streamOf(shape: Shape, totalBytes: number): Buffer[] {
  const content = new Uint8Array(shape.contentBytes).fill(0x61);
  const record = twinEncode({ type: 5, requestId: 1, content, paddingBytes: 0 });
  const count = Math.max(1, Math.floor(totalBytes / record.length));
  return chunksOf(Buffer.concat(Array<Uint8Array>(count).fill(record)), shape.chunkBytes);
}

function timed(work: () => { records: number; bytes: number }): Figure {
  globalThis.gc?.();
  const start = process.hrtime.bigint();
  const { records, bytes } = work();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  return { recordsPerS: records / seconds, mibPerS: bytes / MIB / seconds };
}

function decodeAll(chunks: readonly Buffer[]): { records: number; bytes: number } {
  let records = 0;
  let bytes = 0;
  const decoder = new RecordDecoder({
    record: (_type, _requestId, content) => {
      records += 1;
      bytes += content.length;
    },
  });
  for (const chunk of chunks) decoder.push(chunk);
  return { records, bytes };
}

function twinDecodeAll(chunks: readonly Buffer[]): { records: number; bytes: number } {
  const decoder = new TwinDecoder();
  let records = 0;
  let bytes = 0;
  for (const record of chunks.flatMap((chunk) => decoder.push(chunk))) {
    records += 1;
    bytes += record.content.length;
  }
  return { records, bytes };
}

const medianOf = (figures: readonly Figure[]): number =>
  figures.map(({ mibPerS }) => mibPerS).sort((a, b) => a - b)[figures.length >> 1] ?? 0;

/** How many times as fast as its twin, and whether that is enough. */
function compare(fast: readonly Figure[], slow: readonly Figure[], ratioMin: number): void {
  const ratio = medianOf(fast) / medianOf(slow);
  const isEnough = ratio >= ratioMin;
  process.stdout.write(
    `  ${ratio.toFixed(1)} times as fast, at least ${ratioMin}${isEnough ? '' : ': TOO SLOW'}\n`,
  );
  if (!isEnough) process.exitCode = 1;
}

function print(label: string, figures: readonly Figure[]): void {
  const sorted = [...figures].sort((a, b) => a.mibPerS - b.mibPerS);
  const median = sorted[Math.floor(sorted.length / 2)];
  const [low, high] = [sorted[0], sorted.at(-1)];
  if (median === undefined || low === undefined || high === undefined) return;
  const round = (value: number): string => Math.round(value).toLocaleString('en').padStart(11);
  process.stdout.write(
    `${label.padEnd(26)}${round(median.recordsPerS)} /s ${round(median.mibPerS)} MiB/s` +
      `   (${round(low.mibPerS).trim()} to ${round(high.mibPerS).trim()})\n`,
  );
}

function benchShape(shape: Shape): void {
  const chunks = streamOf(shape, shape.totalBytes);
  const twinChunks = streamOf(shape, shape.twinTotalBytes);
  const [fast, slow]: [Figure[], Figure[]] = [[], []];
  decodeAll(chunks);
  for (let round = 0; round < ROUNDS; round += 1) {
    fast.push(timed(() => decodeAll(chunks)));
    slow.push(timed(() => twinDecodeAll(twinChunks)));
  }
  const label = `${shape.contentBytes} B in ${shape.chunkBytes} B`;
  print(label, fast);
  print('  twin', slow);
  compare(fast, slow, shape.ratioMin);
}

const HEADS = 20_000;
const HEAD_RATIO_MIN = 4;

/** A request head of 32 params and about 1.4 KiB: names that web servers send, and some that they do not. */
function headParams(): Map<string, string> {
  const names = [...KNOWN_NAMES.slice(0, 28), 'HTTP_X_A', 'HTTP_X_B', 'HTTP_X_C', 'HTTP_X_D'];
  return new Map(names.map((name, i) => [name, 'v'.repeat(8 + (i % 8) * 6)]));
}

function benchHeads(): void {
  const pairs = headParams();
  const head = encodeRequestHead(1, { role: 1, flags: 0, params: pairs, isBodiless: false });
  const content = head.subarray(24, head.length - 8);
  const repeat = (work: () => void) => (): { records: number; bytes: number } => {
    for (let i = 0; i < HEADS; i += 1) work();
    return { records: HEADS, bytes: HEADS * content.length };
  };
  const decodeOne = (): PairList => {
    const decoder = new ParamsDecoder();
    decoder.push(content);
    return decoder.end();
  };
  const decode = repeat(decodeOne);
  const came = decodeOne();
  const encode = repeat(() => {
    const params = came.copy();
    params.set('SCRIPT_NAME', '/of/its/own.php');
    params.set('REQUEST_ID', '1');
    encodeRequestHead(1, { role: 1, flags: 0, params, isBodiless: false });
  });
  const twin = repeat(() => twinDecodePairs(content));
  const figures: [Figure[], Figure[], Figure[]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    figures[0].push(timed(encode));
    figures[1].push(timed(decode));
    figures[2].push(timed(twin));
  }
  print('copy, change, encode head', figures[0]);
  print('decode head, 32 params', figures[1]);
  print('  twin', figures[2]);
  compare(figures[1], figures[2], HEAD_RATIO_MIN);
}

process.stdout.write(
  `node ${process.version}, ${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}, ${ROUNDS} rounds\n`,
);
SHAPES.forEach(benchShape);
benchHeads();
