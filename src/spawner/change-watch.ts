// Notices that the files which select and configure an application have changed, whatever becomes of the looks at those of others.
import { LIMITS } from '../limits.js';
import { FairQueue } from './fair-queue.js';
import { signatureOf, type Grounds } from './file-signature.js';

/** What root may look at: as a member of the web server's group, without any capability above permissions. */
const RESTART_NAMES = [
  ...['tmp/restart.txt', 'restart.txt', 'usherd.toml', '.env', 'public'],
  'current/restart.txt', // where `current` is a link: that one, which is not followed
] as const;

interface Watching {
  readonly directory: string;
  readonly entryNames: readonly string[];
  readonly inodes?: readonly string[];
}

interface Watched extends Grounds {
  /** No sooner than changeCheckIntervalMs after this. */
  lookedAtMs: number;
  /** Undefined until the first look is back. */
  seen: string | undefined;
}

export interface ChangeWatchParts {
  readonly now: () => number;
  readonly onChanged: (app: string) => void;
  /** A look is not back in time: nobody of that user is looked at until it is. */
  readonly onHung: (app: string, directory: string) => void;
  /** Of libuv in this process. A look that hangs with its file system holds one of them, and nothing ends that. */
  readonly threads: number;
  readonly look?: (grounds: Grounds) => Promise<string>;
}

const userOf = (app: string): string => app.slice(0, app.indexOf('/'));

export class ChangeWatch {
  readonly #parts: ChangeWatchParts;
  /** Applications with living workers, and those whose last one died: a mended file ends their back-off. */
  readonly #watched = new Map<string, Watched>();
  /** To be looked at, or being looked at. */
  readonly #looking = new Set<string>();
  readonly #queue: FairQueue<string>;
  /** By user: whose look was not back in time, and is not yet. */
  readonly #hung = new Map<string, Watched>();

  constructor(parts: ChangeWatchParts) {
    this.#parts = parts;
    this.#queue = new FairQueue({
      waitingMaxCount: LIMITS.changeWatchMaxCount,
      activeMaxCount: Infinity,
      activePerUserMaxCount: 1,
    });
  }

  /** From the moment its first worker is started; the first look is what later ones are compared with. */
  watch(app: string, { directory, entryNames, inodes = [] }: Watching): void {
    if (this.#watched.has(app)) return;
    const names = [...RESTART_NAMES, ...entryNames];
    if (this.#watched.size >= LIMITS.changeWatchMaxCount) {
      const [oldest] = this.#watched.keys();
      if (oldest !== undefined) this.#watched.delete(oldest);
    }
    const lookedAtMs = this.#parts.now();
    this.#watched.set(app, { directory, names, inodes, lookedAtMs, seen: undefined });
    this.#ask(app);
  }

  forget(app: string): void {
    this.#watched.delete(app);
  }

  /** At most once a second for an application, and never for one that nobody runs. */
  check(app: string): void {
    const watched = this.#watched.get(app);
    if (watched === undefined) return;
    if (this.#parts.now() - watched.lookedAtMs < LIMITS.changeCheckIntervalMs) return;
    watched.lookedAtMs = this.#parts.now();
    this.#ask(app);
  }

  get lookingCount(): number {
    return this.#looking.size;
  }

  #ask(app: string): void {
    const user = userOf(app);
    if (this.#looking.has(app) || !this.#queue.push(user, app)) return;
    this.#looking.add(app);
    this.#serve();
  }

  /** One thread is left to everybody else who reads a file. */
  get #hasThread(): boolean {
    return this.#queue.activeCount + this.#hung.size < Math.max(1, this.#parts.threads - 1);
  }

  #serve(): void {
    while (this.#hasThread) {
      const app = this.#queue.take();
      if (app === undefined) return;
      const watched = this.#watched.get(app);
      if (watched === undefined || this.#hung.has(userOf(app))) this.#done(app);
      else void this.#look(app, watched);
    }
  }

  #done(app: string): void {
    this.#looking.delete(app);
    this.#queue.done(userOf(app));
  }

  async #look(app: string, watched: Watched): Promise<void> {
    const { onChanged, onHung, look = signatureOf } = this.#parts;
    const user = userOf(app);
    const deadline = setTimeout(() => {
      this.#hung.set(user, watched);
      this.#done(app);
      onHung(app, watched.directory);
      this.#serve();
    }, LIMITS.changeLookDeadlineMs).unref();
    try {
      const seen = await look(watched);
      const isChanged = watched.seen !== undefined && watched.seen !== seen;
      watched.seen = seen;
      if (isChanged && this.#watched.get(app) === watched) onChanged(app);
    } finally {
      clearTimeout(deadline);
      if (this.#hung.get(user) === watched) this.#isBack(user);
      else this.#done(app);
      this.#serve();
    }
  }

  /** It may hang again: nobody of this user is looked at for a while. */
  #isBack(user: string): void {
    this.#hung.delete(user);
    const lookedAtMs = this.#parts.now() + LIMITS.changeHungPauseMs - LIMITS.changeCheckIntervalMs;
    for (const [app, watched] of this.#watched) {
      if (userOf(app) === user) watched.lookedAtMs = lookedAtMs;
    }
  }
}
