// Tells the router where root's links of virtual hosts lead, and what changes among them; root reads nothing but its own directory.
import { LIMITS } from '../limits.js';
import type { Finding } from '../errors.js';
import type { Log } from './log-face.js';

/** How the links are read; given from outside, because the rules of trusted paths belong to the configuration. */
export interface VhostReader {
  /** Another text whenever a link was made, moved or removed. */
  version(directory: string): Promise<string>;
  read(directory: string): Promise<{
    readonly links: ReadonlyMap<string, string>;
    readonly findings: readonly Finding[];
  }>;
}

export interface VhostWatchParts {
  readonly reader: VhostReader;
  /** '' for none. */
  readonly directory: () => string;
  readonly log: Log;
  /** `directory` is '' for a host that is gone. */
  readonly tell: (host: string, directory: string) => void;
}

export class VhostWatch {
  readonly #parts: VhostWatchParts;
  #links: ReadonlyMap<string, string> = new Map();
  #seen = '';
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(parts: VhostWatchParts) {
    this.#parts = parts;
  }

  /** The first look is over when it settles. */
  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), LIMITS.vhostsCheckIntervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** To a router that has just come. */
  tellAll(): void {
    for (const [host, directory] of this.#links) this.#parts.tell(host, directory);
  }

  /** One at a time: a file system that hangs keeps one look waiting, and nothing else. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const directory = this.#parts.directory();
      const version = `${directory} ${await this.#parts.reader.version(directory)}`;
      if (version === this.#seen) return;
      const { links, findings } = await this.#parts.reader.read(directory);
      for (const { path, rule, found, remedy } of findings) {
        this.#parts.log.warn({ path, rule, found, remedy }, 'virtual host not believed');
      }
      this.#change(links);
      this.#seen = version;
    } catch (err) {
      // What is known stays until somebody can look again.
      const wasSeen = this.#seen === 'unreadable';
      this.#seen = 'unreadable';
      if (!wasSeen) this.#parts.log.warn({ err: String(err) }, 'virtual hosts not read');
    } finally {
      this.#isLooking = false;
    }
  }

  #change(links: ReadonlyMap<string, string>): void {
    const before = this.#links;
    this.#links = links;
    for (const host of before.keys()) if (!links.has(host)) this.#parts.tell(host, '');
    for (const [host, directory] of links) {
      if (before.get(host) !== directory) this.#parts.tell(host, directory);
    }
  }
}
