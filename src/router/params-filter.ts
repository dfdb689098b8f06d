// Which params a worker may see: names that steer interpreters, loaders, proxies or usherd itself never pass (R-F4).
import { UsherdError } from '../errors.js';
import { KNOWN_NAMES, PairList, type NameRule } from '../fcgi-protocol/index.js';
import type { Params } from './front-forms.js';

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,255}$/;

const REMOVED_NAMES: ReadonlySet<string> = new Set([
  // interpreters and shells take them for settings
  ...['PHP_VALUE', 'PHP_ADMIN_VALUE', 'PHPRC', 'PHP_INI_SCAN_DIR', 'PERL5LIB', 'PERL5OPT'],
  ...['PERL5DB', 'RUBYOPT', 'RUBYLIB', 'IFS', 'ENV', 'SHELLOPTS', 'CDPATH', 'GEM_PATH', 'GEM_HOME'],
  // the C library and service managers
  ...['GLIBC_TUNABLES', 'GCONV_PATH', 'LOCPATH', 'NLSPATH', 'NOTIFY_SOCKET'],
  // belong to the worker's own environment; Apache leaks its PATH
  ...['PATH', 'HOME', 'USER', 'TMPDIR'],
  // spoken between client and web server only
  ...['HTTP_EXPECT', 'HTTP_TRANSFER_ENCODING', 'HTTP_CONNECTION', 'HTTP_KEEP_ALIVE', 'HTTP_TE'],
  ...['HTTP_TRAILER', 'HTTP_UPGRADE', 'HTTP_PROXY_CONNECTION', 'HTTP_PROXY_AUTHORIZATION'],
  // a second opinion about the body; CONTENT_LENGTH and CONTENT_TYPE are the first
  ...['HTTP_CONTENT_LENGTH', 'HTTP_CONTENT_TYPE'],
  // what Apache's configuration says to Apache
  'ap_trust_cgilike_cl',
]);

const REMOVED_PREFIXES =
  /^(?:USHERD_|MATCH_USHERD_|UWSGI_|LD_|MALLOC_|BASH_|PYTHON|NODE_|FCGI_|LISTEN_)/;

/** "Proxy:" of a client, taken for a proxy setting by many libraries, in whatever letters. */
const HTTP_PROXY = /^HTTP_PROXY$/i;

// An internal redirect of Apache repeats every param with this in front, a token among them.
const REDIRECTED = /^(?:REDIRECT_)+/;

/** Whether a param of this name may reach a worker. */
export function isPermittedName(name: string): boolean {
  if (!NAME.test(name)) return false;
  const plain = name.startsWith('REDIRECT_') ? name.replace(REDIRECTED, '') : name;
  return !REMOVED_NAMES.has(plain) && !REMOVED_PREFIXES.test(plain) && !HTTP_PROXY.test(plain);
}

/** The judgement of names that nearly every request has, passed once. */
const PERMITTED: NameRule = { known: KNOWN_NAMES.map(isPermittedName), other: isPermittedName };

/**
 * CONTENT_LENGTH as a number; undefined where the web server does not know it ('' from nginx, -1 from Caddy).
 * @throws UsherdError E_PARAMS_MALFORMED for anything else that is not 1 to 15 digits.
 */
export const contentLength = (params: Params): number | undefined =>
  lengthIn(params, 'CONTENT_LENGTH');

/** The same of the file that a Filter gets. */
export const dataLength = (params: Params): number | undefined =>
  lengthIn(params, 'FCGI_DATA_LENGTH');

function lengthIn(params: Params, name: string): number | undefined {
  const text = params.get(name);
  if (text === undefined || text === '' || text === '-1') return undefined;
  if (!/^[0-9]{1,15}$/.test(text)) {
    throw new UsherdError('E_PARAMS_MALFORMED', `${name} is not a number`);
  }
  return Number(text);
}

/**
 * A new list with what a worker may see. CONTENT_LENGTH is a plain decimal or absent, an empty CONTENT_TYPE is absent.
 * @throws UsherdError E_PARAMS_MALFORMED for a NUL in a value or a bad CONTENT_LENGTH.
 */
export function cleanParams(params: Params): PairList {
  const clean = PairList.of(params).copy(PERMITTED);
  if (clean.hasNul) throw new UsherdError('E_PARAMS_MALFORMED', 'a param has a NUL');
  const length = contentLength(params);
  if (length === undefined) clean.delete('CONTENT_LENGTH');
  else clean.set('CONTENT_LENGTH', String(length));
  if (clean.get('CONTENT_TYPE') === '') clean.delete('CONTENT_TYPE');
  return clean;
}
