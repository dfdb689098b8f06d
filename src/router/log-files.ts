// The log files of all applications: found by application and kind, few of them open, bounded in what waits for the disk.
import { APP_ID } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import { LogFile } from './log-file.js';
import { Shares } from './shares.js';

/** What a logger has to offer; pino's fits. */
export interface Warner {
  warn(fields: object, message: string): void;
}

/**
 * The ends of file names: `blog.log`, `blog.access`, `blog.slow`. No application's name can make one of another
 * application's, because each kind ends in a word of its own.
 */
export type LogKind = 'log' | 'access' | 'slow';

export interface LogFilesOptions {
  readonly directory: string;
  /** Where nobody else does: usherd runs as one user. */
  readonly makesDirectories: boolean;
  readonly log: Warner;
  readonly now: () => number;
  readonly fileMaxBytes: number;
}

/** `lost`: the file cannot be written now, and is not tried at every line. */
export type Appended = 'taken' | 'full' | 'lost';

const userOf = (app: string): string => app.slice(0, app.indexOf('/'));

/** Oldest entries that are looked at for one that may go. */
const EVICTION_TRIES = 8;

export class LogFiles {
  readonly #options: LogFilesOptions;
  /** In the order of use, oldest first. */
  readonly #files = new Map<string, LogFile>();
  /** Files that could not be written: not before this. Bounded like the files. */
  readonly #notBeforeMs = new Map<string, number>();
  #pendingBytes = 0;
  readonly #userPendingBytes = new Shares();
  #lostBytes = 0;
  #warnedAtMs = -Infinity;

  constructor(options: LogFilesOptions) {
    this.#options = options;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Refused by the file system. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  /** One whole line with its end. */
  append(app: string, kind: LogKind, line: string): Appended {
    const key = `${app}.${kind}`;
    const bytes = Buffer.byteLength(line);
    if (this.#options.now() < (this.#notBeforeMs.get(key) ?? 0)) {
      this.#lostBytes += bytes;
      return 'lost';
    }
    const file = this.#file(key, app, kind);
    const user = userOf(app);
    const isBounded =
      file.pendingBytes + bytes <= LIMITS.logPendingMaxBytes &&
      this.#userPendingBytes.of(user) + bytes <= LIMITS.logPendingPerUserMaxBytes &&
      this.#pendingBytes + bytes <= LIMITS.logPendingTotalMaxBytes;
    if (!isBounded) return 'full';
    this.#pendingBytes += bytes;
    this.#userPendingBytes.add(user, bytes);
    file.append(line, bytes);
    return 'taken';
  }

  /** Resolves when everything is on disk. */
  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map((file) => new Promise<void>((done) => file.close(done))));
  }

  #file(key: string, app: string, kind: LogKind): LogFile {
    if (!APP_ID.test(app)) throw new TypeError('not an application id');
    const file =
      this.#files.get(key) ??
      new LogFile({
        directory: `${this.#options.directory}/${userOf(app)}`,
        makesDirectory: this.#options.makesDirectories,
        name: `${app.slice(app.indexOf('/') + 1)}.${kind}`,
        maxBytes: this.#options.fileMaxBytes,
        keptCount: LIMITS.logFilesKeptCount,
        onTrouble: (err, lostBytes) => this.#onTrouble(key, err, lostBytes),
        onSettled: (bytes) => this.#onSettled(userOf(app), bytes),
      });
    this.#files.delete(key);
    this.#files.set(key, file);
    if (this.#files.size > LIMITS.logFilesOpenMaxCount) this.#closeIdleFile();
    return file;
  }

  /** A file with text that waits is left alone: two writers of one file would fight over turning it over. */
  #closeIdleFile(): void {
    let tries = EVICTION_TRIES;
    for (const [key, file] of this.#files) {
      tries -= 1;
      if (file.pendingBytes === 0) {
        this.#files.delete(key);
        file.close(() => undefined);
        return;
      }
      if (tries === 0) return;
    }
  }

  #onSettled(user: string, bytes: number): void {
    this.#pendingBytes -= bytes;
    this.#userPendingBytes.add(user, -bytes);
  }

  #onTrouble(key: string, err: Error, lostBytes: number): void {
    const nowMs = this.#options.now();
    this.#lostBytes += lostBytes;
    this.#notBeforeMs.delete(key);
    this.#notBeforeMs.set(key, nowMs + LIMITS.logRetryMs);
    if (this.#notBeforeMs.size > LIMITS.logAppsMaxCount) {
      const [oldest = ''] = this.#notBeforeMs.keys();
      this.#notBeforeMs.delete(oldest);
    }
    if (nowMs - this.#warnedAtMs < LIMITS.logWarningIntervalMs) return;
    this.#warnedAtMs = nowMs;
    this.#options.log.warn({ err, file: key }, 'application log not written');
  }
}
