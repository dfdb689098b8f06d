// Apache with one of four things behind it, one virtual host a user; everything else is the same for all four.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { users, wrapperOf, type BenchUser } from './site.js';
import { Program } from './program.js';

const APACHE = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';
const SHARED_MODULES = ['mpm_event', 'authz_core', 'alias', 'dir', 'env', 'mime', 'setenvif'];

/** What differs between the four. */
export interface ApacheSide {
  readonly name: string;
  readonly modules: readonly string[];
  /** At the level of the server. */
  readonly server: string;
  /** In the virtual host of one user. */
  readonly host: (user: BenchUser) => string;
}

/** mod_fcgid's limits are those of the others: 4 processes a user, none ended while the benchmark runs. */
export const fcgidSide: ApacheSide = {
  name: 'fcgid',
  modules: ['fcgid', 'suexec'],
  server: `FcgidMaxProcesses 400
FcgidMaxProcessesPerClass 4
FcgidMinProcessesPerClass 0
FcgidMaxRequestsPerProcess 0
FcgidMaxRequestLen 1073741824
FcgidIOTimeout 300
FcgidIdleTimeout 3600
FcgidProcessLifeTime 0`,
  host: (user) => `SuexecUserGroup ${user.name} ${user.name}
<Directory ${user.site}>
    Options +ExecCGI
    AddHandler fcgid-script .php
    FcgidWrapper ${wrapperOf(user)} .php
</Directory>`,
};

export const cgiSide: ApacheSide = {
  name: 'cgi',
  modules: ['cgid', 'suexec'],
  server: '',
  host: (user) => `SuexecUserGroup ${user.name} ${user.name}
<Directory ${user.site}>
    Options +ExecCGI
    AddHandler cgi-script .cgi
</Directory>`,
};

export const fpmSide = (socketOf: (user: BenchUser) => string): ApacheSide => ({
  name: 'apache-fpm',
  modules: ['proxy', 'proxy_fcgi'],
  server: '',
  host: (user) => `<FilesMatch "\\.php$">
    SetHandler "proxy:unix:${socketOf(user)}|fcgi://localhost"
</FilesMatch>
<Proxy "fcgi://localhost">
    ProxySet timeout=300 flushpackets=on
</Proxy>`,
});

export const usherdSide = (name: string, socket: string, shipped: string): ApacheSide => ({
  name: `apache-${name}`,
  modules: ['proxy', 'proxy_fcgi'],
  server: `Define USHERD_SOCKET ${socket}\nDefine USHERD_ROOT /srv\nInclude ${shipped}`,
  host: () => '',
});

function configText(side: ApacheSide, directory: string, port: number): string {
  const modules = [...SHARED_MODULES, ...side.modules].map(
    (it) => `LoadModule ${it}_module ${MODULES}/mod_${it}.so`,
  );
  const hosts = users.map(
    (user) => `<VirtualHost 127.0.0.1:${port}>
ServerName ${user.host}
DocumentRoot ${user.site}
<Directory ${user.site}>
    Require all granted
</Directory>
${side.host(user)}
</VirtualHost>`,
  );
  return `ServerRoot ${directory}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${directory}/apache.pid
ErrorLog ${directory}/error.log
DefaultRuntimeDir ${directory}
${modules.join('\n')}
User www-data
Group www-data
TypesConfig /etc/mime.types
KeepAlive On
MaxKeepAliveRequests 0
StartServers 2
ThreadsPerChild 64
MaxRequestWorkers 256
<Directory />
    AllowOverride None
    Require all denied
</Directory>
${side.server}
${hosts.join('\n')}
`;
}

export function startApache(side: ApacheSide, base: string, port: number): Promise<Program> {
  const directory = join(base, side.name);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'apache.conf');
  writeFileSync(file, configText(side, directory, port));
  const command = [APACHE, '-f', file, '-D', 'FOREGROUND'];
  return Program.start(command, join(directory, 'output.log'), { port, host: '127.0.0.1' });
}
