// The rows: what arrives from each front for each kind of application, and what the worker is told.
import type { AppFacts } from '../../../src/ipc/messages.js';
import { factsOf, PHP, PHP_BARE, PHP_PUBLIC, PYTHON, PYTHON_PUBLIC } from './forms.js';

export const B = '/srv/alice/apps/blog';
const MISSING = 'E_SCRIPT_MISSING';

/** [SCRIPT_FILENAME, SCRIPT_NAME, PATH_INFO, REQUEST_URI] as the front sends them; undefined: not sent. */
export type Sent = readonly [
  file: string | undefined,
  name: string | undefined,
  info?: string | undefined,
  uri?: string | undefined,
  more?: Readonly<Record<string, string>>,
];
/** [SCRIPT_NAME, PATH_INFO, SCRIPT_FILENAME], or the code of the refusal. */
export type Told = readonly [name: string, info: string | undefined, file: string] | string;
export type Row = readonly [what: string, sent: Sent, facts: AppFacts, told: Told];

const U = '/~alice/apps/blog';
const php = `${B}/index.php`;
const publicPhp = `${B}/public/index.php`;

// prettier-ignore
export const TABLES: Readonly<Record<string, readonly Row[]>> = {
  'AliasMatch on directories of applications (Apache)': [
    ['a script', [`${B}/a.php`, `${U}/a.php`], PHP, [`${U}/a.php`, undefined, `${B}/a.php`]],
    ['a script with path info', [`${B}/a.php`, `${U}/a.php`, '/x y', `${U}/a.php/x%20y?q`], PHP, [`${U}/a.php`, '/x y', `${B}/a.php`]],
    ['a script in a directory', [`${B}/d/a.php`, `${U}/d/a.php`], PHP, [`${U}/d/a.php`, undefined, `${B}/d/a.php`]],
    ['a pretty URL, cut one component too late', [`${B}/x`, `${U}/x`, '/y z'], PHP, [`${U}/index.php`, '/x/y z', php]],
    ['the directory with a slash', [`${B}/`, `${U}/`], PHP, [`${U}/index.php`, undefined, php]],
    ['the directory without a slash', [B, U], PHP, [`${U}/index.php`, undefined, php]],
    ['the directory without a slash, to which Apache added one', [`${B}/`, U], PHP, [`${U}/index.php`, undefined, php]],
    ['a trailing slash of a pretty URL', [`${B}/x`, `${U}/x`, '/y/'], PHP, [`${U}/index.php`, '/x/y/', php]],
    ['bytes above 127', [`${B}/x`, `${U}/x`, '/z\xc3\xa9'], PHP, [`${U}/index.php`, '/x/z\xc3\xa9', php]],
    ['an entry application', [`${B}/x`, `${U}/x`, '/y z'], PYTHON, [U, '/x/y z', B]],
    ['an entry application at its mount', [B, U], PYTHON, [U, '', B]],
    ['an entry application at its mount with a slash', [`${B}/`, `${U}/`], PYTHON, [U, '/', B]],
    ['a PHP script inside an entry application', [`${B}/report.php`, `${U}/report.php`], PYTHON, [`${U}/report.php`, undefined, `${B}/report.php`]],
    ['a directory of users that does not exist yet', [`/srv/alice/apps/new`, '/~alice/apps/new', '/x'], PYTHON, ['/~alice/apps/new', '/x', '/srv/alice/apps/new']],
    ['a path that repeats a component', [`${B}/x/y`, `${U}/x/y`, '/y'], PYTHON, [U, '/x/y/y', B]],
    ['a file name with a real percent sign', [`${B}/100%.php`, `${U}/100%.php`, undefined, `${U}/100%25.php`], PHP, [`${U}/100%.php`, undefined, `${B}/100%.php`]],
    ['a file name that looks escaped', [`proxy:fcgi://h${B}/a%41.php`, `${U}/a%41.php`, undefined, `${U}/a%2541.php`], PHP, [`${U}/a%41.php`, undefined, `${B}/a%41.php`]],
  ],
  'SCRIPT_FILENAME with the proxy prefix (Apache)': [
    ['with a host', [`proxy:fcgi://usherd${B}/a.php`, `${U}/a.php`, '/i'], PHP, [`${U}/a.php`, '/i', `${B}/a.php`]],
    ['with a host and a doubled slash', [`proxy:fcgi://localhost/${B}/a.php`, `${U}/a.php`], PHP, [`${U}/a.php`, undefined, `${B}/a.php`]],
    ['with a port', [`proxy:fcgi://127.0.0.1:9000${B}/a.php`, `${U}/a.php`], PHP, [`${U}/a.php`, undefined, `${B}/a.php`]],
    ['with IPv6', [`proxy:fcgi://[::1]:9${B}/a.php`, `${U}/a.php`], PHP, [`${U}/a.php`, undefined, `${B}/a.php`]],
    ['through a balancer', [`proxy:balancer://b${B}/a.php`, `${U}/a.php`], PHP, [`${U}/a.php`, undefined, `${B}/a.php`]],
    ['of another protocol', [`proxy:http://h${B}/a.php`, `${U}/a.php`], PHP, 'E_PATH_REFUSED'],
    ['ProxyFCGIBackendType GENERIC with a doubled slash', [`/${B}/a.php`, `${U}/a.php`], PHP, [`${U}/a.php`, undefined, `${B}/a.php`]],
  ],
  'the rewrite to public/ (Apache, one configuration for all)': [
    ['a script', [`${B}/public/a.php`, `${U}/a.php`], PHP_PUBLIC, [`${U}/a.php`, undefined, `${B}/public/a.php`]],
    ['a pretty URL', [`${B}/public/nice`, `${U}/nice`, '/url'], PHP_PUBLIC, [`${U}/index.php`, '/nice/url', publicPhp]],
    ['the directory', [`${B}/public/`, `${U}/`], PHP_PUBLIC, [`${U}/index.php`, undefined, publicPhp]],
    ['an entry application', [`${B}/public/x`, `${U}/x`, '/y'], PYTHON_PUBLIC, [U, '/x/y', B]],
    ['a script beside public/ is looked for in it', [`${B}/a.php`, `${U}/a.php`, '/i'], PHP_PUBLIC, [`${U}/a.php`, '/i', `${B}/public/a.php`]],
    ['a pretty URL that was not rewritten', [`${B}/nice`, `${U}/nice`, '/url'], PHP_PUBLIC, [`${U}/index.php`, '/nice/url', publicPhp]],
    ['public in the URL is a name like any other', [`${B}/public/a.php`, `${U}/public/a.php`, '/i'], PHP_PUBLIC, [`${U}/public/a.php`, '/i', `${B}/public/public/a.php`]],
    ['public in the URL of an entry application', [`${B}/public/x`, `${U}/public/x`], PYTHON_PUBLIC, [U, '/public/x', B]],
    ['public in the URL, rewritten', [`${B}/public/public/x`, `${U}/public/x`], PYTHON_PUBLIC, [U, '/public/x', B]],
    ['a directory public/ in an application without one', [`${B}/public/x`, `${U}/public/x`], PYTHON, [U, '/public/x', B]],
  ],
  'a host of its own (DocumentRoot)': [
    ['a script', [`${B}/a.php`, '/a.php', '/i'], PHP, ['/a.php', '/i', `${B}/a.php`]],
    ['the root', [`${B}/`, '/'], PHP, ['/index.php', undefined, php]],
    ['a pretty URL', [`${B}/nice`, '/nice', '/url'], PHP, ['/index.php', '/nice/url', php]],
    ['DocumentRoot is public/: a script', [`${B}/public/a.php`, '/a.php', '/i'], PHP_PUBLIC, ['/a.php', '/i', `${B}/public/a.php`]],
    ['DocumentRoot is public/: the root', [`${B}/public/`, '/'], PHP_PUBLIC, ['/index.php', undefined, publicPhp]],
    ['DocumentRoot is public/: a pretty URL', [`${B}/public/nice`, '/nice', '/url'], PHP_PUBLIC, ['/index.php', '/nice/url', publicPhp]],
    ['an entry application at the root', [`${B}/`, '/'], PYTHON, ['', '/', B]],
    ['an entry application', [`${B}/x`, '/x', '/y'], PYTHON, ['', '/x/y', B]],
    ['an entry application below public/', [`${B}/public/x`, '/x', '/y'], PYTHON_PUBLIC, ['', '/x/y', B]],
    ['VirtualDocumentRoot /srv/%2/apps/%1', ['/srv/bob/apps/shop/x', '/x', '/y', '/x/y', { DOCUMENT_ROOT: '/srv/bob/apps/shop' }], PYTHON, ['', '/x/y', '/srv/bob/apps/shop']],
  ],
  'Alias, UserDir and Location': [
    ['Alias to the application: a script', [`${B}/a.php`, '/blog/a.php', '/i', '/blog/a.php/i', { CONTEXT_PREFIX: '/blog' }], PHP, ['/blog/a.php', '/i', `${B}/a.php`]],
    ['Alias to the application: an entry application', [`${B}/x`, '/blog/x', '/y'], PYTHON, ['/blog', '/x/y', B]],
    ['Alias to public/ under a name of its own', [`${B}/public/x`, '/shop/x', '/y'], PYTHON_PUBLIC, ['/shop', '/x/y', B]],
    ['Alias whose name ends in public', [`${B}/public/x`, '/blog/public/x', undefined, undefined, { CONTEXT_DOCUMENT_ROOT: `${B}/public` }], PYTHON_PUBLIC, ['/blog/public', '/x', B]],
    ['UserDir', ['/home/alice/public_html/blog/a.php', '/~alice/blog/a.php', '/i'], PHP, ['/~alice/blog/a.php', '/i', '/home/alice/public_html/blog/a.php']],
    ['UserDir: an entry application', ['/home/alice/public_html/blog/x', '/~alice/blog/x'], PYTHON, ['/~alice/blog', '/x', '/home/alice/public_html/blog']],
    ['Location without a file', [`${B}/x`, '/x', '/y/z'], PYTHON, ['', '/x/y/z', B]],
    ['a mount without SCRIPT_FILENAME', [undefined, '/x', '/y', undefined, { DOCUMENT_ROOT: B }], PYTHON, ['', '/x/y', B]],
    ['an alias without SCRIPT_FILENAME', [undefined, '/al/x', '/y', undefined, { CONTEXT_PREFIX: '/al', CONTEXT_DOCUMENT_ROOT: B, DOCUMENT_ROOT: '/var/www' }], PYTHON, ['/al', '/x/y', B]],
    ['Action: the file is in PATH_TRANSLATED', ['/srv/alice/apps/h/run', '/run', '/blog/a.php', '/blog/a.php', { REDIRECT_HANDLER: 'x', PATH_TRANSLATED: `${B}/a.php` }], PHP, ['/blog/a.php', undefined, `${B}/a.php`]],
  ],
  'paths that stay encoded (ProxyPass, RewriteRule [P])': [
    ['a pretty URL', [`proxy:fcgi://p${B}/x/y%20z%C3%A9`, `${U}/x/y z\xc3\xa9`, undefined, `${U}/x/y%20z%C3%A9`], PYTHON, [U, '/x/y z\xc3\xa9', B]],
    ['a script with path info', [`proxy:fcgi://p${B}/a.php/x%20y`, '/pp/a.php/x y', undefined, '/pp/a.php/x%20y'], PHP, ['/pp/a.php', '/x y', `${B}/a.php`]],
    ['a real percent sign, escaped', [`proxy:fcgi://p${B}/100%25.php`, '/pp/100%.php', undefined, '/pp/100%25.php'], PHP, ['/pp/100%.php', undefined, `${B}/100%.php`]],
    ['the mount itself', [`proxy:fcgi://p${B}/`, '/pp/', undefined, '/pp/'], PYTHON, ['/pp', '/', B]],
    ['a mapping to a directory inside', [`proxy:fcgi://p${B}/sub/y%20z`, '/x/y z', undefined, '/x/y%20z'], PYTHON, ['', '/sub/y z', B]],
    ['pathinfo=full', [`${B}/a.php`, '/pp/a.php', '/x y', '/pp/a.php/x%20y'], PHP, ['/pp/a.php', '/x y', `${B}/a.php`]],
    ['pathinfo=1: PATH_INFO is the whole path', [`proxy:fcgi://p${B}/x%20y`, '/pp', `${B}/x%20y`, '/pp/x%20y'], PYTHON, ['/pp', '/x y', B]],
    ['pathinfo=last-dot: path info twice', [`proxy:fcgi://p${B}/a.php/x`, '/pp/a.php', '/x', '/pp/a.php/x'], PHP, ['/pp/a.php', '/x', `${B}/a.php`]],
    ['pathinfo=last-dot with escapes', [`proxy:fcgi://p${B}/a.php/x%20y`, '/pp/a.php', '/x y', '/pp/a.php/x%20y'], PHP, ['/pp/a.php', '/x y', `${B}/a.php`]],
    ['a file name that looks escaped, before a path info that looks like it', [`${B}/a%20b`, `${U}/a%20b`, '/a b', `${U}/a%2520b/a%20b`], PYTHON, [U, '/a%20b/a b', B]],
    ['pathinfo=1 with dots in the URL', [`proxy:fcgi://p${B}/y`, '/pp', `${B}/y`, '/pp/x/../y'], PYTHON, ['/pp', '/y', B]],
    ['pathinfo=first-dot with equal names', [`proxy:fcgi://p${B}/a.php/a.php`, '/pp/a.php', '/a.php', '/pp/a.php/a.php'], PHP, ['/pp/a.php', '/a.php', `${B}/a.php`]],
    ['an escaped slash', [`proxy:fcgi://p${B}/x%2fy`, '/pp/x/y', undefined, '/pp/x%2fy'], PYTHON, 'E_PATH_REFUSED'],
    ['an escaped dot', [`proxy:fcgi://p${B}/%2e%2e/shop`, '/pp/../shop'], PYTHON, 'E_PATH_REFUSED'],
    ['a dot escaped twice', [`proxy:fcgi://p${B}/%252e%252e/y`, '/pp/%2e%2e/y', undefined, '/pp/%252e%252e/y'], PYTHON, 'E_PATH_REFUSED'],
    ['an escaped NUL', [`proxy:fcgi://p${B}/a.php%00`, '/pp/a.php\0', undefined, '/pp/a.php%00'], PHP, 'E_PATH_REFUSED'],
  ],
  'pages that are in REQUEST_URI only': [
    ['FallbackResource to the front controller', [php, '/blog/index.php', undefined, '/blog/nice/url?q'], PHP, ['/blog/index.php', undefined, php]],
    ['try_files to the front controller', [php, '/index.php', undefined, '/nice/url'], PHP, ['/index.php', undefined, php]],
    ['FallbackResource to the file of an entry application', [`${B}/app.py`, '/blog/app.py', undefined, '/blog/nice%20url?q'], PYTHON, ['/blog', '/nice url', B]],
    ['the same with dots in the URL', [`${B}/app.py`, '/blog/app.py', undefined, '/blog/x/../nice'], PYTHON, ['/blog', '/nice', B]],
    ['the same with dots that lead out of the mount', [`${B}/app.py`, '/blog/app.py', undefined, '/blog/../nice'], PYTHON, ['/blog', '/app.py', B]],
    ['the same at the root of a host', [`${B}/dispatch.fcgi`, '/dispatch.fcgi', undefined, '/nice/url'], PYTHON, ['', '/nice/url', B]],
    ['a rewrite to another URL of an entry application', [`${B}/new`, '/new', undefined, '/old'], PYTHON, ['', '/new', B]],
  ],
  nginx: [
    ['fastcgi.conf without a split', [`${B}/a.php/x/y`, '/a.php/x/y', undefined, '/a.php/x/y'], PHP, ['/a.php', '/x/y', `${B}/a.php`]],
    ['with a split', [`${B}/a.php`, '/a.php', '/x/y', '/a.php/x/y'], PHP, ['/a.php', '/x/y', `${B}/a.php`]],
    ['with an empty PATH_INFO', [`${B}/a.php`, '/a.php', '', '/a.php'], PHP, ['/a.php', undefined, `${B}/a.php`]],
    ['an entry application', [`${B}/x/y z`, '/x/y z', undefined, '/x/y%20z'], PYTHON, ['', '/x/y z', B]],
    ['SCRIPT_NAME empty, PATH_INFO the URL', [B, '', '/blog', '/blog'], PYTHON, ['', '/blog', B]],
    ['SCRIPT_NAME empty, PATH_INFO the URL, file name too', [`${B}/x`, '', '/x', '/x'], PYTHON, ['', '/x', B]],
    ['alias', [`${B}/a.php`, '/blog/a.php'], PHP, ['/blog/a.php', undefined, `${B}/a.php`]],
  ],
  lighttpd: [
    ['a prefix', [`${B}/pfx`, '/pfx', '/rest'], PYTHON, ['', '/pfx/rest', B]],
    ['a script', [`${B}/a.php`, '/a.php', '/i'], PHP, ['/a.php', '/i', `${B}/a.php`]],
    ['a rewritten URL', [`${B}/x`, `${B}/x`, undefined, `${U}/x?q`, { REDIRECT_URI: `${B}/x?q` }], PYTHON, [U, '/x', B]],
    ['a rewritten URL of the directory', [`${B}/`, `${B}/`, undefined, '/weblog/', { REDIRECT_URI: `${B}/` }], PYTHON, ['/weblog', '/', B]],
    ['a rewritten URL of a script', [`${B}/a.php/i`, `${B}/a.php/i`, undefined, '/w/a.php/i', { REDIRECT_URI: `${B}/a.php/i` }], PHP, ['/w/a.php', '/i', `${B}/a.php`]],
    ['a rewritten URL below public/', [`${B}/public/x`, `${B}/public/x`, undefined, '/w/x', { REDIRECT_URI: `${B}/public/x` }], PYTHON_PUBLIC, ['/w', '/x', B]],
    ['a rewritten URL with dots', [`${B}/y`, `${B}/y`, undefined, '/w/./x/..//y', { REDIRECT_URI: `${B}/./x/../y` }], PYTHON, ['/w', '/y', B]],
    ['a rewritten URL that ends in dots', [`${B}/x/`, `${B}/x/`, undefined, '/w/x/y/..', { REDIRECT_URI: `${B}/x/y/..` }], PYTHON, ['/w', '/x/', B]],
    ['the error handler', [`${B}/404.php`, '/w/404.php', undefined, '/w/no/page', { REDIRECT_URI: '/w/404.php' }], PHP, ['/w/404.php', undefined, `${B}/404.php`]],
  ],
  'which file is a script': [
    ['an extension before the last', [`${B}/a.php.jpg`, '/a.php.jpg'], PHP_BARE, MISSING],
    ['capitals', [`${B}/a.PHP`, '/a.PHP'], PHP_BARE, MISSING],
    ['nothing but an extension', [`${B}/.php`, '/.php'], PHP, MISSING],
    ['a phar', [`${B}/a.phar`, '/a.phar'], PHP_BARE, MISSING],
    ['a script name below an image is a file of that name', [`${B}/x.jpg`, '/x.jpg', '/y.php'], PHP, ['/x.jpg/y.php', undefined, `${B}/x.jpg/y.php`]],
    ['an image below a script is path info', [`${B}/y.php`, '/y.php', '/x.jpg'], PHP, ['/y.php', '/x.jpg', `${B}/y.php`]],
    ['a trailing blank', [`${B}/a.php `, '/a.php '], PHP_BARE, MISSING],
    ['a program in cgi-bin', [`${B}/cgi-bin/run`, '/cgi-bin/run', '/i'], PHP, ['/cgi-bin/run', '/i', `${B}/cgi-bin/run`]],
    ['a program in cgi-bin beside public/', [`${B}/cgi-bin/run`, '/cgi-bin/run'], PHP_PUBLIC, ['/cgi-bin/run', undefined, `${B}/public/cgi-bin/run`]],
    ['no script and no front controller', [`${B}/nice`, '/nice'], PHP_BARE, MISSING],
    ['a front controller in a directory', [`${B}/nice`, '/nice'], factsOf({ frontController: '/web/app.php' }), ['/web/app.php', '/nice', `${B}/web/app.php`]],
    ['a front controller that climbs', [`${B}/nice`, '/nice'], factsOf({ frontController: '../x.php' }), MISSING],
  ],
  'what nobody gets': [
    ['.env', [`${B}/.env`, '/.env'], PHP, MISSING],
    ['.git', [`${B}/.git`, '/.git', '/config'], PHP, MISSING],
    ['a script in a hidden directory', [`${B}/.x/a.php`, '/.x/a.php'], PHP, MISSING],
    ['the manifest', [`${B}/usherd.toml`, '/usherd.toml'], PHP, MISSING],
    ['.well-known is no secret', [`${B}/.well-known`, '/.well-known', '/acme'], PHP, ['/index.php', '/.well-known/acme', php]],
    ['what only begins like .well-known', [`${B}/.well-known2`, '/.well-known2'], PHP, MISSING],
  ],
};
