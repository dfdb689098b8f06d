// One name-value pair (FastCGI 1.0 §3.4): its length fields read, its bytes written.
// Names and values are latin1 strings, one char a byte, so that every byte comes out as it went in.
import type { Buffer } from 'node:buffer';

import { UsherdError } from '../errors.js';

const SHORT_LENGTH_MAX = 0x7f;
const LONG_LENGTH_BIT = 0x8000_0000;
const LONG_LENGTH_MASK = 0x7fff_ffff;
const LONG_LENGTH_BYTES = 4;

/** Below this a write char by char is cheaper than a call that leaves JavaScript. */
const SHORT_TEXT_CHARS = 40;
const NOT_LATIN1 = /[^\u0000-\u00ff]/;

/** How many bytes the length field takes that begins there. */
export const lengthFieldBytes = (bytes: Buffer, at: number): number =>
  (bytes[at] ?? 0) > SHORT_LENGTH_MAX ? LONG_LENGTH_BYTES : 1;

export const readLength = (bytes: Buffer, at: number, fieldBytes: number): number =>
  fieldBytes === 1 ? (bytes[at] ?? 0) : bytes.readUInt32BE(at) & LONG_LENGTH_MASK;

/** How many bytes the length field of an encoder takes. */
export const canonicalFieldBytes = (length: number): number =>
  length > SHORT_LENGTH_MAX ? LONG_LENGTH_BYTES : 1;

/** Bytes that a pair takes, its length fields included. */
export const nameValueLength = (name: string, value: string): number =>
  canonicalFieldBytes(name.length) + canonicalFieldBytes(value.length) + name.length + value.length;

/**
 * Returns where the pair ends.
 * @throws UsherdError E_PARAMS_MALFORMED for a char above 255, which would lose its upper half
 */
export function writeNameValue(target: Buffer, at: number, name: string, value: string): number {
  const nameStart = writeLength(target, writeLength(target, at, name.length), value.length);
  return writeText(target, writeText(target, nameStart, name), value);
}

function writeLength(target: Buffer, at: number, length: number): number {
  if (length <= SHORT_LENGTH_MAX) return target.writeUInt8(length, at);
  return target.writeUInt32BE((length | LONG_LENGTH_BIT) >>> 0, at);
}

function writeText(target: Buffer, at: number, text: string): number {
  if (text.length > SHORT_TEXT_CHARS) {
    if (NOT_LATIN1.test(text)) throw notLatin1();
    return at + target.write(text, at, 'latin1');
  }
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 0xff) throw notLatin1();
    target[at + i] = code;
  }
  return at + text.length;
}

const notLatin1 = (): UsherdError =>
  new UsherdError('E_PARAMS_MALFORMED', 'a name or value that is not latin1');
