// The version, read from package.json: of the checkout or of the installed package, which lie alike.
import { readFileSync } from 'node:fs';

export function readVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: unknown };
  return typeof version === 'string' ? version : 'unknown';
}
