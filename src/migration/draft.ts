// What becomes of somebody else's configuration: files of usherd's as text, each line with where it comes from.

/** A limit as one pool or one virtual host has it. */
interface Source {
  readonly value: string;
  readonly from: string;
}

/** One file to be: keys of its [limits], settings for other places, and what has no counterpart. */
export class Draft {
  readonly file: string;
  /** Of each key, by pool or virtual host: those of one user come into one file. */
  readonly #limits = new Map<string, Map<string, Source>>();
  readonly #summed = new Set<string>();
  readonly #elsewhere = new Map<string, string[]>();
  readonly #remarks: string[] = [];

  constructor(file: string) {
    this.file = file;
  }

  /** The last one of a place wins, as in the files that it comes from. */
  limit(key: string, source: Source, place: string): void {
    const places = this.#limits.get(key) ?? new Map<string, Source>();
    this.#limits.set(key, places.set(place, source));
  }

  /** A limit that all places share has to have room for each of them. */
  sharedLimit(key: string, source: Source, place: string): void {
    this.#summed.add(key);
    this.limit(key, source, place);
  }

  /** A line for another file, such as an application's own. */
  elsewhere(place: string, line: string): void {
    const lines = this.#elsewhere.get(place) ?? [];
    lines.push(line);
    this.#elsewhere.set(place, lines);
  }

  remark(directive: string, text: string): void {
    this.#remarks.push(`${directive}: ${text}`);
  }

  /** Valid TOML: everything but the limits is in comments. */
  toString(): string {
    const limits = [...this.#limits.keys()].map((key) => this.#limitLine(key));
    const elsewhere = [...this.#elsewhere].flatMap(([place, lines]) => [
      `# For ${place}:`,
      ...lines.map((line) => `#     ${line}`),
    ]);
    const remarks = [...this.#remarks, ...this.#smallerLimits()].map((text) => `# ${text}`);
    const blocks = [
      [`# ${this.file}`],
      limits.length > 0 ? ['[limits]', ...limits] : [],
      elsewhere,
      remarks,
    ];
    return blocks
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.map(printable).join('\n'))
      .join('\n\n');
  }

  #limitLine(key: string): string {
    const sources = [...(this.#limits.get(key)?.values() ?? [])];
    const from = [...new Set(sources.map((source) => source.from))].join('; ');
    if (this.#summed.has(key) && sources.length > 1) {
      const sum = sources.reduce((total, { value }) => total + Number(value), 0);
      return `${key} = ${sum} # ${from}, of ${sources.length} together`;
    }
    return `${key} = ${largest(sources)} # ${from}`;
  }

  /** An application makes a limit of its user smaller, never larger; so the largest is the user's. */
  *#smallerLimits(): Iterable<string> {
    for (const [key, places] of this.#limits) {
      const most = largest([...places.values()]);
      for (const [place, { value, from }] of this.#summed.has(key) ? [] : places) {
        if (amountOf(value) < amountOf(most)) {
          yield `${from}: ${place} has ${value}; for that, ${key} = ${value} in [limits] of its own usherd.toml`;
        }
      }
    }
  }
}

/** All values of one key have one unit. */
const amountOf = (value: string): number => Number(/\d+/.exec(value)?.[0]);

const largest = (sources: readonly Source[]): string =>
  sources
    .map(({ value }) => value)
    .reduce((most, value) => (amountOf(value) > amountOf(most) ? value : most));

/** What is copied from a file must not end a comment, or say something to a terminal. */
const printable = (line: string): string => line.replace(/\p{C}/gu, '?');

/** Text as a TOML string. */
export const quote = (text: string): string => JSON.stringify(text);

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** "90", "90s", "2m", "1h" and "1d" as a duration of ours; undefined for 0, which means "never" there, and for nonsense. */
export function duration(text: string): string | undefined {
  const [, digits, unit = 's'] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
  const seconds = Number(digits) * (SECONDS[unit === '' ? 's' : unit] ?? 0);
  return seconds > 0 ? quote(`${seconds}s`) : undefined;
}

export const count = (text: string): string | undefined =>
  /^[1-9]\d{0,8}$/.test(text) ? text : undefined;

export const bytes = (text: string): string | undefined =>
  /^[1-9]\d{0,14}$/.test(text) ? quote(`${text}B`) : undefined;

/** How a directive becomes a key of [limits]. */
export interface Rule {
  readonly key: string;
  /** A second key that takes the same. */
  readonly also?: string;
  readonly read: (text: string) => string | undefined;
  /** A second key that has to allow as much, and that allows `byDefault`: one more line where that is not enough. */
  readonly below?: { readonly key: string; readonly byDefault: number };
}

/** A directive, and the pool or virtual host that it stands in. */
export interface Directive {
  readonly name: string;
  readonly value: string;
  readonly place: string;
}

/** Applies a rule, or says that its value means nothing here. */
export function applyRule(draft: Draft, rule: Rule, { name, value, place }: Directive): void {
  const { key, also, read, below } = rule;
  const own = read(value);
  if (own === undefined) {
    draft.remark(name, `${value} is left out; the default of ${key} holds`);
    return;
  }
  for (const each of [key, also]) {
    if (each !== undefined) draft.limit(each, { value: own, from: name }, place);
  }
  if (below === undefined || Number(own) <= below.byDefault) return;
  const from = `${name}, or ${key} would have no effect`;
  draft.sharedLimit(below.key, { value: own, from }, place);
}
