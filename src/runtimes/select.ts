// Which runtime an application has, by the first rule that holds: its manifest, its marker files, its index script.
import type { Manifest, RuntimeConfig } from '../config/index.js';
import { RUNTIME_OF_COMMANDS } from './builtin.js';
import type { Refusal } from './description.js';
import { needsEntry } from './entry.js';
import { INDEX_SCRIPTS, PUBLIC_DIRECTORY, type Mark, type Seen } from './marks.js';
import { refuseUnknownRuntime } from './refusals.js';

/** What makes a site of PHP, whose package.json is for its style sheets. */
const SCRIPT_SIGNS = ['index.php', `${PUBLIC_DIRECTORY}/index.php`] as const;

const MANIFEST = 'usherd.toml';

type Runtimes = ReadonlyMap<string, RuntimeConfig>;

/** What URLs without a script run, and what that was concluded from. */
export interface Selection {
  readonly ok: true;
  /** Absent if they run nothing. */
  readonly runtime?: RuntimeConfig;
  /** The marker file. */
  readonly entry?: Mark;
  /** The file that decided; '' if there is no runtime. */
  readonly because: string;
  readonly webRoot: '' | 'public';
  readonly frontController: string;
}

export interface Where {
  readonly runtimes: Runtimes;
  /** Of the application. */
  readonly directory: string;
}

/** Follows the order of the table in docs/architecture.md. */
export function selectRuntime(
  { runtimes, directory }: Where,
  seen: Seen,
  manifest: Manifest | undefined,
): Selection | Refusal {
  const webRoot = seen.directory(PUBLIC_DIRECTORY) ? PUBLIC_DIRECTORY : '';
  const base = { ok: true, webRoot, because: '', frontController: '' } as const;
  const entry =
    fromManifest({ runtimes, directory }, seen, manifest) ?? fromMarkers(runtimes, seen);
  if (entry !== undefined && 'ok' in entry) return entry;
  if (entry?.runtime.kind === 'entry') return { ...base, ...entry };
  return { ...base, ...scriptsOf(runtimes, manifest?.frontController, { seen, webRoot, entry }) };
}

interface Place {
  readonly seen: Seen;
  readonly webRoot: string;
  /** What the manifest names. */
  readonly entry: Chosen | undefined;
}

/** A site of scripts, or of nothing that runs. */
function scriptsOf(
  runtimes: Runtimes,
  own: string | undefined,
  { seen, webRoot, entry }: Place,
): Pick<Selection, 'runtime' | 'because' | 'frontController'> {
  const frontController = own ?? indexScript(seen, webRoot);
  const runtime = entry?.runtime ?? runtimeOfScript(runtimes, frontController);
  if (runtime === undefined) return { because: '', frontController };
  const because = entry?.because ?? (own === undefined ? frontController : MANIFEST);
  return { runtime, because, frontController };
}

/** A runtime with the marker file that selected it. */
interface Chosen {
  readonly runtime: RuntimeConfig;
  readonly entry?: Mark;
  readonly because: string;
}

function fromManifest(
  { runtimes, directory }: Where,
  seen: Seen,
  manifest: Manifest | undefined,
): Chosen | Refusal | undefined {
  if (manifest?.runtime === undefined && manifest?.command === undefined) return undefined;
  const name = manifest.runtime ?? RUNTIME_OF_COMMANDS;
  const runtime = runtimes.get(name);
  if (runtime !== undefined) return chosen(runtime, firstMarker(runtime, seen), MANIFEST);
  return refuseUnknownRuntime(directory, name, runtimes);
}

function fromMarkers(runtimes: Runtimes, seen: Seen): Chosen | undefined {
  const hasScripts = SCRIPT_SIGNS.some((name) => seen.file(name) !== undefined);
  for (const runtime of runtimes.values()) {
    const isWeak = hasScripts && runtime.yieldsToScripts === true;
    if (runtime.kind !== 'entry' || isWeak) continue;
    const marker = firstMarker(runtime, seen);
    if (marker !== undefined) return chosen(runtime, marker, marker.name);
  }
  return undefined;
}

const chosen = (runtime: RuntimeConfig, entry: Mark | undefined, because: string): Chosen =>
  entry === undefined ? { runtime, because } : { runtime, because, entry };

function firstMarker(runtime: RuntimeConfig, seen: Seen): Mark | undefined {
  const needsFile = needsEntry(runtime.command);
  for (const name of runtime.markers) {
    const mark = needsFile ? seen.file(name) : seen.mark(name);
    if (mark !== undefined) return mark;
  }
  return undefined;
}

const indexScript = (seen: Seen, webRoot: string): string =>
  INDEX_SCRIPTS.find((name) => {
    return seen.file(webRoot === '' ? name : `${webRoot}/${name}`) !== undefined;
  }) ?? '';

/** The script runtime that has the extension of the path; undefined if none has. */
function runtimeOfScript(runtimes: Runtimes, path: string): RuntimeConfig | undefined {
  return [...runtimes.values()].find(
    ({ kind, extensions }) => kind === 'script' && extensions.some((end) => path.endsWith(end)),
  );
}
