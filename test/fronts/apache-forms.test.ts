// Every other way in which an administrator may tell Apache about usherd: whatever it makes of the params, a program is told the same.
//
// None of them is shipped (that is urls.test.ts), all are found in configurations that people have.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BUILTIN_RUNTIMES } from '../../src/runtimes/index.js';
import { Apache, noApache } from '../support/apache.js';
import { exchange } from '../support/fronts/http-client.js';
import { RESPONDER } from '../support/fronts/responder.js';
import { makeSiteTree } from '../support/fronts/site-tree.js';
import { RouterRig } from '../support/router-rig.js';
import { URL_ROWS, type UrlRow } from './url-table.js';
import { differences, expected, type Place, type Told } from './url-told.js';

type Kind = Place['kind'];

const APPS: Readonly<Record<Kind, string>> = {
  script: 'alice/apps/shop',
  entry: 'alice/apps/tool',
};

/** One way to say it. */
interface Form {
  readonly name: string;
  readonly host: string;
  readonly mount: string;
  /** Inside of a virtual host; @DIR@ is the application's directory. */
  readonly lines: string;
  readonly kinds: readonly Kind[];
  /** What is said of some URLs in other words, or not at all. */
  readonly odd: (row: UrlRow, told: Told) => Told | number;
}

const BOTH: readonly Kind[] = ['script', 'entry'];
const asItIs: Form['odd'] = (_row, told) => told;

/** Without GENERIC, Apache 2.4.60 and newer let no `?` pass that was escaped; its own answer. */
const noQuestionMark: Form['odd'] = (row, told) => (row.url.includes('%3F') ? 403 : told);

let count = 0;
const form = (
  name: string,
  mount: string,
  lines: string,
  more: Partial<Pick<Form, 'kinds' | 'odd' | 'host'>> = {},
): Form => {
  count += 1;
  return { name, host: `f${count}.test`, mount, lines, kinds: BOTH, odd: asItIs, ...more };
};

/** Apache looks for nothing itself. */
const BARE = 'AllowOverride None\nRequire all granted\nDirectoryIndex disabled\nDirectorySlash Off';
const handled = (address: string, more = ''): string =>
  `<Directory "@DIR@">\n${BARE}\nSetHandler "proxy:unix:@SOCK@|${address}"\n${more}\n</Directory>`;

const GENERIC = 'ProxyFCGIBackendType GENERIC';

/** Pages are in REQUEST_URI only: the front controller has no PATH_INFO then. */
const withoutPathInfo: Form['odd'] = (row, told) => {
  if (row.script !== undefined) return told;
  return Object.fromEntries(Object.entries(told).filter(([name]) => name !== 'PATH_INFO'));
};

/** A directory that is there is not missing: 404 by Apache itself. */
const fallenBack: Form['odd'] = (row, told) =>
  row.url === '/sub/' ? 404 : withoutPathInfo(row, told);

/** Every URL is the program's, scripts that are not there among them. */
const programsOwn: Form['odd'] = (row, told) => ({
  ...told,
  SCRIPT_NAME: '',
  PATH_INFO: row.path,
  SCRIPT_FILENAME: told['DOCUMENT_ROOT'] ?? '',
});

/** What is not there is the front controller's, whatever its name. */
const controllersOwn: Form['odd'] = (row, told) =>
  row.url.startsWith('/none.php')
    ? withoutPathInfo(
        { url: row.url, path: row.path },
        {
          ...told,
          SCRIPT_NAME: '/index.php',
          SCRIPT_FILENAME: `${told['DOCUMENT_ROOT'] ?? ''}/index.php`,
        },
      )
    : withoutPathInfo(row, told);

const own = (inside: string): string =>
  `DocumentRoot "@DIR@"\n<Directory "@DIR@">\n${inside}\n</Directory>\n`;
