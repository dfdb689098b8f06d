// A private Apache: its own directory, port and processes, with the shipped configuration and nothing of the machine's.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { waitFor } from './wait-for.js';

const APACHE = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';
const SHIPPED = join(import.meta.dirname, '../../../conf.example/apache/usherd.conf');
/** Of any number of virtual hosts by links. */
export const SHIPPED_VHOSTS = SHIPPED.replace('usherd.conf', 'usherd-vhosts.conf');

/** Of an application that decides who may see what. */
export const SHIPPED_AUTHORIZER = SHIPPED.replace('usherd.conf', 'usherd-authorizer.conf');

/** For `skip`: false where Apache can be started. */
export const noApache: string | false = existsSync(APACHE) ? false : 'apache2 is not installed';

const MODULES_LOADED = [
  'mpm_event',
  'authz_core',
  'alias',
  'dir',
  'env',
  'headers',
  'mime',
  'proxy',
  'proxy_fcgi',
  'setenvif',
  'vhost_alias',
];

export interface ApacheOptions {
  /** Where Apache keeps its files; the web server's user must be able to pass the directories above. */
  readonly directory: string;
  /** usherd's front socket. */
  readonly socketPath: string;
  /** What stands before `{user}` in the roots. */
  readonly root: string;
  /** Configuration after the shipped file, such as virtual hosts. `${PORT}` is the port. */
  readonly more?: string;
  /** Besides those that the shipped file needs. */
  readonly modules?: readonly string[];
  /** `Define NAME VALUE` before the shipped file. */
  readonly defines?: Readonly<Record<string, string>>;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function configText(options: ApacheOptions, port: number): string {
  const isRoot = process.getuid?.() === 0;
  const loaded = [...MODULES_LOADED, ...(options.modules ?? [])];
  const defines = Object.entries(options.defines ?? {}).map((it) => `Define ${it.join(' ')}\n`);
  const modules = loaded.map((it) => `LoadModule ${it}_module ${MODULES}/mod_${it}.so`);
  return `ServerRoot ${options.directory}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${options.directory}/apache.pid
ErrorLog ${options.directory}/error.log
DefaultRuntimeDir ${options.directory}
${modules.join('\n')}
${isRoot ? 'User www-data\nGroup www-data\n' : ''}TypesConfig /etc/mime.types
DocumentRoot ${options.directory}/htdocs
# More threads than a test has connections: once all are busy, and when a spare child ends, Apache closes connections that
# are kept, and a client that uses one just then sees it hang up.
StartServers 1
ServerLimit 2
ThreadLimit 128
ThreadsPerChild 128
MaxRequestWorkers 256
MinSpareThreads 1
MaxSpareThreads 256
<Directory />
    Require all denied
</Directory>
Define PORT ${port}
Define USHERD_SOCKET ${options.socketPath}
Define USHERD_ROOT ${options.root}
Define USHERD_VHOSTS ${options.root}/vhosts
${defines.join('')}Include ${SHIPPED}
${options.more ?? ''}
`;
}

export class Apache {
  readonly port: number;
  readonly #directory: string;
  readonly #child: ChildProcess;

  private constructor(directory: string, port: number, child: ChildProcess) {
    this.#directory = directory;
    this.port = port;
    this.#child = child;
  }

  /** Resolves once it accepts connections. */
  static async start(options: ApacheOptions): Promise<Apache> {
    const { directory } = options;
    mkdirSync(join(directory, 'htdocs'), { recursive: true });
    chmodSync(directory, 0o755);
    const port = await freePort();
    const file = join(directory, 'apache.conf');
    writeFileSync(file, configText(options, port));
    const child = spawn(APACHE, ['-f', file, '-D', 'FOREGROUND'], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const apache = new Apache(directory, port, child);
    await waitFor('Apache listens', async () => {
      if (child.exitCode !== null)
        throw new Error(`Apache did not start: ${said}${apache.errorLog()}`);
      return accepts(port);
    });
    return apache;
  }

  /** Reads the configuration anew and lets running requests end, as `apachectl graceful` does. */
  async graceful(): Promise<void> {
    const lines = (): number => this.errorLog().split('resuming normal operations').length;
    const before = lines();
    this.#child.kill('SIGUSR1');
    await waitFor('Apache has restarted', () => lines() > before);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  errorLog(): string {
    const file = join(this.#directory, 'error.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
}
