// Sinks for codec tests: what a decoder said, and what an encoder wrote.
import { Buffer } from 'node:buffer';

import { type ByteSink, RecordDecoder, type RecordSink } from '../../src/fcgi-protocol/index.js';

export interface SeenRecord {
  readonly type: number;
  readonly requestId: number;
  /** As handed out, not copied: a decoder that wrote to it later would be caught. */
  readonly content: Buffer;
}

/** Keeps every record. */
export class RecordLog implements RecordSink {
  readonly records: SeenRecord[] = [];

  record(type: number, requestId: number, content: Buffer): void {
    this.records.push({ type, requestId, content });
  }
}

/** All records of these chunks. */
export function decodeChunks(chunks: readonly Buffer[]): SeenRecord[] {
  const log = new RecordLog();
  const decoder = new RecordDecoder(log);
  for (const chunk of chunks) decoder.push(chunk);
  return log.records;
}

/** Keeps every write apart, and counts corks. */
export class WriteLog implements ByteSink {
  readonly writes: Buffer[] = [];
  /** What `write` answers. */
  mayWriteMore = true;
  corked = 0;
  corks = 0;

  get bytes(): Buffer {
    return Buffer.concat(this.writes);
  }

  cork(): void {
    this.corked += 1;
    this.corks += 1;
  }

  uncork(): void {
    this.corked -= 1;
  }

  write(bytes: Buffer): boolean {
    this.writes.push(bytes);
    return this.mayWriteMore;
  }
}
