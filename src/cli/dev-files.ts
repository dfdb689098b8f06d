// Which files of an application `usherd dev` sends as they are: those that the web server would, by the rules of conf.example/apache/usherd.conf.
//
// It looks as whoever started it, who is never root.
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest, type Config } from '../config/index.js';
import type { PlainFile } from '../gateway/index.js';
import { LIMITS } from '../limits.js';
import { markNames, servedPlaces, type Mark, type ServedPlaces } from '../runtimes/index.js';

const SCRIPT = /\.(?:php|phtml|phar|cgi|fcgi|pl)[^/]*$/i;
const HIDDEN = /\/(?:\.|cgi-bin\/)/;
const PRIVATE_NAME = /\/(?:usherd\.toml|restart\.txt|#[^/]*|[^/]*~)$/;
const LEFT_BEHIND = /\.(?:inc|bak|old|orig|save|sw[a-p]|tmp|dist)$/i;
const DENIAL = /^\s*(?:deny\s+from\s+all|require\s+all\s+denied)/im;
const INDEX_NAMES = ['index.php', 'index.cgi', 'index.html'] as const;

/** Undefined for what usherd answers. `rest` is decoded, begins with a slash or is empty; latin1 stands for bytes. */
export function plainFile(config: Config, directory: string, rest: string): PlainFile | undefined {
  const { webRoot } = placesOf(config, directory);
  if (webRoot === undefined) return undefined;
  const base = webRoot === '' ? directory : join(directory, webRoot);
  const path = bytesOf(base, rest);
  if (!isDirectory(path)) return isPlain(base, rest) ? { kind: 'file', path } : undefined;
  if (!rest.endsWith('/')) return { kind: 'directory' };
  const index = INDEX_NAMES.find((name) => isFile(bytesOf(base, rest + name)));
  if (index === undefined || !isPlain(base, rest + index)) return undefined;
  return { kind: 'file', path: bytesOf(base, rest + index) };
}

const bytesOf = (base: string, rest: string): Buffer =>
  Buffer.concat([Buffer.from(base), Buffer.from(rest, 'latin1')]);

function isPlain(base: string, rest: string): boolean {
  const isForbidden = [SCRIPT, HIDDEN, PRIVATE_NAME, LEFT_BEHIND].some((rule) => rule.test(rest));
  return !isForbidden && isFile(bytesOf(base, rest)) && !isDenied(base, rest);
}

/** By the `.htaccess` of the first directory on the way, or of its own. */
function isDenied(base: string, rest: string): boolean {
  const first = /^\/[^/]+(?=\/)/.exec(rest)?.[0] ?? '';
  const own = rest.slice(0, rest.lastIndexOf('/'));
  return [first, own].some((part) => DENIAL.test(textOf(bytesOf(base, `${part}/.htaccess`))));
}

/** Of an application whose manifest cannot be read nothing is sent. */
function placesOf(config: Config, directory: string): ServedPlaces {
  const marks = markNames(config.runtimes).flatMap((name) => markOf(directory, name));
  const text = textOf(Buffer.from(join(directory, 'usherd.toml')));
  const parsed = parseManifest(text, config.defaults);
  const none = { webRoot: undefined };
  return parsed.ok ? (servedPlaces(config, marks, parsed.manifest) ?? none) : none;
}

function markOf(directory: string, name: string): readonly Mark[] {
  const found = attempt(() => lstatSync(join(directory, name)));
  if (found === undefined) return [];
  const kinds = [
    { kind: 'file', is: found.isFile() },
    { kind: 'directory', is: found.isDirectory() },
    { kind: 'link', is: found.isSymbolicLink() },
  ] as const;
  const kind = kinds.find(({ is }) => is)?.kind ?? 'other';
  return [{ name, uid: found.uid, mode: found.mode & 0o7777, kind }];
}

const textOf = (path: Buffer): string =>
  attempt(() => readFileSync(path, 'utf8'))?.slice(0, LIMITS.manifestMaxBytes + 1) ?? '';

const isFile = (path: Buffer): boolean => attempt(() => statSync(path))?.isFile() === true;

const isDirectory = (path: Buffer): boolean =>
  attempt(() => statSync(path))?.isDirectory() === true;

/** Whatever is not there, or not for us to see, is not sent. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
