// Reads the known keys back out of a zod schema, so that messages and the test of conf.example never repeat the list.
import { z } from 'zod';

/** `*` stands for a name that the administrator chooses, as in `runtimes.*.command`. */
const ANY_NAME = '*';

/** The keys that a table at this path of the data may have; empty where it may have any, or is no table. */
export function knownKeysAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = unwrap(schema);
  for (const key of path) at = unwrap(childOf(at, String(key)));
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

/** Every path of keys that ends in a value, tables inside lists included. */
export function keyPathsOf(schema: unknown, above: readonly string[] = []): string[][] {
  const at = unwrap(schema);
  if (at instanceof z.ZodObject) {
    return Object.entries(at.shape).flatMap(([key, child]) => keyPathsOf(child, [...above, key]));
  }
  if (at instanceof z.ZodRecord) return keyPathsOf(at.valueType, [...above, ANY_NAME]);
  if (at instanceof z.ZodArray && unwrap(at.element) instanceof z.ZodObject) {
    return keyPathsOf(at.element, above);
  }
  return [[...above]];
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodOptional ? unwrap(schema.unwrap()) : schema;
}

function childOf(schema: unknown, key: string): unknown {
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<string, unknown>> = schema.shape;
    return shape[key];
  }
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return schema instanceof z.ZodArray ? schema.element : undefined;
}
