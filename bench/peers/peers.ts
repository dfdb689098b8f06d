// The five peers, each of whole programs as an administrator would set them up for sites of many users; and the floor.
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  cgiSide,
  fcgidSide,
  fpmSide,
  startApache,
  usherdSide,
  type ApacheSide,
} from './apache-peer.js';
import type { Peer } from './peer.js';
import { roleOf, treeOf, uidOf } from './processes.js';
import { Program } from './program.js';
import { scenarios } from './scenarios.js';
import { users, type BenchUser } from './site.js';

const CHECKOUT = join(import.meta.dirname, '../../..');

interface PeerParts {
  readonly name: string;
  readonly title: string;
  readonly port: number;
  readonly hello?: string;
  readonly leavesOut?: readonly string[];
  readonly programs: () => Promise<readonly Program[]>;
}

function peer(parts: PeerParts): Peer {
  const { name, title, port, hello = '/hello.php', leavesOut = [], programs } = parts;
  let running: readonly Program[] = [];
  const pids = (): readonly number[] => running.flatMap(({ pid }) => treeOf(pid));
  return {
    ...{ name, title, port, hello, pids },
    leavesOut: new Set(leavesOut),
    async start() {
      running = await programs();
    },
    async stop() {
      for (const program of [...running].reverse()) await program.stop();
    },
    workersOf: ({ uid }) => pids().filter((pid) => uidOf(pid) === uid && roleOf(pid) === 'php'),
  };
}

/** Sockets of the pools of one of the two masters. */
const fpmSocket =
  (owner: string) =>
  ({ name }: BenchUser): string =>
    `/run/bench-fpm/${owner}-${name}.sock`;

/** One master with a pool a user, as for sites of many users; `ondemand` is the kind that costs nothing at rest. */
async function startFpm(base: string, owner: string): Promise<Program> {
  const directory = join(base, `${owner}-fpm`);
  mkdirSync(directory, { recursive: true });
  mkdirSync('/run/bench-fpm', { recursive: true });
  const socketOf = fpmSocket(owner);
  const pools = users.map(
    (user) => `[${user.name}]
user = ${user.name}
group = ${user.name}
listen = ${socketOf(user)}
listen.owner = www-data
listen.group = www-data
listen.mode = 0660
pm = ondemand
pm.max_children = 4
pm.process_idle_timeout = 300s
`,
  );
  const file = join(directory, 'fpm.conf');
  const global = `[global]\nerror_log = ${directory}/error.log\ndaemonize = no\n`;
  writeFileSync(file, `${global}${pools.join('')}`);
  const path = users.map(socketOf)[0] ?? '';
  const command = [fpmProgram(), '--fpm-config', file, '--nodaemonize'];
  return Program.start(command, join(directory, 'output.log'), { path });
}

/** Debian names it with its version. */
function fpmProgram(): string {
  const name = readdirSync('/usr/sbin').find((it) => /^php-fpm\d/.test(it));
  if (name === undefined) throw new Error('php-fpm is not installed');
  return `/usr/sbin/${name}`;
}

async function startUsherd(base: string): Promise<Program> {
  const directory = join(base, 'usherd');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'usherd.toml');
  const socket = join(directory, 'run/front/front.sock');
  const text = `[paths]
run = "${directory}/run"
log = "${directory}/log"
state = "${directory}/state"
[front]
sockets = [{ path = "${socket}", group = "www-data" }]
`;
  writeFileSync(file, text);
  const command = [join(CHECKOUT, 'bin/usherd'), 'run', '--config', file];
  return Program.start(command, join(directory, 'output.log'), { path: socket });
}

