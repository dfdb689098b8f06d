// What a launcher says about an application directory, line by line, and nothing that it was not asked for.
//
//   D <path>                          where `cd` led, without symbolic links
//   S <name>|<uid>|<mode>|<size>|<mtime>|<links>    lstat(2) of `.`, of a name, or of a component of the path
//   F                                 the manifest follows: raw bytes, ended by "\nL <nonce>\n"
//   L <nonce>                         the end
//   E <reason> [<path>]               the directory cannot be entered; instead of all the above
import { UsherdError } from '../errors.js';

export type MarkKind = 'file' | 'directory' | 'link' | 'other';

export interface Mark {
  readonly name: string;
  readonly uid: number;
  /** Permission bits, with set-id and sticky. */
  readonly mode: number;
  readonly kind: MarkKind;
  readonly sizeBytes: number;
  readonly mtimeS: number;
  readonly links: number;
}

/** The report as the launcher made it; no rule has been applied yet. */
export interface Sighting {
  readonly physicalDirectory: string;
  readonly directory: Mark;
  readonly marks: readonly Mark[];
  /** Of the asked path, outermost first, as far as they are there; only if `cd` led elsewhere than it says. */
  readonly components: readonly Mark[];
  readonly manifestBytes: Buffer | undefined;
}

const STAT_LINE =
  /^S (.+)\|([0-9]{1,10})\|([0-9a-f]{1,8})\|([0-9]{1,16})\|(-?[0-9]{1,15})\|([0-9]{1,10})$/;

const FILE_TYPE_MASK = 0o170000;
const KINDS: ReadonlyMap<number, MarkKind> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'link'],
]);

/** @throws UsherdError E_PRIVDROP_REPORT */
export function outsideDialogue(what: string): never {
  throw new UsherdError('E_PRIVDROP_REPORT', what);
}

function parseMark(line: string): Mark {
  const match = STAT_LINE.exec(line);
  if (match === null) outsideDialogue('a stat line is malformed');
  const [, name = '', uid, mode = '', size, mtime, links] = match;
  const modeBits = Number.parseInt(mode, 16);
  return {
    name,
    uid: Number(uid),
    mode: modeBits & 0o7777,
    kind: KINDS.get(modeBits & FILE_TYPE_MASK) ?? 'other',
    sizeBytes: Number(size),
    mtimeS: Number(mtime),
    links: Number(links),
  };
}

/** `/srv`, `/srv/alice`, … of an absolute path. */
export function componentsOf(path: string): readonly string[] {
  const names = path.split('/').slice(1);
  return names.map((_, i) => `/${names.slice(0, i + 1).join('/')}`);
}

export class ReportReader {
  readonly #directory: string;
  readonly #marks = new Map<string, Mark | undefined>();
  #physicalDirectory: string | undefined;
  #manifestBytes: Buffer | undefined;

  constructor(directory: string, names: readonly string[]) {
    this.#directory = directory;
    for (const name of ['.', ...names, ...componentsOf(directory)]) {
      this.#marks.set(name, undefined);
    }
  }

  /** `D` or `S`; the dialogue itself knows the other lines. */
  line(line: string): void {
    if (this.#physicalDirectory === undefined) {
      if (!line.startsWith('D /')) outsideDialogue('the directory is not the first line');
      this.#physicalDirectory = line.slice(2);
      return;
    }
    this.#keep(parseMark(line));
  }

  /** Keeps a view; the caller does not change the bytes. */
  manifest(bytes: Buffer): void {
    this.#manifestBytes = bytes;
  }

  #keep(mark: Mark): void {
    if (!this.#marks.has(mark.name)) outsideDialogue('a stat line for a name that was not asked');
    if (this.#marks.get(mark.name) !== undefined) outsideDialogue('two stat lines for one name');
    this.#marks.set(mark.name, mark);
  }

  end(): Sighting {
    const seen = [...this.#marks.values()].filter((mark) => mark !== undefined);
    const directory = this.#marks.get('.');
    if (this.#physicalDirectory === undefined || directory === undefined) {
      outsideDialogue('the report ends without the directory');
    }
    const isComponent = (mark: Mark): boolean => mark.name.startsWith('/');
    const components = seen.filter(isComponent);
    if (this.#physicalDirectory === this.#directory && components.length > 0) {
      outsideDialogue('components of a path without links');
    }
    return {
      physicalDirectory: this.#physicalDirectory,
      directory,
      marks: seen.filter((mark) => mark !== directory && !isComponent(mark)),
      components,
      manifestBytes: this.#manifestBytes,
    };
  }
}
