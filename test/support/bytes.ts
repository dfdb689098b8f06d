// Bytes for tests, written by hand as the specification prints them: independent of every encoder.
import { Buffer } from 'node:buffer';

/**
 * Hex digits and white space; what is put in is itself bytes, latin1 text, or one number from 0 to
 * 255: bytes`01 06 0001 000b 00 00 ${'hello world'}`.
 */
export function bytes(
  hex: TemplateStringsArray,
  ...inserts: readonly (Uint8Array | string | number)[]
): Buffer {
  const parts: Uint8Array[] = [];
  hex.forEach((text, index) => {
    parts.push(fromHex(text));
    const insert = inserts[index];
    if (insert !== undefined) parts.push(fromInsert(insert));
  });
  return Buffer.concat(parts);
}

/**
 * Cuts bytes into chunks of the given size, the last one shorter. Each chunk has memory of its own.
 */
export function chunksOf(whole: Uint8Array, sizeBytes: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < whole.length; at += sizeBytes) {
    chunks.push(Buffer.from(whole.subarray(at, at + sizeBytes)));
  }
  return chunks;
}

/**
 * Cuts bytes at the given places, in any order; places outside and twice the same give empty
 * chunks.
 */
export function chunksAt(whole: Uint8Array, places: readonly number[]): Buffer[] {
  const sorted = [...places].sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => Buffer.from(whole.subarray(from, sorted[index])));
}

function fromHex(text: string): Buffer {
  const digits = text.replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error(`not whole bytes in hex: ${text}`);
  return Buffer.from(digits, 'hex');
}

function fromInsert(insert: Uint8Array | string | number): Uint8Array {
  if (typeof insert === 'string') return Buffer.from(insert, 'latin1');
  return typeof insert === 'number' ? Buffer.alloc(1, insert) : insert;
}
