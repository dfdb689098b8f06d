// Limits for people: how long, and where in the configuration it stands.
import { ERRORS } from '../errors.js';
import type { Passed } from './deadlines.js';

const ORIGINS: ReadonlyMap<string, string> = new Map([
  ['default', 'the default'],
  ['usherd.toml', 'from usherd.toml of the administrator'],
  ['users', 'from the settings of the user'],
  ['manifest', 'from usherd.toml of the application'],
]);

/** `limitFrom` of a deadline, or an origin of the facts. */
export const originInWords = (origin: string): string => ORIGINS.get(origin) ?? 'which is fixed';

export const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

/** Which deadline it was, how long it is, and who says so. */
export function passedInWords({ code, limitMs, limitFrom }: Passed): string {
  const name = ERRORS[code].reason.replaceAll('-', '_'); // the reason is called as the key is
  return `${name} is ${seconds(limitMs)}, ${originInWords(limitFrom)}`;
}
