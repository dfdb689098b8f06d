// What a worker should be told of a URL, what it was told, and all differences between the two at once.
import type { FrontName } from '../support/fronts/front.js';
import type { HttpAnswer, HttpRequest } from '../support/fronts/http-client.js';
import type { UrlRow } from './url-table.js';

/** Where an application is seen. */
export interface Place {
  readonly host: string;
  /** What comes before the path in the URL, and is its SCRIPT_NAME. */
  readonly mount: string;
  /** Absolute. */
  readonly webRoot: string;
  readonly kind: 'script' | 'entry';
}

const NAMES = [
  ...['SCRIPT_NAME', 'PATH_INFO', 'SCRIPT_FILENAME'],
  ...['QUERY_STRING', 'REQUEST_URI', 'DOCUMENT_ROOT'],
];

type Ask = (request: HttpRequest) => Promise<HttpAnswer>;

export type Told = Readonly<Record<string, string>>;

export function expected(name: FrontName, row: UrlRow, place: Place): Told {
  const { mount, webRoot, kind } = place;
  const common = {
    QUERY_STRING: row.query ?? '',
    REQUEST_URI: mount + (row.uri?.[name] ?? row.url),
    DOCUMENT_ROOT: webRoot,
  };
  if (kind === 'entry' && row.script === undefined) {
    const directory = webRoot.replace(/\/public$/, '');
    return { SCRIPT_NAME: mount, PATH_INFO: row.path, SCRIPT_FILENAME: directory, ...common };
  }
  const [script, info] = row.script ?? ['/index.php', row.path === '/' ? '' : row.path];
  const pathInfo = info === '' ? {} : { PATH_INFO: info };
  return {
    SCRIPT_NAME: mount + script,
    ...pathInfo,
    SCRIPT_FILENAME: webRoot + script,
    ...common,
  };
}

async function told(ask: Ask, { url }: UrlRow, { host, mount }: Place): Promise<Told | number> {
  const { status, body } = await ask({ path: mount + url, host });
  if (status !== 200) return status;
  const params = JSON.parse(body.toString('latin1')) as Record<string, string>;
  return Object.fromEntries(
    NAMES.flatMap((name) => (params[name] === undefined ? [] : [[name, params[name]]])),
  );
}

const shown = (it: Told | number): string =>
  typeof it === 'number' ? `${it}` : JSON.stringify(it, Object.keys(it).sort());

/** One line a URL says more than the first that fails. */
export async function differences(
  ask: Ask,
  rows: readonly UrlRow[],
  place: Place,
  wanted: (row: UrlRow) => Told | number,
): Promise<string[]> {
  const found: string[] = [];
  for (const row of rows) {
    const right = shown(wanted(row));
    const got = shown(await told(ask, row, place));
    if (got !== right) found.push(`${row.url}: ${got} instead of ${right}`);
  }
  return found;
}
