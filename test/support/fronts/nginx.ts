// nginx with conf.example/nginx/, laid out below its own directory as Debian does below /etc/nginx.
import type { Front, FrontOptions } from './front.js';
import { frontOf, ifRoot } from './recipe.js';
import { SHIPPED_SOCKET, snippet } from './snippet.js';

const PROGRAM = '/usr/sbin/nginx';
const SHIPPED_APP = '/srv/alice/apps/blog';
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
const AS_THEY_ARE = ['usherd-locations.conf', 'usherd-app.conf', 'usherd-params.conf'];

const mainText = ({ directory, port }: FrontOptions): string => `
daemon off;
${ifRoot((account) => `user ${account};`)}
worker_processes 1;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log warn;
events { worker_connections 512; }
http {
    types { text/css css; text/html html; image/svg+xml svg; }
    default_type application/octet-stream;
    access_log off;
    keepalive_timeout 20s;
${TEMPORARY.map((name) => `    ${name}_temp_path ${directory}/tmp/${name};`).join('\n')}
    include conf.d/*.conf;
    server {
        listen 127.0.0.1:${port} default_server;
        server_name localhost;
        root ${directory}/htdocs;
        include snippets/usherd-users.conf;
        include mounts/*.conf;
    }
    include sites-enabled/*.conf;
}
`;

/** `root` of a host may be the public/ of an application; nginx is told the application. */
const applicationOf = (root: string): string => root.replace(/\/public$/, '');

function files(options: FrontOptions): ReadonlyMap<string, string> {
  const { srv, frontSocket, port, hosts, mounts } = options;
  const as = (...pairs: [string, string][]): ReadonlyMap<string, string> => new Map(pairs);
  const texts = new Map([
    ['nginx.conf', mainText(options)],
    ['conf.d/usherd.conf', snippet('nginx/usherd.conf', as([SHIPPED_SOCKET, frontSocket]))],
    ['snippets/usherd-users.conf', snippet('nginx/usherd-users.conf', as(['/srv', srv]))],
  ]);
  for (const name of AS_THEY_ARE) texts.set(`snippets/${name}`, snippet(`nginx/${name}`, as()));
  for (const { name, root } of hosts) {
    const values = as(
      ['listen 80;', `listen 127.0.0.1:${port};`],
      ['blog.example.test', name],
      [SHIPPED_APP, applicationOf(root)],
    );
    texts.set(`sites-enabled/${name}.conf`, snippet('nginx/usherd-site.conf', values));
  }
  for (const { path, root } of mounts) {
    const values = as([SHIPPED_APP, applicationOf(root)], ['^/blog', `^${path}`]);
    texts.set(`mounts${path}.conf`, snippet('nginx/usherd-mount.conf', values));
  }
  return texts;
}

export function createNginx(options: FrontOptions): Front {
  const { directory } = options;
  const recipe = {
    name: 'nginx',
    files: files(options),
    directories: ['htdocs', 'tmp'],
    command: [PROGRAM, '-p', directory, '-e', `${directory}/error.log`, '-c', 'nginx.conf'],
    logs: ['error.log'],
  } as const;
  return frontOf(recipe, options);
}
