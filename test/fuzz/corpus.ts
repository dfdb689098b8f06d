// The kept inputs of each target: one file each, named by what is in it. Whatever shows a new behaviour joins them.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CORPUS = join(import.meta.dirname, '../../../test/fuzz/corpus');

export function readCorpus(target: string): Buffer[] {
  const directory = join(CORPUS, target);
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .sort()
    .map((name) => readFileSync(join(directory, name)));
}

/** @returns the name of the file */
export function keep(target: string, input: Buffer): string {
  const directory = join(CORPUS, target);
  const name = createHash('sha256').update(input).digest('hex').slice(0, 16);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), input);
  return `${target}/${name}`;
}
