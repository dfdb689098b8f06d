// Apache with conf.example/apache/usherd.conf, which reads its socket and its root from Define.
import type { Front, FrontOptions, Host, Mount } from './front.js';
import { frontOf, ifRoot } from './recipe.js';
import { examplePath } from './snippet.js';

const PROGRAM = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';
const LOADED = [
  ...['mpm_event', 'authz_core', 'alias', 'dir', 'env', 'headers', 'mime'],
  ...['proxy', 'proxy_fcgi', 'reqtimeout', 'setenvif'],
];

const hostText = ({ name, root }: Host, port: number): string => `
<VirtualHost 127.0.0.1:${port}>
    ServerName ${name}
    DocumentRoot ${root}
</VirtualHost>`;

const mountText = ({ path, root }: Mount): string => `
    RedirectMatch permanent "^${path}$" "${path}/"
    Alias "${path}/" "${root}/"`;

const mainText = (options: FrontOptions): string => `
ServerRoot ${options.directory}
ServerName localhost
Listen 127.0.0.1:${options.port}
PidFile ${options.directory}/apache.pid
ErrorLog ${options.directory}/error.log
LogLevel warn
DefaultRuntimeDir ${options.directory}
${LOADED.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
${ifRoot((account) => `User ${account}\nGroup ${account}`)}
TypesConfig /etc/mime.types
DocumentRoot ${options.directory}/htdocs
KeepAliveTimeout 2
StartServers 1
ServerLimit 4
ThreadsPerChild 25
MaxRequestWorkers 100
<Directory />
    Require all denied
</Directory>
<Directory ${options.directory}/htdocs>
    Require all granted
</Directory>
Define USHERD_SOCKET ${options.frontSocket}
Define USHERD_ROOT ${options.srv}
Include ${examplePath('apache/usherd.conf')}
<VirtualHost 127.0.0.1:${options.port}>
    ServerName localhost
    DocumentRoot ${options.directory}/htdocs
${options.mounts.map(mountText).join('')}
</VirtualHost>
${options.hosts.map((host) => hostText(host, options.port)).join('')}
`;

export function createApache(options: FrontOptions): Front {
  const recipe = {
    name: 'apache',
    files: new Map([['apache.conf', mainText(options)]]),
    directories: ['htdocs'],
    command: [PROGRAM, '-f', `${options.directory}/apache.conf`, '-D', 'FOREGROUND'],
    logs: ['error.log'],
  } as const;
  return frontOf(recipe, options);
}
