// One log file of one application: appended to in order, turned over by size, never longer in memory than its bound.
import fs from 'node:fs';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = fs.constants;
/** O_NONBLOCK: a FIFO in the place of the file fails to open instead of waiting for a reader. */
const FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
/** Its directory lets in the router and the group of the owner, nobody else; so the file need not know that group. */
const MODE = 0o644;

export interface LogFileOptions {
  readonly directory: string;
  /** Else it is there already, or the user has no log. */
  readonly makesDirectory: boolean;
  readonly name: string;
  readonly maxBytes: number;
  readonly keptCount: number;
  /** Text is lost because the file cannot be opened, written or renamed. */
  onTrouble(err: Error, lostBytes: number): void;
  /** Bytes that were waiting are written or lost. */
  onSettled(bytes: number): void;
}

/** Steps: closed → opening → open → (writing → open | turning → opening). One step at a time; text waits meanwhile. */
export class LogFile {
  readonly #options: LogFileOptions;
  readonly #path: string;
  #fd = -1;
  #sizeBytes = 0;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #isBusy = false;
  #isClosing = false;
  #whenClosed: (() => void) | undefined;

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#path = `${options.directory}/${options.name}`;
  }

  /** Not yet on disk. */
  get pendingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whole lines. The caller keeps the bound; nothing is refused here. */
  append(text: string, bytes: number): void {
    this.#waiting.push(text);
    this.#waitingBytes += bytes;
    this.#step();
  }

  /** Writes what waits, then lets go of the descriptor. */
  close(whenClosed: () => void): void {
    this.#isClosing = true;
    this.#whenClosed = whenClosed;
    this.#step();
  }

  #step(): void {
    if (this.#isBusy) return;
    if (this.#waiting.length === 0) {
      if (this.#isClosing) this.#shut(() => this.#closed());
      return;
    }
    this.#isBusy = true;
    if (this.#fd === -1) this.#open();
    else if (this.#sizeBytes >= this.#options.maxBytes) this.#turnOver();
    else this.#write();
  }

  #next(): void {
    this.#isBusy = false;
    this.#step();
  }

  #open(): void {
    if (this.#options.makesDirectory) {
      fs.mkdir(this.#options.directory, { mode: 0o750 }, () => this.#openFile());
    } else {
      this.#openFile();
    }
  }

  #openFile(): void {
    fs.open(this.#path, FLAGS, MODE, (err, fd) => {
      if (err !== null) {
        this.#lose(err);
        return;
      }
      this.#fd = fd;
      fs.fstat(fd, (statErr, stats) => {
        const isFile = statErr === null && stats.isFile();
        if (!isFile) this.#shut(() => this.#lose(statErr ?? new Error('not a regular file')));
        else {
          this.#sizeBytes = stats.size;
          // Past the umask of a service, which lets nobody read.
          fs.fchmod(fd, MODE, () => this.#next());
        }
      });
    });
  }

  #write(): void {
    const bytes = Buffer.from(this.#waiting.join(''));
    const countedBytes = this.#waitingBytes;
    this.#waiting = [];
    this.#writeFrom(bytes, 0, countedBytes);
  }

  #writeFrom(bytes: Buffer, offset: number, countedBytes: number): void {
    fs.write(this.#fd, bytes, offset, bytes.length - offset, null, (err, count) => {
      if (err === null && offset + count < bytes.length) {
        this.#writeFrom(bytes, offset + count, countedBytes);
        return;
      }
      if (err !== null) this.#options.onTrouble(err, bytes.length - offset);
      this.#sizeBytes += bytes.length;
      this.#settled(countedBytes);
      this.#next();
    });
  }

  /** `x.log` → `x.log.1` → `x.log.2`; the oldest is overwritten by rename. */
  #turnOver(): void {
    const olderName = (age: number): string => (age === 0 ? this.#path : `${this.#path}.${age}`);
    const rename = (age: number): void => {
      if (age < 0) {
        this.#next();
        return;
      }
      fs.rename(olderName(age), olderName(age + 1), (err) => {
        // Lines are rather lost than the bound on the disk: a full file that cannot be moved stays full.
        if (err !== null && err.code !== 'ENOENT') this.#lose(err);
        else rename(age - 1);
      });
    };
    this.#shut(() => rename(this.#options.keptCount - 2));
  }

  #lose(err: Error): void {
    const lostBytes = this.#waitingBytes;
    this.#waiting = [];
    this.#options.onTrouble(err, lostBytes);
    this.#settled(lostBytes);
    this.#next();
  }

  #settled(bytes: number): void {
    this.#waitingBytes -= bytes;
    this.#options.onSettled(bytes);
  }

  #shut(done: () => void): void {
    const fd = this.#fd;
    this.#fd = -1;
    if (fd === -1) done();
    else fs.close(fd, () => done());
  }

  #closed(): void {
    const whenClosed = this.#whenClosed;
    this.#whenClosed = undefined;
    whenClosed?.();
  }
}
