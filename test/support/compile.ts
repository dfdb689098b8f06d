// C programs of test/fixtures, compiled where they are needed.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const FIXTURES = join(import.meta.dirname, '../../../test/fixtures');

/** Why nothing can be compiled here; false where it can. */
export const noCompiler: string | false = existsSync('/usr/bin/gcc')
  ? false
  : 'gcc is not installed';

/** @throws if the program does not compile */
export function compile(fixture: string, target: string, libraries: readonly string[] = []): void {
  const args = ['-O1', '-w', '-o', target, join(FIXTURES, fixture), ...libraries];
  const { status, stderr } = spawnSync('/usr/bin/gcc', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${fixture}: ${stderr}`);
}
