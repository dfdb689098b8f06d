// One server program of our own: started in the foreground, waited for, stopped by its pid, its output kept in a file.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { waitFor } from '../wait-for.js';

export const IS_ROOT = process.getuid?.() === 0;

/** The account of the web servers where they can have one. */
export const WEB_USER = 'www-data';

export interface ServerOptions {
  readonly directory: string;
  readonly port: number;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Start it as the web server's account. One that changes accounts itself would lose its death signal (prctl(2)). */
  readonly runAsWebUser?: boolean;
}

const START_DEADLINE_MS = 15_000;
const STOP_GRACE_MS = 3_000;

export class ServerProcess {
  readonly #options: ServerOptions;
  readonly #logPath: string;
  #child: ChildProcess | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#logPath = path.join(options.directory, 'output.log');
  }

  get isAlive(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && !this.#isSignalled;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const { directory, port, command, environment, runAsWebUser } = this.#options;
    const log = fs.openSync(this.#logPath, 'a');
    const account = runAsWebUser === true && IS_ROOT ? asWebUser() : [];
    // The signal ends the server if the test process dies before it can.
    const args = ['--pdeathsig', 'TERM', ...account, '--', ...command];
    const child = spawn('/usr/bin/setpriv', args, {
      cwd: directory,
      detached: true, // its own process group, which can be killed as a whole
      stdio: ['ignore', log, log],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', ...environment },
    });
    fs.closeSync(log);
    this.#child = child;
    const answers = async (): Promise<boolean> => !this.isAlive || (await isListening(port));
    await waitFor(`${command[0] ?? ''} on port ${port}`, answers, START_DEADLINE_MS);
    if (!this.isAlive) throw new Error(`${command.join(' ')} did not start:\n${this.output()}`);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    const { pid } = child;
    if (this.isAlive) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const hard = setTimeout(() => killGroup(pid), STOP_GRACE_MS);
      await exited;
      clearTimeout(hard);
    }
    killGroup(pid);
    this.#child = undefined;
  }

  output(): string {
    return fs.existsSync(this.#logPath) ? fs.readFileSync(this.#logPath, 'utf8') : '';
  }

  get #isSignalled(): boolean {
    return this.#child?.signalCode != null;
  }
}

const asWebUser = (): string[] => [
  ...['--reuid', WEB_USER, '--regid', WEB_USER, '--init-groups'],
  '--inh-caps=-all',
];

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: nothing of it is left
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    const done = (isOpen: boolean) => (): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.on('connect', done(true)).on('error', done(false));
  });
}

/** Ports that nobody has now, all different: they are held together until all are known. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer());
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  }
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  for (const server of servers) {
    await new Promise((resolve) => server.close(resolve));
  }
  return ports;
}
