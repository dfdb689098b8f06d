// The logs of all applications: how much each may write, its last lines, its file. Everything bounded, nothing waits.
import { APP_ID } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import { LogFile } from './log-file.js';
import { escapeLogBytes } from './log-text.js';
import { TokenBucket, type Rate } from './token-bucket.js';

/** What the store needs of a logger; pino's fits. */
export interface Warner {
  warn(fields: object, message: string): void;
}

export interface LogStoreOptions {
  readonly directory: string;
  readonly log: Warner;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly rate?: Rate;
  readonly fileMaxBytes?: number;
}

/** Who says a line; neither part can be chosen by a tenant. */
export interface LogOrigin {
  readonly worker: string;
  readonly stream: string;
}

interface AppLog {
  readonly app: string;
  readonly bucket: TokenBucket;
  /** Text of the last lines without prefix, oldest first, for the error page. */
  readonly lastLines: string[];
  /** Since the last line that could be written. */
  droppedBytes: number;
  notBeforeMs: number;
}

const RATE: Rate = { perS: LIMITS.logBytesPerS, burst: LIMITS.logBurstBytes };
const OWN_ORIGIN: LogOrigin = { worker: '-', stream: 'usherd' };
/** Oldest entries that are looked at for one that may go. */
const EVICTION_TRIES = 8;

/** A copy: a slice of a long line would keep all of it in memory. */
const shortCopy = (text: string): string =>
  text.length <= LIMITS.errorPageLineMaxChars
    ? text
    : Buffer.from(text.slice(0, LIMITS.errorPageLineMaxChars)).toString();

/** Makes `key` the youngest of the map. */
function touch<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
}

export class LogStore {
  readonly #options: LogStoreOptions;
  readonly #now: () => number;
  /** Both in the order of use, oldest first. */
  readonly #apps = new Map<string, AppLog>();
  readonly #files = new Map<string, LogFile>();
  #pendingBytes = 0;
  #droppedBytes = 0;
  #lostBytes = 0;
  #warnedAtMs = -Infinity;

  constructor(options: LogStoreOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Over the rate of their application, or over what may wait for the disk. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  /** Refused by the file system. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
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

  /** Nothing more comes for now: says what was dropped last. */
  settle(app: string): void {
    const entry = this.#apps.get(app);
    if (entry !== undefined) this.#tellDropped(entry);
  }

  lastLines(app: string): readonly string[] {
    return [...(this.#apps.get(app)?.lastLines ?? [])];
  }

  /** Resolves when everything is on disk. */
  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map((file) => new Promise<void>((done) => file.close(done))));
  }

  #drop(entry: AppLog, bytes: number): void {
    entry.droppedBytes += bytes;
    this.#droppedBytes += bytes;
  }

  #tellDropped(entry: AppLog): void {
    if (entry.droppedBytes === 0) return;
    const bytes = entry.droppedBytes;
    entry.droppedBytes = 0;
    if (!this.#put(entry, OWN_ORIGIN, `dropped ${bytes} bytes`)) entry.droppedBytes += bytes;
  }

  #put(entry: AppLog, origin: LogOrigin, text: string): boolean {
    const nowMs = this.#now();
    const time = new Date(nowMs).toISOString();
    const line = `${time} ${origin.worker} ${origin.stream} ${text}\n`;
    const bytes = Buffer.byteLength(line);
    if (nowMs < entry.notBeforeMs) {
      this.#lostBytes += bytes;
      return false;
    }
    const file = this.#file(entry);
    const isBounded =
      file.pendingBytes + bytes <= LIMITS.logPendingMaxBytes &&
      this.#pendingBytes + bytes <= LIMITS.logPendingTotalMaxBytes;
    if (!isBounded) {
      this.#drop(entry, bytes);
      return false;
    }
    this.#pendingBytes += bytes;
    file.append(line, bytes);
    return true;
  }

  #entry(app: string): AppLog {
    const found = this.#apps.get(app);
    const entry = found ?? {
      app,
      bucket: new TokenBucket(this.#options.rate ?? RATE, this.#now()),
      lastLines: [],
      droppedBytes: 0,
      notBeforeMs: 0,
    };
    if (found === undefined && !APP_ID.test(app)) throw new TypeError('not an application id');
    touch(this.#apps, app, entry);
    if (this.#apps.size > LIMITS.logAppsMaxCount) {
      const [oldest = app] = this.#apps.keys();
      this.#apps.delete(oldest);
    }
    return entry;
  }

  #file(entry: AppLog): LogFile {
    const { app } = entry;
    const slash = app.indexOf('/');
    const file =
      this.#files.get(app) ??
      new LogFile({
        directory: `${this.#options.directory}/${app.slice(0, slash)}`,
        name: `${app.slice(slash + 1)}.log`,
        maxBytes: this.#options.fileMaxBytes ?? LIMITS.logFileMaxBytes,
        keptCount: LIMITS.logFilesKeptCount,
        onTrouble: (err, lostBytes) => this.#onTrouble(entry, err, lostBytes),
        onSettled: (bytes) => (this.#pendingBytes -= bytes),
      });
    touch(this.#files, app, file);
    if (this.#files.size > LIMITS.logFilesOpenMaxCount) this.#closeIdleFile();
    return file;
  }

  /** A file with text that waits is left alone: two writers of one file would fight over turning it over. */
  #closeIdleFile(): void {
    let tries = EVICTION_TRIES;
    for (const [app, file] of this.#files) {
      tries -= 1;
      if (file.pendingBytes === 0) {
        this.#files.delete(app);
        file.close(() => undefined);
        return;
      }
      if (tries === 0) return;
    }
  }

  #onTrouble(entry: AppLog, err: Error, lostBytes: number): void {
    const nowMs = this.#now();
    this.#lostBytes += lostBytes;
    entry.notBeforeMs = nowMs + LIMITS.logRetryMs;
    if (nowMs - this.#warnedAtMs < LIMITS.logWarningIntervalMs) return;
    this.#warnedAtMs = nowMs;
    this.#options.log.warn({ err, app: entry.app }, 'application log not written');
  }
}