const OPEN = 'AllowOverride None\nRequire all granted\nDirectorySlash Off';
const running = (files: string, name: string): string =>
  `<FilesMatch "${files}">\nSetHandler "proxy:unix:@SOCK@|fcgi://${name}"\n</FilesMatch>`;
const strict = { odd: noQuestionMark };

const FORMS: readonly Form[] = [
  form('SetHandler with a slash', '', `DocumentRoot "@DIR@"\n${handled('fcgi://slash/')}`, strict),
  form('SetHandler with a name', '', `DocumentRoot "@DIR@"\n${handled('fcgi://plain')}`, strict),
  form('SetHandler without a name', '', `DocumentRoot "@DIR@"\n${handled('fcgi:')}`, strict),
  form('GENERIC, with a slash', '', `DocumentRoot "@DIR@"\n${handled('fcgi://slash/', GENERIC)}`),
  form('Alias', '/al', `Alias "/al" "@DIR@"\n${handled('fcgi://alias')}`, strict),
  form('AliasMatch', '/am', `AliasMatch "^/am(/.*)?$" "@DIR@$1"\n${handled('fcgi://am')}`, strict),
  form('UserDir', '/~alice', `UserDir "@SRV@/*/@APP@"\n${handled('fcgi://home')}`, strict),
  form(
    'VirtualDocumentRoot',
    '',
    `VirtualDocumentRoot "@SRV@/%2/apps/%1"\n${handled('fcgi://mass')}`,
    { ...strict, host: '@APP@.alice.test' },
  ),
  form(
    'Location without a file',
    '',
    `${own(BARE)}<Location "/">\nSetHandler "proxy:unix:@SOCK@|fcgi://location"\n</Location>`,
    strict,
  ),
  form('ProxyPass of a host', '', 'ProxyPass "/" "unix:@SOCK@|fcgi://pass@DIR@/"'),
  form('ProxyPass of a path', '/pp', 'ProxyPass "/pp/" "unix:@SOCK@|fcgi://pass@DIR@/"'),
  form(
    'ProxyPassMatch',
    '/~alice/apps/@NAME@',
    'ProxyPassMatch "^/~([a-z]+)/apps/([a-z]+)(/.*)?$" "unix:@SOCK@|fcgi://pm@SRV@/$1/apps/$2$3"',
  ),
  ...['full', '1', 'last-dot', 'first-dot'].map((how) =>
    form(
      `ProxyPass with proxy-fcgi-pathinfo=${how}`,
      '/pi',
      `SetEnvIf Request_URI . proxy-fcgi-pathinfo=${how}\nProxyPass "/pi/" "unix:@SOCK@|fcgi://pi@DIR@/"`,
    ),
  ),
  form(
    'RewriteRule [P] of a host',
    '',
    'RewriteEngine On\nRewriteRule "^(/.*)$" "unix:@SOCK@|fcgi://rewritten@DIR@$1" [P,L]',
    strict,
  ),
  form(
    'RewriteRule [P] of a path',
    '/rw',
    'RewriteEngine On\nRewriteRule "^/rw(/.*)$" "unix:@SOCK@|fcgi://rewritten@DIR@$1" [P,L]',
    strict,
  ),
  form(
    'RewriteRule [H=] of a host',
    '',
    `${own(BARE)}RewriteEngine On\nRewriteRule "^/" "-" "[H=proxy:unix:@SOCK@|fcgi://handler]"`,
    strict,
  ),
  form(
    'FallbackResource to a script',
    '',
    own(
      `${OPEN}\nDirectoryIndex index.php\nFallbackResource /index.php\n${running('\\.php$', 'fallback')}`,
    ),
    { kinds: ['script'], odd: fallenBack },
  ),
  form(
    'FallbackResource to a program',
    '',
    own(
      `${OPEN}\nDirectoryIndex app.fcgi\nFallbackResource /app.fcgi\n${running('^app\\.fcgi$', 'fallback')}`,
    ),
    { kinds: ['entry'], odd: programsOwn },
  ),
  form(
    'RewriteRule to the front controller',
    '',
    own(
      `${OPEN}\nDirectoryIndex index.php\nRewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\n` +
        `RewriteRule . /index.php [L]\n${running('\\.php$', 'controller')}`,
    ),
    { kinds: ['script'], odd: controllersOwn },
  ),
];

