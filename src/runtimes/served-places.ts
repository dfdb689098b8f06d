// What of an application a web server may send as files, by the same choice of a runtime as a start makes.
import type { Config, Manifest } from '../config/index.js';
import { Seen, type Mark } from './marks.js';
import { selectRuntime } from './select.js';

export interface ServedPlaces {
  /** Below the application; '' for all of it, undefined for none: a program's sources are nobody's business. */
  readonly webRoot: string | undefined;
}

/** Undefined for an application that is refused. */
export function servedPlaces(
  { runtimes }: Config,
  marks: readonly Mark[],
  manifest: Manifest,
): ServedPlaces | undefined {
  const selection = selectRuntime({ runtimes, directory: '' }, new Seen(marks), manifest);
  if (!selection.ok) return undefined;
  const isProgram = selection.runtime?.kind === 'entry';
  return { webRoot: isProgram && selection.webRoot === '' ? undefined : selection.webRoot };
}
