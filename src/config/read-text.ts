// One configuration file as text, or why there is none.
import { readTrustedFile } from './read-file.js';
import type { Refusals } from './refusals.js';
import type { TrustedUids } from './trusted-path.js';

export interface ReadOptions {
  readonly trusted: TrustedUids;
  readonly mustExist: boolean;
  readonly refusals: Refusals;
}

/** 'missing' if there is no such file and there need not be; 'refused' after saying why in `refusals`. */
export async function readText(
  path: string,
  { trusted, mustExist, refusals }: ReadOptions,
): Promise<{ readonly text: string } | 'missing' | 'refused'> {
  const read = await readTrustedFile(path, trusted);
  if (read.kind === 'text') return { text: read.text };
  if (read.kind === 'missing' && !mustExist) return 'missing';
  if (read.kind === 'refused') refusals.add(read.code, read.findings);
  else refusals.addFile(path, { found: 'no such file', expected: 'a configuration file', remedy });
  return 'refused';
}

const remedy = 'create the file (an empty one is valid), or name another with --config';
