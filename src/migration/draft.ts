// What becomes of somebody else's configuration: files of usherd's as text, each line with where it comes from.

/** One file to be: keys of its [limits], settings for other places, and what has no counterpart. */
export class Draft {
  readonly file: string;
  readonly #limits = new Map<string, { readonly value: string; readonly from: string }>();
  readonly #elsewhere = new Map<string, string[]>();
  readonly #remarks: string[] = [];

  constructor(file: string) {
    this.file = file;
  }

  /** The last one of a key wins, as in the files that it comes from. */
  limit(key: string, value: string, from: string): void {
    this.#limits.delete(key);
    this.#limits.set(key, { value, from });
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
    const limits = [...this.#limits].map(([key, { value, from }]) => `${key} = ${value} # ${from}`);
    const elsewhere = [...this.#elsewhere].flatMap(([place, lines]) => [
      `# For ${place}:`,
      ...lines.map((line) => `#     ${line}`),
    ]);
    const remarks = this.#remarks.map((text) => `# ${text}`);
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
}

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
  readonly read: (text: string) => string | undefined;
  /** A second key that has to allow as much, and that allows `byDefault`: one more line where that is not enough. */
  readonly below?: { readonly key: string; readonly byDefault: number };
}

/** Applies a rule, or says that its value means nothing here. */
export function applyRule(
  draft: Draft,
  { key, read, below }: Rule,
  directive: string,
  value: string,
): void {
  const own = read(value);
  if (own === undefined)
    draft.remark(directive, `${value} is left out; the default of ${key} holds`);
  else draft.limit(key, own, directive);
  if (own === undefined || below === undefined || Number(own) <= below.byDefault) return;
  draft.limit(below.key, own, `${directive}, or ${key} would have no effect`);
}
