// One configuration file on its way from the disk to a checked table, keeping what is needed to say where things stand.
import type { z } from 'zod';
import { LIMITS } from '../limits.js';
import { Explainer } from './explain.js';
import type { KeyPath } from './key-path.js';
import { readText, type ReadOptions } from './read-text.js';
import type { Refusals } from './refusals.js';
import { parseToml, type Table } from './toml.js';

export interface SourceFile<T> {
  readonly explainer: Explainer;
  readonly text: string;
  /** What the schema took; keys with mistakes are left out. */
  readonly table: T;
  /** First keys below which something was left out: rules between keys must not judge those. */
  readonly troubled: ReadonlySet<string>;
}

/** 'missing' if there is no such file and there need not be; 'refused' after saying why in `refusals`. */
export async function readSource<T>(
  path: string,
  schema: z.ZodType<T>,
  options: ReadOptions,
): Promise<SourceFile<T> | 'missing' | 'refused'> {
  const read = await readText(path, options);
  return typeof read === 'string'
    ? read
    : parseSource({ name: path, text: read.text }, schema, options.refusals);
}

function parseSource<T>(
  { name, text }: { readonly name: string; readonly text: string },
  schema: z.ZodType<T>,
  refusals: Refusals,
): SourceFile<T> | 'refused' {
  const parsed = parseToml(text, name);
  if (!parsed.ok) {
    refusals.add('E_CONFIG_INVALID', [parsed.finding]);
    return 'refused';
  }
  const { table } = parsed;
  const findingsMax = LIMITS.configFindingsMaxCount;
  const explainer = new Explainer({ name, text, table, schema, findingsMax });
  const result = schema.safeParse(table);
  if (result.success) return { explainer, text, table: result.data, troubled: new Set() };
  const { issues } = result.error;
  refusals.add('E_CONFIG_INVALID', explainer.issues(issues));
  const sound = schema.safeParse(withoutIssues(table, issues));
  return sound.success
    ? { explainer, text, table: sound.data, troubled: firstKeys(issues) }
    : 'refused';
}

/** A copy without the keys that have issues, so that what is sound can be judged in the same run. */
function withoutIssues(table: Table, issues: readonly z.core.$ZodIssue[]): Table {
  const copy = structuredClone(table);
  for (const issue of issues) {
    const names = issue.code === 'unrecognized_keys' ? issue.keys : [];
    if (names.length === 0) remove(copy, topmost(issue.path));
    for (const name of names) remove(copy, [...issue.path, name]);
  }
  return copy;
}

/** An element of a list goes with its list: without it the list would mean something else. */
function topmost(path: KeyPath): KeyPath {
  const element = path.findIndex((part) => typeof part === 'number');
  return element < 0 ? path : path.slice(0, element);
}

function remove(table: Table, path: KeyPath): void {
  let at: unknown = table;
  for (const key of path.slice(0, -1)) at = isTable(at) ? at[String(key)] : undefined;
  const last = path.at(-1);
  if (isTable(at) && last !== undefined) Reflect.deleteProperty(at, last);
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const firstKeys = (issues: readonly z.core.$ZodIssue[]): ReadonlySet<string> =>
  new Set(
    issues.flatMap((issue) =>
      issue.path.length === 0 && issue.code === 'unrecognized_keys'
        ? issue.keys
        : [String(issue.path[0])],
    ),
  );
