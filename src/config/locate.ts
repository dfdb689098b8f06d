// Finds the line of a key in TOML text, for messages. Expects text that the parser has taken: it skips, it does not judge.

export type KeyPath = readonly PropertyKey[];

/** A line for every key path of a text. */
export class KeyLines {
  readonly #lines = new Map<string, number>();

  constructor(text: string) {
    new Scanner(text, (path, line) => {
      const key = path.join('\0');
      if (!this.#lines.has(key)) this.#lines.set(key, line);
    }).scan();
  }

  /** The line (from 1) of the key or, where it does not stand in the text, of the nearest table above it. */
  lineOf(path: KeyPath): number {
    for (let length = path.length; length > 0; length -= 1) {
      const line = this.#lines.get(path.slice(0, length).map(String).join('\0'));
      if (line !== undefined) return line;
    }
    return 1;
  }
}

type Path = readonly string[];

/** Deeper than any key of ours. */
const KEY_DEPTH_MAX = 8;
type Found = (path: Path, line: number) => void;

/** One pass over the text, one position, no backtracking: linear in the length. */
class Scanner {
  readonly #text: string;
  readonly #found: Found;
  #at = 0;
  #line = 1;
  #table: Path = [];
  /** How many `[[x]]` came so far, by path. */
  readonly #arrayLengths = new Map<string, number>();

  constructor(text: string, found: Found) {
    this.#text = text;
    this.#found = found;
  }

  scan(): void {
    if (this.#text.startsWith('\ufeff')) this.#at = 1;
    this.#skipBlank();
    while (this.#at < this.#text.length) {
      if (this.#peek() === '[') this.#header();
      else this.#pair(this.#table);
      this.#skipBlank();
    }
  }

  #header(): void {
    const line = this.#line;
    const isArray = this.#text.startsWith('[[', this.#at);
    this.#at += isArray ? 2 : 1;
    const written = this.#keys(']');
    this.#at += isArray ? 2 : 1;
    this.#table = this.#inLastElements(isArray ? written.slice(0, -1) : written);
    const last = written.at(-1);
    if (isArray && last !== undefined) {
      const array = [...this.#table, last];
      const index = this.#arrayLengths.get(array.join('\0')) ?? 0;
      this.#arrayLengths.set(array.join('\0'), index + 1);
      this.#found(array, line);
      this.#table = [...array, String(index)];
    }
    this.#report([], this.#table, line);
  }

  /** `[a.b]` below `[[a]]` means the last element of `a`. */
  #inLastElements(written: Path): Path {
    const path: string[] = [];
    for (const key of written) {
      path.push(key);
      const length = this.#arrayLengths.get(path.join('\0'));
      if (length !== undefined) path.push(String(length - 1));
    }
    return path;
  }

  /** `a.b = value`, in a table or an inline table. */
  #pair(table: Path): void {
    const line = this.#line;
    const path = [...table, ...this.#keys('=')];
    this.#at += 1;
    this.#report(table, path, line);
    this.#value(path);
  }

  /** Reports the path and the tables that a dotted key makes on the way to it. */
  #report(known: Path, path: Path, line: number): void {
    for (let length = known.length + 1; length <= path.length; length += 1) {
      this.#found(path.slice(0, length), line);
    }
  }

  /** A dotted key up to its end mark; of an absurdly deep one only the first parts, which keeps the scan linear. */
  #keys(end: ']' | '='): Path {
    const keys: string[] = [];
    for (;;) {
      this.#skipSpace();
      const key = this.#key();
      if (keys.length < KEY_DEPTH_MAX) keys.push(key);
      this.#skipSpace();
      if (this.#peek() !== '.') break;
      this.#at += 1;
    }
    while (this.#at < this.#text.length && this.#peek() !== end) this.#at += 1;
    return keys;
  }

  #key(): string {
    const quote = this.#peek();
    const start = this.#at;
    if (quote === '"' || quote === "'") {
      this.#string();
      return this.#text.slice(start + 1, this.#at - 1);
    }
    this.#match(/[A-Za-z0-9_-]*/y);
    return this.#text.slice(start, this.#at);
  }

  #value(path: Path): void {
    this.#skipSpace();
    const first = this.#peek();
    if (first === '[') this.#list(path, ']');
    else if (first === '{') this.#list(path, '}');
    else if (first === '"' || first === "'") this.#string();
    else this.#match(/[^,\]}#\n]*/y);
  }

  /** An array or an inline table. As deep as the parser allowed, so recursion is bounded. */
  #list(path: Path, end: ']' | '}'): void {
    this.#at += 1;
    for (let index = 0; this.#at < this.#text.length; index += 1) {
      this.#skipBlank();
      if (this.#peek() === end) break;
      if (end === ']') this.#element([...path, String(index)]);
      else this.#pair(path);
      this.#skipBlank();
      if (this.#peek() !== ',') break;
      this.#at += 1;
    }
    this.#at += 1;
  }

  #element(path: Path): void {
    this.#found(path, this.#line);
    this.#value(path);
  }

  #string(): void {
    const quote = this.#peek();
    const triple = quote.repeat(3);
    const isMultiline = this.#text.startsWith(triple, this.#at);
    const end = isMultiline ? triple : quote;
    for (this.#at += end.length; this.#at < this.#text.length; this.#at += 1) {
      if (this.#text.startsWith(end, this.#at)) break;
      if (quote === '"' && this.#peek() === '\\') this.#at += 1;
      if (this.#peek() === '\n') this.#line += 1;
    }
    this.#at += end.length;
    // One or two quotes more belong to the text of a multi-line string.
    while (isMultiline && this.#peek() === quote) this.#at += 1;
  }

  #skipSpace(): void {
    this.#match(/[ \t]*/y);
  }

  /** Space, line ends and comments. */
  #skipBlank(): void {
    for (; this.#at < this.#text.length; this.#at += 1) {
      const char = this.#peek();
      if (char === '#') this.#match(/[^\n]*/y);
      if (this.#peek() === '\n') this.#line += 1;
      else if (this.#peek() !== ' ' && char !== '\t' && char !== '\r') return;
    }
  }

  #match(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    this.#at += pattern.exec(this.#text)?.[0].length ?? 0;
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }
}
