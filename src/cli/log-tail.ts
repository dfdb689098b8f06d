// The end of a log file, and what is added to it, over turning over. Opened without following links: it lies in a directory of the router's.
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CHUNK_BYTES = 64 * 1024;
/** From the end of a file, to find its last lines in. */
const TAIL_MAX_BYTES = 1024 * 1024;

/** Lines of usherd's are escaped when they are written; this holds even if somebody else wrote. */
const UNSAFE = /[^\P{Cc}\t\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

export class LogTail {
  readonly #path: string;
  #file: FileHandle | undefined;
  #inode = 0;
  #offset = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The last lines; undefined if there is no such file yet. @throws the system's errors, and for what is no file */
  async last(count: number): Promise<string | undefined> {
    if (!(await this.#open())) return undefined;
    const size = await this.#size();
    this.#offset = Math.max(0, size - TAIL_MAX_BYTES);
    const lines = (await this.#rest()).split('\n');
    const isWhole = size <= TAIL_MAX_BYTES;
    const whole = isWhole ? lines : lines.slice(1);
    return whole.slice(-count - 1).join('\n');
  }

  /** What was added since the last call; after a turning over the rest of the old file, then the new one. */
  async more(): Promise<string> {
    if (this.#file === undefined && !(await this.#open())) return '';
    const rest = await this.#rest();
    if (rest !== '' || !(await this.#isTurnedOver())) return rest;
    await this.close();
    return (await this.#open()) ? this.#rest() : '';
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #open(): Promise<boolean> {
    const file = await open(this.#path, FLAGS).catch((err: unknown) => {
      if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return undefined;
      throw err;
    });
    if (file === undefined) return false;
    const stats = await file.stat();
    if (!stats.isFile()) {
      await file.close();
      throw new Error(`${this.#path} is not a file`);
    }
    this.#file = file;
    this.#inode = stats.ino;
    this.#offset = 0;
    return true;
  }

  async #size(): Promise<number> {
    return (await this.#file?.stat())?.size ?? 0;
  }

  async #isTurnedOver(): Promise<boolean> {
    const other = await open(this.#path, FLAGS).catch(() => undefined);
    const inode = (await other?.stat())?.ino ?? this.#inode;
    await other?.close();
    return inode !== this.#inode;
  }

  async #rest(): Promise<string> {
    const chunks: Buffer[] = [];
    const buffer = Buffer.alloc(CHUNK_BYTES);
    let bytes = 0;
    do {
      const result = await this.#file?.read(buffer, 0, CHUNK_BYTES, this.#offset);
      bytes = result?.bytesRead ?? 0;
      this.#offset += bytes;
      chunks.push(Buffer.from(buffer.subarray(0, bytes)));
    } while (bytes > 0 && chunks.length * CHUNK_BYTES < 2 * TAIL_MAX_BYTES);
    return Buffer.concat(chunks).toString('utf8').replace(UNSAFE, '?');
  }
}
