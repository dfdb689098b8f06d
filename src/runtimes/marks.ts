// The file names that the launcher looks for in an application, and what was seen of them.
import type { RuntimeConfig } from '../config/index.js';

/** What the launcher saw of one name. */
export interface Mark {
  readonly name: string;
  readonly uid: number;
  readonly mode: number;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
}

export const PUBLIC_DIRECTORY = 'public';
/** A directory with one of them is that script's; the first that is there. */
export const INDEX_SCRIPTS = ['index.php', 'index.cgi'] as const;

/** Touching one of them restarts the application gracefully; the manifest's change does, too. */
const RESTART_NAMES = ['usherd.toml', 'tmp/restart.txt', 'restart.txt'] as const;

/** Every name that selects a runtime, shapes an application or asks for its restart. */
export function markNames(runtimes: ReadonlyMap<string, RuntimeConfig>): readonly string[] {
  const markers = [...runtimes.values()].flatMap((runtime) => runtime.markers);
  const files = [...runtimes.values()].flatMap(({ variants = [] }) => variants);
  const inPublic = INDEX_SCRIPTS.map((name) => `${PUBLIC_DIRECTORY}/${name}`);
  const shaping = [PUBLIC_DIRECTORY, ...INDEX_SCRIPTS, ...inPublic];
  const named = [...markers, ...files.map(({ file }) => file)];
  return [...new Set([...shaping, ...named, ...RESTART_NAMES])];
}

/** The marks by name. A link counts as what it is called: the kernel follows it, as the tenant. */
export class Seen {
  readonly #marks: ReadonlyMap<string, Mark>;

  constructor(marks: readonly Mark[]) {
    this.#marks = new Map(marks.map((mark) => [mark.name, mark]));
  }

  directory(name: string): boolean {
    const kind = this.#marks.get(name)?.kind;
    return kind === 'directory' || kind === 'link';
  }

  /** Whatever it is. */
  mark(name: string): Mark | undefined {
    return this.#marks.get(name);
  }

  file(name: string): Mark | undefined {
    const mark = this.#marks.get(name);
    return mark?.kind === 'file' || mark?.kind === 'link' ? mark : undefined;
  }
}