interface Stage {
  readonly rig: RouterRig;
  readonly apache: Apache;
  readonly directory: string;
}

/** In small letters: mod_rewrite makes them of a handler. */
const SOCKET = `/tmp/usherd-forms-${process.pid}.sock`;

const fill = (text: string, directory: string, kind: Kind): string => {
  const app = APPS[kind];
  return text
    .replaceAll('@DIR@', join(directory, 'srv', app))
    .replaceAll('@SOCK@', SOCKET)
    .replaceAll('@SRV@', join(directory, 'srv'))
    .replaceAll('@APP@', app.slice('alice/'.length))
    .replaceAll('@NAME@', app.slice(app.lastIndexOf('/') + 1));
};

const hostOf = ({ host }: Form, kind: Kind): string =>
  host.startsWith('@APP@') ? host.replace('@APP@', APPS[kind].slice(-4)) : `${kind}.${host}`;

const hostText = (one: Form, kind: Kind): string =>
  `<VirtualHost *:\${PORT}>\nServerName ${hostOf(one, kind)}\nUseCanonicalName Off\n${one.lines}\n</VirtualHost>\n`;

async function startStage(): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), 'usherd-forms-'));
  chmodSync(directory, 0o755);
  const srv = join(directory, 'srv');
  makeSiteTree(srv);
  const rig = await RouterRig.start({
    apps: {
      'alice/shop': {
        worker: RESPONDER,
        runtime: 'php',
        facts: { webRoot: '', frontController: 'index.php' },
      },
      'alice/tool': { worker: RESPONDER, runtime: 'fastcgi' },
    },
    config: {
      apps: { roots: [`${srv}/{user}/apps/{app}`], vhosts: '', prestart: [] },
      front: {
        sockets: [{ path: SOCKET, group: '' }],
        authorizers: [],
        authentication: 'none',
        connectionsMax: 1_000,
        copyStderr: false,
      },
      runtimes: new Map(BUILTIN_RUNTIMES.map((runtime) => [runtime.name, runtime])),
    },
  });
  chmodSync(SOCKET, 0o666);
  const hosts = FORMS.flatMap((one) =>
    one.kinds.map((kind) => fill(hostText(one, kind), directory, kind)),
  );
  const apache = await Apache.start({
    directory: join(directory, 'apache'),
    socketPath: SOCKET,
    root: join(directory, 'elsewhere'), // what is shipped has no say here
    defines: { USHERD_APPS: '/elsewhere' },
    modules: ['rewrite', 'userdir'],
    more: hosts.join(''),
  });
  return { rig, apache, directory };
}

describe('Apache, configured otherwise', { skip: noApache }, () => {
  let stage: Stage;
  before(async () => {
    stage = await startStage();
  });
  after(async () => {
    await stage.apache.stop();
    await stage.rig.stop();
    rmSync(stage.directory, { recursive: true, force: true });
  });

  for (const one of FORMS) {
    for (const kind of one.kinds) {
      test(`${one.name}: ${kind}`, async () => {
        const { apache, directory } = stage;
        const here: Place = {
          host: hostOf(one, kind),
          mount: fill(one.mount, directory, kind),
          webRoot: join(directory, 'srv', APPS[kind]),
          kind,
        };
        const wanted = (row: UrlRow): Told | number =>
          row.refused?.apache ?? one.odd(row, expected('apache', row, here));
        const ask = (request: Parameters<typeof exchange>[1]): ReturnType<typeof exchange> =>
          exchange(apache.port, request);
        assert.deepEqual(await differences(ask, URL_ROWS, here, wanted), []);
      });
    }
  }
});
