// Notices that the files which select and configure an application have changed, by lstat(2) of a few names and nothing more.
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { lstat, open, stat, type FileHandle } from 'node:fs/promises';
import { LIMITS } from '../limits.js';

/** What root may look at: as a member of the web server's group, without any capability above permissions. */
const RESTART_NAMES = ['tmp/restart.txt', 'restart.txt', 'usherd.toml', '.env', 'public'] as const;

interface Grounds {
  readonly directory: string;
  readonly entryNames: readonly string[];
  /**
   * Absolute, and nothing of a user's: what walls show is what was there when they went up, and a service may make its
   * directory in /run anew when it restarts.
   */
  readonly services?: readonly string[];
}

interface Watched {
  readonly directory: string;
  readonly names: readonly string[];
  readonly services: readonly string[];
  lookedAtMs: number;
  /** Undefined until the first look is back. */
  seen: string | undefined;
}

export class ChangeWatch {
  readonly #now: () => number;
  readonly #onChanged: (app: string) => void;
  /** Applications with living workers, and those whose last one died: a mended file ends their back-off. */
  readonly #watched = new Map<string, Watched>();
  readonly #looking = new Set<string>();

  constructor(now: () => number, onChanged: (app: string) => void) {
    this.#now = now;
    this.#onChanged = onChanged;
  }

  /** From the moment its first worker is started; the first look is what later ones are compared with. */
  watch(app: string, { directory, entryNames, services = [] }: Grounds): void {
    if (this.#watched.has(app)) return;
    const names = [...RESTART_NAMES, ...entryNames];
    if (this.#watched.size >= LIMITS.changeWatchMaxCount) {
      const [oldest] = this.#watched.keys();
      if (oldest !== undefined) this.#watched.delete(oldest);
    }
    this.#watched.set(app, {
      directory,
      names,
      services,
      lookedAtMs: this.#now(),
      seen: undefined,
    });
    void this.#look(app);
  }

  forget(app: string): void {
    this.#watched.delete(app);
  }

  /** At most once a second for an application, and never for one that nobody runs. */
  check(app: string): void {
    const watched = this.#watched.get(app);
    if (watched === undefined) return;
    if (this.#now() - watched.lookedAtMs < LIMITS.changeCheckIntervalMs) return;
    watched.lookedAtMs = this.#now();
    void this.#look(app);
  }

  get lookingCount(): number {
    return this.#looking.size;
  }

  async #look(app: string): Promise<void> {
    const watched = this.#watched.get(app);
    // Each look may hang with its file system, and holds one of libuv's few threads meanwhile.
    const isBusy =
      this.#looking.has(app) || this.#looking.size >= LIMITS.changeChecksInFlightMaxCount;
    if (watched === undefined || isBusy) return;
    this.#looking.add(app);
    try {
      const seen = await signatureOf(watched);
      const isChanged = watched.seen !== undefined && watched.seen !== seen;
      watched.seen = seen;
      if (isChanged && this.#watched.get(app) === watched) this.#onChanged(app);
    } finally {
      this.#looking.delete(app);
    }
  }
}

// open(2): a name for the file and no more, so that nothing is opened for reading. Node has no constant for it.
const O_PATH = 0o10000000;
const DIRECTORY = O_PATH | constants.O_DIRECTORY;

/**
 * One name after the other: all at once would take every thread for one application.
 * Component by component from descriptor to descriptor (R-M3): a link that the tenant makes leads root nowhere.
 */
async function signatureOf({ directory, names, services }: Watched): Promise<string> {
  const parts: string[] = [];
  for (const path of services) parts.push(await inodeOf(path));
  await within('/', directory.split('/').filter(Boolean), async (path) => {
    parts.push(await identityOf(path));
    for (const name of names) {
      const steps = name.split('/').filter((step) => step !== '' && step !== '.');
      const last = steps.pop();
      if (last === undefined) continue;
      parts.push(await within(path, steps, (below) => identityOf(`${below}/${last}`)));
    }
    return '';
  });
  return parts.join(' ');
}

/** What `look` says of the directory that the steps lead to; '-' where they lead to none. */
async function within(
  from: string,
  steps: readonly string[],
  look: (path: string) => Promise<string>,
): Promise<string> {
  const [step, ...others] = steps;
  if (step === undefined) return look(from);
  const next = await openStep(`${from}/${step}`);
  if (next === undefined) return '-';
  try {
    return await within(`/proc/self/fd/${next.fd}`, others, look);
  } finally {
    await next.close();
  }
}

/** Links that only root can make are followed, as /srv may be one; those in a directory of anybody else are not. */
async function openStep(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    const isRoots = await isRootOnly(dirname(path));
    return isRoots ? open(path, DIRECTORY).catch(() => undefined) : undefined;
  }
}

const isRootOnly = (directory: string): Promise<boolean> =>
  stat(directory).then(
    ({ uid, mode }) => uid === 0 && (mode & 0o022) === 0,
    () => false,
  );

/** Of what root or a service made: only whether it is still the same. */
const inodeOf = (path: string): Promise<string> =>
  stat(path, { bigint: true }).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => '-',
  );

/** A directory's own times change with every upload into it, so of one only its identity counts. */
async function identityOf(path: string): Promise<string> {
  try {
    const { dev, ino, mtimeNs, size, isDirectory } = await lstatOf(path);
    return isDirectory ? `${dev}:${ino}` : `${dev}:${ino}:${mtimeNs}:${size}`;
  } catch {
    return '-'; // not there, or not for our eyes: a home of mode 0700 is nobody's fault
  }
}

async function lstatOf(
  path: string,
): Promise<{ dev: bigint; ino: bigint; mtimeNs: bigint; size: bigint; isDirectory: boolean }> {
  // Through a descriptor's own name the directory itself is meant, not the link in /proc.
  const stats = await (OWN_DESCRIPTOR.test(path) ? stat : lstat)(path, { bigint: true });
  const { dev, ino, mtimeNs, size } = stats;
  return { dev, ino, mtimeNs, size, isDirectory: stats.isDirectory() };
}

const OWN_DESCRIPTOR = /^\/proc\/self\/fd\/[0-9]+$/;
