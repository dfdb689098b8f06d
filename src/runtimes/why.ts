// Which of the files that were seen decided about the runtime: for a person to read.
import { BUILTIN_RUNTIMES } from './builtin.js';
import { INDEX_SCRIPTS, PUBLIC_DIRECTORY, type Mark } from './marks.js';

/** The marker that a built-in runtime was selected by, or where else its name came from. */
export function whyRuntime(runtime: string, marks: readonly Mark[]): string {
  const row = BUILTIN_RUNTIMES.find(({ name }) => name === runtime);
  const index = INDEX_SCRIPTS.flatMap((name) => [name, `${PUBLIC_DIRECTORY}/${name}`]);
  const signs = row?.kind === 'entry' ? row.markers : index;
  const found = signs.find((sign) => marks.some(({ name }) => name === sign));
  if (found !== undefined) return `because of ${found}`;
  const hasManifest = marks.some(({ name }) => name === 'usherd.toml');
  return hasManifest ? 'because of usherd.toml' : 'by the configuration';
}
