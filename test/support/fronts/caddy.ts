// Caddy with conf.example/caddy/usherd.caddy; it has no account setting, so it is started as the web server's account.
import type { Front, FrontOptions } from './front.js';
import { frontOf } from './recipe.js';
import { SHIPPED_SOCKET, snippet } from './snippet.js';

const PROGRAM = '/usr/bin/caddy';

const mainText = ({ directory, port, hosts, mounts }: FrontOptions): string => `{
	admin off
	auto_https off
	default_bind 127.0.0.1
	storage file_system ${directory}/tmp
	servers {
		protocols h1
	}
}
import usherd.caddy
http://localhost:${port} {
	import usherd-users
${mounts.map(({ path, root }) => `\timport usherd-mount ${path} ${applicationOf(root)}\n`).join('')}}
${hosts
  .map(
    ({ name, root }) =>
      `http://${name}:${port} {\n\timport usherd-site ${applicationOf(root)}\n}\n`,
  )
  .join('')}`;

/** `root` of a host may be the public/ of an application; Caddy is told the application. */
const applicationOf = (root: string): string => root.replace(/\/public$/, '');

export function createCaddy(options: FrontOptions): Front {
  const { directory, srv, frontSocket } = options;
  const values = new Map([
    [`unix/${SHIPPED_SOCKET}`, `unix/${frontSocket}`],
    ['import usherd-app /srv', `import usherd-app ${srv}`],
  ]);
  const recipe = {
    name: 'caddy',
    files: new Map([
      ['Caddyfile', mainText(options)],
      ['usherd.caddy', snippet('caddy/usherd.caddy', values)],
    ]),
    directories: ['tmp'],
    command: [PROGRAM, 'run', '--adapter', 'caddyfile', '--config', `${directory}/Caddyfile`],
    environment: { HOME: `${directory}/tmp`, XDG_DATA_HOME: `${directory}/tmp` },
    runAsWebUser: true,
    logs: [],
  } as const;
  return frontOf(recipe, options);
}
