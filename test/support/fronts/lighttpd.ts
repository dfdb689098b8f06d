// lighttpd with conf.example/lighttpd/ behind the settings of Debian's own lighttpd.conf.
import type { Front, FrontOptions } from './front.js';
import { frontOf } from './recipe.js';
import { SHIPPED_SOCKET, snippet } from './snippet.js';

const PROGRAM = '/usr/sbin/lighttpd';
const SHIPPED_APP = '/srv/alice/apps/blog';
const SHIPPED_TOOL = '/srv/alice/apps/tool';

/** The parse options, access-deny and exclude-extensions are Debian's. */
const mainText = ({ directory, port }: FrontOptions): string => `
server.modules = ( "mod_indexfile", "mod_access", "mod_alias", "mod_redirect" )
server.document-root = "${directory}/htdocs"
server.upload-dirs = ( "${directory}/tmp" )
server.bind = "127.0.0.1"
server.port = ${port}
server.http-parseopts = (
  "header-strict" => "enable", "host-strict" => "enable", "host-normalize" => "enable",
  "url-normalize-unreserved" => "enable", "url-normalize-required" => "enable",
  "url-ctrls-reject" => "enable", "url-path-2f-decode" => "enable", "url-path-dotseg-remove" => "enable",
)
index-file.names = ( "index.php", "index.html" )
url.access-deny = ( "~", ".inc" )
static-file.exclude-extensions = ( ".php", ".pl", ".fcgi" )
mimetype.assign = ( ".css" => "text/css", ".html" => "text/html", "" => "application/octet-stream" )
include "conf-enabled/50-usherd.conf"
include "conf-enabled/60-*.conf"
server.modules += ( "mod_staticfile" )
`;

function files(options: FrontOptions): ReadonlyMap<string, string> {
  const { srv, frontSocket, hosts, mounts } = options;
  const texts = new Map([['lighttpd.conf', mainText(options)]]);
  const add = (name: string, file: string, ...values: [string, string][]): void => {
    texts.set(`conf-enabled/${name}.conf`, snippet(`lighttpd/${file}`, new Map(values)));
  };
  add('50-usherd', 'usherd.conf', [SHIPPED_SOCKET, frontSocket], ['/srv', srv]);
  for (const { name, root, hasFiles } of hosts) {
    const host = name.replaceAll('.', '\\.');
    const entry = hasFiles ? '' : '-entry';
    const [app, shippedHost] = hasFiles ? [SHIPPED_APP, 'blog'] : [SHIPPED_TOOL, 'tool'];
    const values: [string, string][] = [
      [app, root],
      [`${shippedHost}\\.example\\.test`, host],
    ];
    add(`60-site-${name}`, `usherd-site${entry}.conf`, ...values);
  }
  for (const { path, root, hasFiles } of mounts) {
    const entry = hasFiles ? '' : '-entry';
    const [app, shipped] = hasFiles ? [SHIPPED_APP, '/blog'] : [SHIPPED_TOOL, '/tool'];
    const values: [string, string][] = [
      [app, root],
      [`^${shipped}`, `^${path}`],
      [`"${shipped}/`, `"${path}/`],
    ];
    add(`60-mount-${path.slice(1)}`, `usherd-mount${entry}.conf`, ...values);
  }
  return texts;
}

export function createLighttpd(options: FrontOptions): Front {
  const recipe = {
    name: 'lighttpd',
    files: files(options),
    directories: ['htdocs', 'tmp'],
    command: [PROGRAM, '-D', '-f', `${options.directory}/lighttpd.conf`],
    runAsWebUser: true,
    logs: [],
  } as const;
  return frontOf(recipe, options);
}
