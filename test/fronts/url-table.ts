// URLs and what a worker is told of them: the rows for urls.test.ts. Paths are decoded, bytes above 127 as latin1.
import type { FrontName } from '../support/fronts/front.js';

export interface UrlRow {
  /** Below the place where the application is mounted, as it stands in the request line. */
  readonly url: string;
  /** The same decoded, with single slashes: PATH_INFO of an entry program. */
  readonly path: string;
  /** Script and path info, where the URL names a script; both kinds of application run it. */
  readonly script?: readonly [script: string, info: string];
  readonly query?: string;
  /** What REQUEST_URI says instead of `url` behind web servers that write it anew. */
  readonly uri?: Readonly<Partial<Record<FrontName, string>>>;
  /** Status of web servers that do not let this URL pass. */
  readonly refused?: Readonly<Partial<Record<FrontName, number>>>;
}

const row = (url: string, path: string, more: Omit<UrlRow, 'url' | 'path'> = {}): UrlRow => ({
  url,
  path,
  ...more,
});
const asked = (
  url: string,
  path: string,
  query: string,
  more: Omit<UrlRow, 'url' | 'path' | 'query'> = {},
): UrlRow => row(url, path, { query, ...more });
const script = (url: string, name: string, info = '', query = ''): UrlRow =>
  row(url, name + info, { script: [name, info], query });

/** Apache: AllowEncodedSlashes Off, its default. */
const NO_ENCODED_SLASH = { refused: { apache: 404 } } as const;
/** HAProxy hands dot segments on as they are, and usherd refuses them. */
const NO_DOTS = { refused: { haproxy: 403 } } as const;
/** lighttpd takes bytes that are not UTF-8 for an attack. */
const NO_LATIN1 = { refused: { lighttpd: 400 } } as const;

export const URL_ROWS: readonly UrlRow[] = [
  // slashes
  row('/', '/'),
  row('/x', '/x'),
  row('/x/', '/x/'),
  row('/x/y', '/x/y'),
  row('/x/y/', '/x/y/'),
  row('/x/y/z/w/v', '/x/y/z/w/v'),
  row('//x', '/x'),
  row('/x//y', '/x/y'),
  row('/x///y//', '/x/y/'),
  row('/a%2Fb', '/a/b', NO_ENCODED_SLASH),
  row('/a%2fb/c', '/a/b/c', NO_ENCODED_SLASH),
  // a path that repeats what is around it
  row('/x/y/y', '/x/y/y'),
  row('/apps/shop', '/apps/shop'),
  row('/~alice/apps', '/~alice/apps'),
  row('/blog/kit', '/blog/kit'),
  row('/public', '/public'),
  row('/public/x', '/public/x'),
  row('/public/public/', '/public/public/'),
  // queries
  asked('/x?', '/x', ''),
  asked('/?q=1', '/', 'q=1'),
  asked('/x?q=1', '/x', 'q=1'),
  asked('/x/?q=1', '/x/', 'q=1'),
  asked('/x?a=1&b=2', '/x', 'a=1&b=2'),
  asked('/x?a=1?b=2', '/x', 'a=1?b=2'),
  asked('/x?a=b;c=d', '/x', 'a=b;c=d'),
  asked('/x?a=%20b+c', '/x', 'a=%20b+c'),
  asked('/x?a=/y/../z', '/x', 'a=/y/../z'),
  asked('/x?a=%2Fy%2e', '/x', 'a=%2Fy%2e'),
  asked('/x?//', '/x', '//'),
  asked('/x?%C3%A9=%FF', '/x', '%C3%A9=%FF', NO_LATIN1),
  asked('/x?a[]=1', '/x', 'a[]=1'),
  asked('/x?=', '/x', '='),
  asked('/x%3Fy?z', '/x?y', 'z'),
  // escapes
  row('/x%20y', '/x y'),
  row('/x%20', '/x '),
  row('/x+y', '/x+y'),
  row('/x%2By', '/x+y'),
  row('/%7Ex', '/~x'),
  row('/x%23y', '/x#y'),
  row('/x%26y', '/x&y'),
  row('/100%25', '/100%'),
  row('/x%25y', '/x%y'),
  row('/x%2541', '/x%41'),
  row('/%78/%79', '/x/y'),
  row('/x%22y', '/x"y'),
  row('/x%3Cy%3E', '/x<y>'),
  row('/x%5By%5D', '/x[y]'),
  row('/x%5Cy', '/x\\y'),
  row('/x%5Ey%60', '/x^y`'),
  row('/x%7By%7Cz%7D', '/x{y|z}'),
  // what needs no escape
  row('/x&y=z', '/x&y=z'),
  row('/x;y=1', '/x;y=1'),
  row('/x:y@z', '/x:y@z'),
  row("/x,y!z'w", "/x,y!z'w"),
  row('/x(y)*$', '/x(y)*$'),
  row('/$1%251{0}', '/$1%1{0}', { uri: { caddy: '/$1%251%7B0%7D' } }),
  // bytes above 127
  row('/caf%C3%A9', '/caf\xc3\xa9'),
  row('/%E2%82%AC/x', '/\xe2\x82\xac/x'),
  row('/%F0%9F%98%80', '/\xf0\x9f\x98\x80'),
  row('/%FF%FE', '/\xff\xfe', NO_LATIN1),
  // dots
  row('/x.y', '/x.y'),
  row('/x..y', '/x..y'),
  row('/x.', '/x.'),
  row('/x/y.html', '/x/y.html'),
  row('/.well-known/x', '/.well-known/x'),
  row('/./x', '/x', NO_DOTS),
  row('/x/./y', '/x/y', NO_DOTS),
  row('/x/../y', '/y', NO_DOTS),
  row('/x/y/..', '/x/', NO_DOTS),
  row('/x/%2e%2e/y', '/y', NO_DOTS),
  // scripts
  script('/index.php', '/index.php'),
  script('/index.php?q=1', '/index.php', '', 'q=1'),
  script('/index.php/', '/index.php', '/'),
  script('/index.php/x/y', '/index.php', '/x/y'),
  script('/info.php', '/info.php'),
  script('/info.php/z', '/info.php', '/z'),
  script('/info.php/z/', '/info.php', '/z/'),
  script('/info.php/a%20b', '/info.php', '/a b'),
  script('/info.php/a//b', '/info.php', '/a/b'),
  script('/info.php/%C3%A9', '/info.php', '/\xc3\xa9'),
  script('/info.php/100%25', '/info.php', '/100%'),
  script('/info.php/info.php', '/info.php', '/info.php'),
  script('/sub/page.php', '/sub/page.php'),
  script('/sub/page.php/i/j?k', '/sub/page.php', '/i/j', 'k'),
  script('//sub//page.php', '/sub/page.php'),
  script('/%69nfo.php', '/info.php'),
  script('/none.php/z', '/none.php', '/z'),
  row('/info.phpx', '/info.phpx'),
  row('/info.PHP', '/info.PHP'),
  row('/sub/x', '/sub/x'),
  row('/sub/', '/sub/'),
];
