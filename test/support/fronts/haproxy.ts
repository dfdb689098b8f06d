// HAProxy with conf.example/haproxy/: usherd.cfg as it is, frontend.cfg with the hosts and paths of the test.
import type { Front, FrontOptions } from './front.js';
import { frontOf } from './recipe.js';
import { SHIPPED_SOCKET, snippet } from './snippet.js';

const PROGRAM = '/usr/sbin/haproxy';
const MAP = '/etc/haproxy/usherd-hosts.map';
const MOUNT_LINES = /^.*(?:path \/blog|-m beg \/blog\/).*\n/gm;

const mainText = `
global
    nbthread 2
defaults
    mode http
    timeout client 60s
    timeout connect 10s
    timeout server 60s
    timeout http-keep-alive 20s
`;

/** The lines for the path /blog once for each mount. */
function frontendText({ directory, port, srv, mounts }: FrontOptions): string {
  const shipped = snippet(
    'haproxy/frontend.cfg',
    new Map([
      ['bind :80', `bind 127.0.0.1:${port}`],
      ['"/srv/\\1/"', `"${srv}/\\1/"`],
      [MAP, `${directory}/usherd-hosts.map`],
    ]),
  );
  const lines = (shipped.match(MOUNT_LINES) ?? []).join('');
  const all = mounts.map(({ path, root }) =>
    lines.replaceAll('/srv/alice/apps/blog', root).replaceAll('/blog', path),
  );
  return shipped
    .replace(MOUNT_LINES, '')
    .replace('    # One application at the root', `${all.join('')}$&`);
}

export function createHaproxy(options: FrontOptions): Front {
  const { directory, hosts, srv, frontSocket } = options;
  const values = new Map([
    [SHIPPED_SOCKET, frontSocket],
    ['docroot /srv', `docroot ${srv}`],
  ]);
  const map = hosts.map(({ name, root }) => `${name} ${root}\n`).join('');
  const configs = ['haproxy.cfg', 'usherd.cfg', 'frontend.cfg'];
  const recipe = {
    name: 'haproxy',
    files: new Map([
      ['haproxy.cfg', mainText],
      ['usherd.cfg', snippet('haproxy/usherd.cfg', values)],
      ['frontend.cfg', frontendText(options)],
      ['usherd-hosts.map', map],
    ]),
    directories: [],
    command: [PROGRAM, '-db', ...configs.flatMap((name) => ['-f', `${directory}/${name}`])],
    runAsWebUser: true,
    logs: [],
  } as const;
  return frontOf(recipe, options);
}
