// The twin: FastCGI 1.0 once more, slow and obvious, from §3.3 and §3.4, never to be optimized.
// The real codec must agree with it in both directions.

export interface TwinRecord {
  readonly type: number;
  readonly requestId: number;
  readonly content: Uint8Array;
  readonly paddingBytes: number;
}

export function twinEncode(record: TwinRecord): Uint8Array {
  const bytes = new Uint8Array(8 + record.content.length + record.paddingBytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1);
  view.setUint8(1, record.type);
  view.setUint16(2, record.requestId);
  view.setUint16(4, record.content.length);
  view.setUint8(6, record.paddingBytes);
  bytes.set(record.content, 8);
  return bytes;
}

export class TwinDecoder {
  #held: Uint8Array = new Uint8Array(0);

  push(chunk: Uint8Array): TwinRecord[] {
    this.#held = twinConcat([this.#held, chunk]);
    const records: TwinRecord[] = [];
    while (this.#held.length >= 8) {
      const view = new DataView(this.#held.buffer);
      if (view.getUint8(0) !== 1) throw new Error('version');
      const contentEnd = 8 + view.getUint16(4);
      const paddingBytes = view.getUint8(6);
      if (this.#held.length < contentEnd + paddingBytes) break;
      const content = this.#held.slice(8, contentEnd);
      records.push({ type: view.getUint8(1), requestId: view.getUint16(2), content, paddingBytes });
      this.#held = this.#held.slice(contentEnd + paddingBytes);
    }
    return records;
  }
}

export type TwinPair = readonly [name: string, value: string];

export function twinEncodePairs(pairs: readonly TwinPair[], always4Bytes = false): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, value] of pairs) {
    for (const text of [name, value]) parts.push(twinLength(text.length, always4Bytes));
    for (const text of [name, value]) {
      parts.push(Uint8Array.from(text, (char) => char.charCodeAt(0)));
    }
  }
  return twinConcat(parts);
}

export function twinDecodePairs(bytes: Uint8Array): TwinPair[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pairs: TwinPair[] = [];
  let at = 0;
  const length = (): number => {
    if (view.getUint8(at) < 128) return view.getUint8(at++);
    at += 4;
    return view.getUint32(at - 4) - 0x80000000;
  };
  const text = (lengthBytes: number): string => {
    if (at + lengthBytes > bytes.length) throw new Error('cut short');
    at += lengthBytes;
    return Array.from(bytes.slice(at - lengthBytes, at), (byte) => String.fromCharCode(byte)).join(
      '',
    );
  };
  while (at < bytes.length) {
    const nameBytes = length();
    const valueBytes = length();
    pairs.push([text(nameBytes), text(valueBytes)]);
  }
  return pairs;
}

export function twinConcat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function twinLength(length: number, always4Bytes: boolean): Uint8Array {
  if (length < 128 && !always4Bytes) return Uint8Array.of(length);
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, length + 0x80000000);
  return bytes;
}
