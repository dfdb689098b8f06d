// The directory of virtual hosts: one link a host, made by root, that leads to an application. Nothing below its target is looked at.
// Whose a link is says nothing here: nobody but root can make one in this directory, and gives it to the user (cli/vhost.ts).
import { lstat, opendir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import { HOST_NAME } from './names.js';
import { directoryFindings, trustedUids } from './trusted-path.js';

export interface VhostLinks {
  /** From host to where its link leads. */
  readonly links: ReadonlyMap<string, string>;
  /** Why the directory, or an entry of it, is not believed. */
  readonly findings: readonly Finding[];
}

/** Around a name and a target, when the router is told of them. */
const MESSAGE_BYTES = 64;
/** A plain path that the link's text is taken for; nothing is resolved. */
const TARGET = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\p{Cc}]+)+$/u;

const isMissing = (err: unknown): boolean =>
  err instanceof Error && 'code' in err && err.code === 'ENOENT';

/** Changes whenever a link is made, moved or removed; '' where there is no directory. */
export async function vhostsVersion(directory: string): Promise<string> {
  if (directory === '') return '';
  try {
    const { dev, ino, mtimeNs, ctimeNs } = await lstat(directory, { bigint: true });
    return `${dev} ${ino} ${mtimeNs} ${ctimeNs}`;
  } catch (err) {
    if (isMissing(err)) return '';
    throw err;
  }
}

/** Never more than there may be; a directory that somebody else could write to has none. */
export async function readVhosts(
  directory: string,
  requireRootOwned: boolean,
): Promise<VhostLinks> {
  const links = new Map<string, string>();
  if ((await vhostsVersion(directory)) === '') return { links, findings: [] };
  const trusted = trustedUids(requireRootOwned);
  const untrusted = await directoryFindings(directory, trusted);
  if (untrusted.length > 0) return { links, findings: untrusted };
  const findings: Finding[] = [];
  let bytes = 0;
  for await (const entry of await opendir(directory)) {
    if (!entry.isSymbolicLink() || !HOST_NAME.test(entry.name)) continue;
    const path = join(directory, entry.name);
    const target = (await readlink(path)).replace(/\/+$/, '');
    const wrong = unclear(path, target);
    bytes += MESSAGE_BYTES + entry.name.length + Buffer.byteLength(target);
    if (bytes > LIMITS.vhostsMaxBytes)
      return { links, findings: [...findings, tooMany(directory)] };
    if (wrong.length === 0) links.set(entry.name, target);
    else if (findings.length < LIMITS.configFindingsMaxCount) findings.push(...wrong);
  }
  return { links, findings };
}

function unclear(path: string, target: string): readonly Finding[] {
  if (TARGET.test(target) && Buffer.byteLength(target) <= LIMITS.vhostTargetMaxBytes) return [];
  return [
    {
      rule: 'vhost-target',
      path,
      found: 'a link that leads to no plain absolute path',
      expected: 'a link to the directory of an application',
      remedy: 'usherd vhost add HOST USER/APP',
    },
  ];
}

const tooMany = (path: string): Finding => ({
  rule: 'vhost-count',
  path,
  found: `more names than ${LIMITS.vhostsMaxBytes} bytes`,
  expected: 'fewer virtual hosts',
  remedy: 'give some of them a DocumentRoot of their own',
});
