// What applications and usherd say about them, as lines of the applications' logs: a rate for each, a prefix that nobody can forge.
import { APP_ID } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { LogFiles } from './log-files.js';
import { escapeLogBytes } from './log-text.js';
import { TokenBucket, type Rate } from './token-bucket.js';

export interface LogStoreOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly rate?: Rate;
  /** Of usherd's own lines about one application. */
  readonly noteRate?: Rate;
}

/** Who says a line; no part can be chosen by a tenant. */
export interface LogOrigin {
  /** Process id of the worker, `-` where it is not known. */
  readonly pid: string;
  /** Name of the request that the worker had, `-` if it had none or several. */
  readonly request: string;
  readonly stream: string;
}

interface AppLog {
  readonly app: string;
  readonly bucket: TokenBucket;
  readonly noteBucket: TokenBucket;
  /** Text of the last lines without prefix, oldest first, for the error page. */
  readonly lastLines: string[];
  /** Since the last line that could be written. */
  droppedBytes: number;
  droppedNotes: number;
}

const RATE: Rate = { perS: LIMITS.logBytesPerS, burst: LIMITS.logBurstBytes };
const NOTE_RATE: Rate = { perS: LIMITS.logNotesPerS, burst: LIMITS.logNotesBurstCount };
const OWN_STREAM = 'usherd';

/** A copy: a slice of a long line would keep all of it in memory. */
const shortCopy = (text: string): string =>
  text.length <= LIMITS.errorPageLineMaxChars
    ? text
    : Buffer.from(text.slice(0, LIMITS.errorPageLineMaxChars)).toString();

export class LogStore {
  readonly #options: LogStoreOptions;
  readonly #files: LogFiles;
  readonly #now: () => number;
  /** In the order of use, oldest first. */
  readonly #apps = new Map<string, AppLog>();
  #droppedBytes = 0;

  constructor(files: LogFiles, options: LogStoreOptions = {}) {
    this.#files = files;
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Over the rate of their application, or over what may wait for the disk. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  /** Whether the application may write so much now; what may not is counted as dropped. */
  admit(app: string, bytes: number): boolean {
    const entry = this.#entry(app);
    if (entry.bucket.take(bytes, this.#now())) return true;
    this.#drop(entry, bytes);
    return false;
  }

  /** One line of a tenant, without its end, already admitted. */
  addLine(app: string, origin: LogOrigin, line: Buffer): void {
    const entry = this.#entry(app);
    const text = escapeLogBytes(line);
    entry.lastLines.push(shortCopy(text));
    if (entry.lastLines.length > LIMITS.errorPageLinesMaxCount) entry.lastLines.shift();
    this.#tellDropped(entry);
    this.#put(entry, origin, text);
  }

  /** A line of usherd's own about the application, for its owner to read. */
  note(app: string, { pid = '-', request = '-' }: Partial<LogOrigin>, text: string): void {
    const entry = this.#entry(app);
    if (!entry.noteBucket.take(1, this.#now())) {
      entry.droppedNotes += 1;
      return;
    }
    const missing = entry.droppedNotes;
    entry.droppedNotes = 0;
    const origin = { pid, request, stream: OWN_STREAM };
    if (missing > 0) this.#put(entry, origin, `left out ${missing} lines like these`);
    this.#put(entry, origin, escapeLogBytes(Buffer.from(text)));
  }

  /** Nothing more comes for now: says what was dropped last. */
  settle(app: string): void {
    const entry = this.#apps.get(app);
    if (entry !== undefined) this.#tellDropped(entry);
  }

  lastLines(app: string): readonly string[] {
    return [...(this.#apps.get(app)?.lastLines ?? [])];
  }

  #drop(entry: AppLog, bytes: number): void {
    entry.droppedBytes += bytes;
    this.#droppedBytes += bytes;
  }

  #tellDropped(entry: AppLog): void {
    if (entry.droppedBytes === 0) return;
    const bytes = entry.droppedBytes;
    entry.droppedBytes = 0;
    const origin = { pid: '-', request: '-', stream: OWN_STREAM };
    if (!this.#put(entry, origin, `dropped ${bytes} bytes`)) entry.droppedBytes += bytes;
  }

  #put(entry: AppLog, { pid, request, stream }: LogOrigin, text: string): boolean {
    const time = new Date(this.#now()).toISOString();
    const line = `${time} ${pid} ${request} ${stream} ${text}\n`;
    const appended = this.#files.append(entry.app, 'log', line);
    if (appended === 'full') this.#drop(entry, Buffer.byteLength(line));
    return appended === 'taken';
  }

  #entry(app: string): AppLog {
    const found = this.#apps.get(app);
    if (found === undefined && !APP_ID.test(app)) throw new TypeError('not an application id');
    const nowMs = this.#now();
    const entry = found ?? {
      app,
      bucket: new TokenBucket(this.#options.rate ?? RATE, nowMs),
      noteBucket: new TokenBucket(this.#options.noteRate ?? NOTE_RATE, nowMs),
      lastLines: [],
      droppedBytes: 0,
      droppedNotes: 0,
    };
    this.#apps.delete(app); // to be the youngest
    this.#apps.set(app, entry);
    if (this.#apps.size > LIMITS.logAppsMaxCount) {
      const [oldest = app] = this.#apps.keys();
      this.#apps.delete(oldest);
    }
    return entry;
  }
}
