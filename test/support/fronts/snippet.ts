// The shipped configuration files with the values of a test in the place of the documented ones.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** dist/test/support/fronts/ lies four levels below the checkout. */
const CHECKOUT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Values that stand in the shipped files. */
export const SHIPPED_SOCKET = '/run/usherd/front/front.sock';

export const examplePath = (name: string): string => path.join(CHECKOUT, 'conf.example', name);

/**
 * Text of conf.example/`name` with every key of `values` replaced. A key that the file no longer has is an error:
 * the test would run with something else than what it says.
 */
export function snippet(name: string, values: ReadonlyMap<string, string>): string {
  let text = fs.readFileSync(examplePath(name), 'utf8');
  for (const [shipped, wanted] of values) {
    if (!text.includes(shipped)) throw new Error(`conf.example/${name} has no ${shipped}`);
    text = text.replaceAll(shipped, wanted);
  }
  return text;
}