async function startNginx(base: string, port: number): Promise<Program> {
  const directory = join(base, 'nginx');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off;
user www-data;
worker_processes 2;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_requests 1000000;
    client_max_body_size 0;
    fastcgi_read_timeout 300s;
    client_body_temp_path ${directory}/body;
    fastcgi_temp_path ${directory}/fastcgi;
    proxy_temp_path ${directory}/proxy;
    uwsgi_temp_path ${directory}/uwsgi;
    scgi_temp_path ${directory}/scgi;
    server {
        listen 127.0.0.1:${port};
        server_name "~^(?<user>u[0-9]+)\\.test$";
        root /srv/$user/apps/site;
        location ~ \\.php$ {
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_pass unix:/run/bench-fpm/nginx-$user.sock;
        }
        location = /events.php {
            include /etc/nginx/fastcgi_params;
            fastcgi_buffering off;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_pass unix:/run/bench-fpm/nginx-$user.sock;
        }
    }
}
`,
  );
  const command = ['/usr/sbin/nginx', '-p', directory, '-c', file];
  return Program.start(command, join(directory, 'output.log'), { port, host: '127.0.0.1' });
}

const FLOOR_SOCKET = '/run/bench-floor/php.sock';

/**
 * php-cgi of the first user, which Apache asks on connections that it keeps. A process belongs to its connection, so there are
 * more of them than the load has connections: nobody could run sites like this, but nothing behind mod_proxy_fcgi can cost less.
 */
async function startFloor(base: string): Promise<Program> {
  const [user] = users;
  if (user === undefined) throw new Error('there are no users');
  const directory = dirname(FLOOR_SOCKET);
  mkdirSync(directory);
  chownSync(directory, user.uid, user.uid);
  const drop = ['/usr/bin/setpriv', `--reuid=${user.uid}`, `--regid=${user.uid}`, '--clear-groups'];
  const children = ['/usr/bin/env', 'PHP_FCGI_CHILDREN=80', 'PHP_FCGI_MAX_REQUESTS=0'];
  const command = [...drop, ...children, '/usr/bin/php-cgi', '-b', FLOOR_SOCKET];
  const program = await Program.start(command, join(base, 'floor.log'), { path: FLOOR_SOCKET });
  chmodSync(FLOOR_SOCKET, 0o666);
  return program;
}

/** All of them, usherd last. `base` must be open to every user. */
export function allPeers(base: string): readonly Peer[] {
  writeFileSync('/etc/apache2/suexec/www-data', '/srv\npublic_html\n');
  const apache = (side: ApacheSide, port: number) => () => startApache(side, base, port);
  const fpm = apache(fpmSide(fpmSocket('apache')), 8003);
  const shipped = join(CHECKOUT, 'conf.example/apache/usherd.conf');
  const socket = join(base, 'usherd/run/front/front.sock');
  const front = apache(usherdSide('usherd', socket, shipped), 8005);
  const bare = apache(usherdSide('floor', FLOOR_SOCKET, shipped), 8006);
  return [
    peer({
      ...{ name: 'fcgid', title: 'Apache + mod_fcgid + suEXEC', port: 8001 },
      programs: async () => [await apache(fcgidSide, 8001)()],
    }),
    peer({
      ...{ name: 'cgi', title: 'Apache + mod_cgid + suEXEC', port: 8002, hello: '/hello.cgi' },
      leavesOut: ['slow uploads', 'death', 'upload', 'download', 'events', 'slow downloads'],
      programs: async () => [await apache(cgiSide, 8002)()],
    }),
    peer({
      ...{ name: 'fpm', title: 'Apache + mod_proxy_fcgi + php-fpm (ondemand)', port: 8003 },
      programs: async () => [await startFpm(base, 'apache'), await fpm()],
    }),
    peer({
      ...{ name: 'nginx', title: 'nginx + php-fpm (ondemand)', port: 8004 },
      programs: async () => [await startFpm(base, 'nginx'), await startNginx(base, 8004)],
    }),
    peer({
      ...{ name: 'floor', title: 'Apache + mod_proxy_fcgi + php-cgi, nothing between', port: 8006 },
      // After a load Apache keeps a connection to each of its processes: whoever comes then waits for ever.
      leavesOut: scenarios.map(({ name }) => name).filter((name) => !name.startsWith('hello')),
      programs: async () => [await startFloor(base), await bare()],
    }),
    peer({
      ...{ name: 'usherd', title: 'Apache + mod_proxy_fcgi + usherd', port: 8005 },
      programs: async () => [await startUsherd(base), await front()],
    }),
  ];
}
