// What a worker says on STDERR, once more for the web server's own log: few bytes, line by line, escaped (R-W3).
import { encodeRecordHeader, RecordType } from '../fcgi-protocol/index.js';
import { LIMITS } from '../limits.js';
import { escapeLogBytes, LogLines } from './log-text.js';

export class ErrorCopy {
  readonly #requestId: number;
  #leftBytes: number = LIMITS.errorCopyMaxBytes;

  constructor(requestId: number) {
    this.#requestId = requestId;
  }

  /** Records of one line each, as Apache writes each into a line of its own; owned by the caller. None is left over the bound. */
  records(content: Buffer): readonly Buffer[] {
    const records: Buffer[] = [];
    const lines = new LogLines((line) => {
      // Escaped first: that is what counts, and nothing that is cut can become something else.
      const text = Buffer.from(escapeLogBytes(line)).subarray(0, this.#leftBytes);
      if (text.length === 0) return;
      this.#leftBytes -= text.length;
      records.push(encodeRecordHeader(RecordType.STDERR, this.#requestId, text.length), text);
    });
    lines.push(content);
    lines.end();
    return records;
  }
}
