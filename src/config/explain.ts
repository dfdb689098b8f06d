// From zod's issues to findings: which line, what was found, what is expected, what to do.
import type { z } from 'zod';
import type { Finding } from '../errors.js';
import { valueAt, type KeyPath } from './key-path.js';
import { KeyLines } from './locate.js';
import { nearestName } from './nearest.js';
import { keyPathsOf, knownKeysAt } from './schema-keys.js';
import { shown } from './shown.js';
import type { Table } from './toml.js';

/** One file of which findings are made. */
export interface Source {
  /** What findings call it. */
  readonly name: string;
  readonly text: string;
  readonly table: Table;
  readonly schema: z.ZodType;
  /** More would not be read, and a hostile text could make thousands. */
  readonly findingsMax: number;
}

interface Placed {
  readonly line: number;
  readonly finding: Finding;
}

/** Makes findings for one file; the lines are looked up only when there is something to say. */
export class Explainer {
  readonly #source: Source;
  #keyLines: KeyLines | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  /** `file:line` of a key. */
  place(path: KeyPath): string {
    return `${this.#source.name}:${this.#lineOf(path)}`;
  }

  /** Findings in the order of the file. */
  issues(issues: readonly z.core.$ZodIssue[]): readonly Finding[] {
    const { findingsMax } = this.#source;
    return issues
      .slice(0, findingsMax)
      .flatMap((issue) => this.#issue(issue))
      .slice(0, findingsMax)
      .sort((one, other) => one.line - other.line)
      .map(({ finding }) => finding);
  }

  #lineOf(path: KeyPath): number {
    this.#keyLines ??= new KeyLines(this.#source.text);
    return this.#keyLines.lineOf(path);
  }

  #issue(issue: z.core.$ZodIssue): readonly Placed[] {
    if (issue.code === 'unrecognized_keys') {
      const keys = issue.keys.slice(0, this.#source.findingsMax);
      return keys.map((key) => ({
        line: this.#lineOf([...issue.path, key]),
        finding: this.#unknownKey(issue.path, key),
      }));
    }
    const finding =
      issue.code === 'invalid_key'
        ? this.#badName(issue.path, issue.issues[0]?.message)
        : this.#badValue(issue);
    return [{ line: this.#lineOf(issue.path), finding }];
  }

  #unknownKey(path: KeyPath, key: string): Finding {
    const known = knownKeysAt(this.#source.schema, path);
    return {
      rule: 'config-unknown-key',
      path: this.place([...path, key]),
      found: `the key ${shown(key)} in ${tableName(path)}`,
      expected: `one of ${known.join(', ')}`,
      remedy: this.#remedyFor(key, known, path),
    };
  }

  #remedyFor(key: string, known: readonly string[], path: KeyPath): string {
    const nearest = nearestName(key, known);
    if (nearest !== undefined) return `did you mean ${nearest}?`;
    const here = path.map(String).join('.');
    const elsewhere = keyPathsOf(this.#source.schema).find(
      (other) => other.at(-1) === key && other.slice(0, -1).join('.') !== here,
    );
    return elsewhere === undefined
      ? 'delete the line'
      : `put it into ${tableName(elsewhere.slice(0, -1))}, where it belongs`;
  }

  #badName(path: KeyPath, expected = 'another name'): Finding {
    return {
      rule: 'config-name',
      path: this.place(path),
      found: `the name ${shown(path.at(-1))} in ${tableName(path.slice(0, -1))}`,
      expected,
      remedy: 'choose another name',
    };
  }

  #badValue(issue: z.core.$ZodIssue): Finding {
    const { path } = issue;
    const found = valueAt(this.#source.table, path);
    const name = path.map(shownPart).join('.');
    return {
      rule: 'config-value',
      path: this.place(path),
      found:
        found === undefined
          ? 'nothing'
          : `${name} is ${isSecret(path) ? kindOf(found) : shown(found)}`,
      expected: issue.message,
      remedy: remedyFrom(path, exampleOf(issue)),
    };
  }
}

/** Values of environments may be passwords: no message shows them. */
const isSecret = (path: KeyPath): boolean => path.includes('env') || path.includes('environment');

const kindOf = (value: unknown): string => (typeof value === 'string' ? 'some text' : 'no text');

function remedyFrom(path: KeyPath, example: string | undefined): string {
  if (example === undefined) return 'write what is expected, or delete it';
  const key = path.findLast((part) => typeof part === 'string') ?? 'the key';
  const value = typeof path.at(-1) === 'number' ? `[${example}]` : example;
  return `write, for example, ${shownPart(key)} = ${value}`;
}

/** `[limits]`, or the file itself. */
const tableName = (path: KeyPath): string =>
  path.length === 0 ? 'the file, outside of any [table]' : `[${path.map(shownPart).join('.')}]`;

const shownPart = (part: PropertyKey): string =>
  /^[A-Za-z0-9_-]{1,64}$/.test(String(part)) ? String(part) : shown(String(part));

function exampleOf(issue: z.core.$ZodIssue): string | undefined {
  const hint: unknown = issue.code === 'custom' ? issue.params?.['example'] : undefined;
  return typeof hint === 'string' ? hint : undefined;
}
