// Where a value stands: the names of the tables that lead to it, its own last.

export type KeyPath = readonly PropertyKey[];

/** Undefined where nothing stands there. Own properties only: a name such as `constructor` is nothing special. */
export function valueAt(table: unknown, path: KeyPath): unknown {
  let at = table;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return at;
}
