// A machine that is broken for one command only: mounts that nobody else sees.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { needsRoot } from './needs-root.js';

const SHELL = ['unshare', '--mount', '--propagation=private', 'sh', '-c'] as const;

/** A /usr/bin in which programs may be removed and replaced. */
export const OVERLAY = `mount -t tmpfs none /mnt && mkdir /mnt/above /mnt/work &&
mount -t overlay overlay -o lowerdir=/usr/bin,upperdir=/mnt/above,workdir=/mnt/work /usr/bin`;

/** The command line that does this first. */
export const withMounts = (setup: string, argv: readonly string[]): readonly string[] =>
  setup === '' ? argv : [...SHELL, `{ ${setup}; } && exec "$@"`, 'sh', ...argv];

function reason(): string | false {
  if (needsRoot !== false) return needsRoot;
  if (!existsSync('/usr/bin/bwrap')) return 'bubblewrap is not installed';
  const [program = '', ...args] = withMounts(OVERLAY, ['true']);
  const { status, stderr } = spawnSync(program, args);
  return status === 0 ? false : `no mounts of our own here: ${stderr.toString().trim()}`;
}

/** Why not, or false. */
export const needsMounts = reason();
