// A whole usherd as an administrator starts it: `usherd run` as root with its own directories, two users, real applications.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { withMounts } from './own-mounts.js';
import { waitFor } from './wait-for.js';

const BIN = path.join(import.meta.dirname, '../../../bin/usherd');

/** Without passwd entries; each test file has its own so that files may run side by side. */
export interface TestUser {
  readonly name: string;
  readonly uid: number;
}

export interface WorkerRow {
  readonly id: string;
  readonly pid: number;
  readonly state: string;
  readonly requestsServed: number;
  readonly rssBytes: number;
}

export interface StatusShape {
  readonly router: { readonly connected: boolean };
  readonly isolation: { readonly cgroup: { readonly path: string } };
  readonly apps: readonly {
    readonly app: string;
    readonly uid: number;
    readonly runtime: string;
    readonly workers: readonly WorkerRow[];
  }[];
}

interface LogLine {
  readonly name: string;
  readonly pid: number;
  readonly msg: string;
}

export interface UsherdOptions {
  readonly routerUid: number;
  /** More of the configuration. */
  readonly more?: string;
  /** More keys of its [apps]. */
  readonly apps?: string;
  /** Before it is started. */
  readonly prepare?: (usherd: UsherdRun) => void;
  /** Descriptors that each of its processes may have. */
  readonly files?: number;
  /** Users who have a front socket of their own, besides the one for all. */
  readonly boundTo?: readonly string[];
}

export class UsherdRun {
  readonly directory: string;
  readonly root: string;
  readonly frontSocket: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly users: readonly TestUser[];
  readonly #files: number | undefined;
  #child: ChildProcess | undefined;

