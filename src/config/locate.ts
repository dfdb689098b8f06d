// Finds the line of a key in TOML text, for messages. Expects text that the parser has taken: it skips, it does not judge.
import type { KeyPath } from './key-path.js';

/** Before each key of a path that is written as one string; TOML has it only escaped. */
const SEPARATOR = '\0';

/** A line for every key path of a text. */
export class KeyLines {
  readonly #lines = new Map<string, number>();

  constructor(text: string) {
    new Scanner(text, (path, line) => {
      if (!this.#lines.has(path)) this.#lines.set(path, line);
    }).scan();
  }

  /** The line (from 1) of the key or, where it does not stand in the text, of the nearest table above it. */
  lineOf(path: KeyPath): number {
    for (let length = path.length; length > 0; length -= 1) {
      const line = this.#lines.get(
        path.slice(0, length).reduce<Path>((table, key) => below(table, String(key)), ''),
      );
      if (line !== undefined) return line;
    }
    return 1;
  }
}

/** Empty for the root table. A string, because a long text has thousands. */
type Path = string;

/** Longer than any of ours: whatever is below such a table is placed at it, or every key below would cost as much again. */
const PATH_MAX_LENGTH = 300;

const below = (path: Path, key: string | number): Path =>
  path.length > PATH_MAX_LENGTH ? path : `${path}${SEPARATOR}${key}`;

/** Deeper than any key of ours. */
const KEY_DEPTH_MAX = 8;
type Found = (path: Path, line: number) => void;

/** One pass over the text, one position, no backtracking: linear in the length. */
class Scanner {
  readonly #text: string;
  readonly #found: Found;
  #at = 0;
  #line = 1;
  #table: Path = '';
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
    const last = isArray ? written.pop() : undefined;
    this.#table = this.#inLastElements(written, line);
    if (last === undefined) return;
    const array = below(this.#table, last);
    const index = this.#arrayLengths.get(array) ?? 0;
    this.#arrayLengths.set(array, index + 1);
    this.#found(array, line);
    this.#table = below(array, index);
    this.#found(this.#table, line);
  }

  /** `[a.b]` below `[[a]]` means the last element of `a`. */
  #inLastElements(written: readonly string[], line: number): Path {
    let path = '';
    for (const key of written) {
      path = below(path, key);
      this.#found(path, line);
      const length = this.#arrayLengths.get(path);
      if (length !== undefined) path = below(path, length - 1);
    }
    return path;
  }

  /** `a.b = value`, in a table or an inline table: a dotted key makes tables on the way to its value. */
  #pair(table: Path): void {
    const line = this.#line;
    let path = table;
    for (const key of this.#keys('=')) {
      path = below(path, key);
      this.#found(path, line);
    }
    this.#at += 1;
    this.#value(path);
  }

  /** A dotted key up to its end mark; of an absurdly deep one only the first parts, which keeps the scan linear. */
  #keys(end: ']' | '='): string[] {
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
      if (end === ']') this.#element(below(path, index));
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
