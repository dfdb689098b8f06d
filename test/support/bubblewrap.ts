// Whether walls can be tried here: as root, with bubblewrap, and with a kernel that lets ordinary users make namespaces.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { needsRoot } from './needs-root.js';

const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'];
const TRIAL = [
  'bwrap',
  '--unshare-user',
  '--unshare-pid',
  '--ro-bind',
  '/',
  '/',
  '--proc',
  '/proc',
];

function reason(): string | false {
  if (needsRoot !== false) return needsRoot;
  if (!existsSync('/usr/bin/bwrap')) return 'bubblewrap is not installed';
  const { status, stderr } = spawnSync('setpriv', [...NOBODY, '--', ...TRIAL, 'true']);
  return status === 0 ? false : `no user namespaces here: ${stderr.toString().trim()}`;
}

/** Why not, or false. */
export const needsWalls = reason();