  private constructor(users: readonly TestUser[], options: UsherdOptions) {
    const { routerUid, more = '', apps = '', boundTo = [] } = options;
    this.users = users;
    this.#files = options.files;
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'usherd-e2e-'));
    fs.chmodSync(this.directory, 0o755);
    this.root = path.join(this.directory, 'srv');
    this.frontSocket = path.join(this.directory, 'run/front/front.sock');
    this.configFile = path.join(this.directory, 'usherd.toml');
    this.logFile = path.join(this.directory, 'usherd.log');
    const accounts = [...users, { name: 'e2e-router', uid: routerUid }].map(
      ({ name, uid }) =>
        `[users.${name}]\nuid = ${uid}\ngid = ${uid}\nhome = "${this.root}/${name}"\n`,
    );
    fs.writeFileSync(
      this.configFile,
      `[paths]
run = "${this.directory}/run"
log = "${this.directory}/log"
state = "${this.directory}/state"
[front]
sockets = [${[undefined, ...boundTo].map((user) => this.#socketEntry(user)).join(', ')}]
[apps]
roots = ["${this.root}/{user}/apps/{app}"]
vhosts = "${this.root}/vhosts"
${apps}
[identity]
router_user = "e2e-router"
${more}
${accounts.join('')}`,
      { mode: 0o600 },
    );
    // The router reads it too.
    fs.chmodSync(this.configFile, 0o644);
    for (const { name, uid } of users) {
      this.makeDirectory(name, uid);
      this.makeDirectory(`${name}/apps`, uid);
    }
  }

  static async start(users: readonly TestUser[], options: UsherdOptions): Promise<UsherdRun> {
    const usherd = new UsherdRun(users, options);
    try {
      options.prepare?.(usherd);
      await usherd.run();
    } catch (err) {
      // Nobody else can end what has half started.
      await usherd.stop();
      throw err;
    }
    return usherd;
  }

  /** Also again after everything was killed. */
  async run(): Promise<void> {
    const log = fs.openSync(this.logFile, 'a');
    const before = this.#lines().length;
    const limit = this.#files === undefined ? [] : [`--nofile=${this.#files}:${this.#files}`];
    this.#child = spawn('prlimit', [...limit, '--', BIN, 'run', '--config', this.configFile], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    fs.closeSync(log);
    await waitFor('router and supervisor are connected', () =>
      this.#lines()
        .slice(before)
        .some(({ msg }) => msg === 'supervisor connected'),
    );
  }

  /** The front socket on which only this user's applications are served. */
  socketOf(user: string): string {
    return path.join(this.directory, `run/front/${user}.sock`);
  }

  #socketEntry(user: string | undefined): string {
    const socket = user === undefined ? this.frontSocket : this.socketOf(user);
    const bound = user === undefined ? '' : `, user = "${user}"`;
    return `{ path = "${socket}", group = "www-data"${bound} }`;
  }

  /** Changes the configuration and has it read again. */
  async reconfigure(edit: (text: string) => string): Promise<void> {
    fs.writeFileSync(this.configFile, edit(fs.readFileSync(this.configFile, 'utf8')));
    const { code, out } = await this.command('reload');
    if (code !== 0) throw new Error(`not reloaded: ${out}`);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Of the newest process of this name that has logged. */
  pidOf(name: 'supervisor' | 'router'): number {
    return this.#lines().findLast((line) => line.name === name)?.pid ?? 0;
  }

  makeDirectory(below: string, uid: number, mode = 0o755): void {
    const directory = path.join(this.root, below);
    fs.mkdirSync(directory, { recursive: true });
    fs.chmodSync(directory, mode);
    fs.chownSync(directory, uid, uid);
  }

  /** A file of an application, owned by its user. */
  write(app: string, name: string, text: string | Buffer, mode = 0o644): void {
    const [user = '', directory = ''] = app.split('/');
    const uid = this.users.find((one) => one.name === user)?.uid ?? 0;
    this.makeDirectory(`${user}/apps/${directory}`, uid);
    const folder = path.dirname(name);
    if (folder !== '.') this.makeDirectory(`${user}/apps/${directory}/${folder}`, uid);
    const file = path.join(this.root, user, 'apps', directory, name);
    fs.writeFileSync(file, text);
    fs.chmodSync(file, mode);
    fs.chownSync(file, uid, uid);
  }

  remove(app: string): void {
    const [user = '', directory = ''] = app.split('/');
    fs.rmSync(path.join(this.root, user, 'apps', directory), { recursive: true });
  }

  async command(
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string }> {
    return this.commandAfter('', ...args);
  }

  /** After what a shell does, as root and with mounts that nobody else sees. */
  async commandAfter(
    setup: string,
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string }> {
    const [name = '', ...rest] = args;
    const argv = [BIN, name, '--config', this.configFile, ...rest];
    const [program = BIN, ...words] = withMounts(setup, argv);
    const child = spawn(program, words, { stdio: 'pipe' });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    return { code, out };
  }

  async status(): Promise<StatusShape> {
    const { out } = await this.command('status', '--json');
    return JSON.parse(out) as StatusShape;
  }

  /** Processes of the users of this run, workers and what they started. */
  workerPids(): readonly number[] {
    const uids = new Set(this.users.map(({ uid }) => uid));
    return fs
      .readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          return uids.has(fs.statSync(`/proc/${pid}`).uid) && !isZombie(pid);
        } catch {
          return false; // gone meanwhile
        }
      });
  }

  log(): string {
    return fs.readFileSync(this.logFile, 'utf8');
  }

  /** As `systemctl stop` does it; run() starts it again. */
  async halt(): Promise<void> {
    const child = this.#child;
    if (child?.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    await waitFor('no worker is left', () => this.workerPids().length === 0);
  }

  async stop(): Promise<void> {
    await this.halt();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  #lines(): readonly LogLine[] {
    if (!fs.existsSync(this.logFile)) return [];
    const lines = this.log()
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'));
    return lines.map((line) => JSON.parse(line) as LogLine);
  }
}

function isZombie(pid: number): boolean {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

/**
 * What processes of one program hold together, in MiB: what is each one's own, and once what is in files (Node itself,
 * some 45 MiB), which the kernel has only one time.
 */
export function togetherMiB(pids: readonly number[]): number {
  const statuses = pids.map((pid) => fs.readFileSync(`/proc/${pid}/status`, 'latin1'));
  const kib = (name: string): number[] =>
    statuses.map((text) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? NaN),
    );
  const own = kib('RssAnon').reduce((sum, value) => sum + value, 0);
  return (own + Math.max(...kib('RssFile'))) / 1024;
}

/** Resident memory of a process in MiB. */
export function rssMiB(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) / 1024;
}

/** Highest resident memory that a process ever had, in MiB. */
export function peakRssMiB(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) / 1024;
}
