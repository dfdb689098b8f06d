// Words that a tenant may have had a hand in, made safe for a log, a terminal and a frame (security.md R-A3).
import { LIMITS } from '../limits.js';

/** Everything outside printable ASCII becomes `?`; longer text is cut and ends in `...`. */
export function printable(text: string, maxLength: number = LIMITS.ipcDetailMaxChars): string {
  const ascii = text.slice(0, maxLength + 1).replace(/[^\x20-\x7e]/g, '?');
  return ascii.length <= maxLength ? ascii : `${ascii.slice(0, maxLength - 3)}...`;
}
