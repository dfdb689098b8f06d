// Whether a file can be read by every account: what another uid has to run must not lie in somebody's private directory.
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const OTHERS_READ = 0o4;
const OTHERS_SEARCH = 0o1;

/** True if any account may read `path` and pass every directory above it. ACLs are not looked at. */
export function isReachable(path: string): boolean {
  const real = realpathSync(path);
  if ((statSync(real).mode & OTHERS_READ) === 0) return false;
  for (let above = dirname(real); ; above = dirname(above)) {
    if ((statSync(above).mode & OTHERS_SEARCH) === 0) return false;
    if (above === dirname(above)) return true;
  }
}
