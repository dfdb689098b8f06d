// A machine in a directory: run-time directories, users' applications, and a supervisor with its real capabilities.
import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCgroupBase } from '../../src/cli/cgroup-base.js';
import { createLogger } from '../../src/log.js';
import { connected, FakeLogSink, FakeRouter } from './fake-router.js';
import type { TestSetting } from './supervisor-setting.js';
import { waitFor } from './wait-for.js';

// Uids of nobody on this machine, and of no other test that runs at the same time.
const FIRST_UID = 24_000 + (process.pid % 4_000) * 8;
export const UID = {
  router: FIRST_UID,
  web: FIRST_UID + 1,
  alice: FIRST_UID + 2,
  bob: FIRST_UID + 3,
} as const;
export type Tenant = 'alice' | 'bob';

const MAIN = fileURLToPath(new URL('./supervisor-main.js', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/workers/', import.meta.url));

/** A mount namespace in which nothing is mounted where cgroups are looked for. */
const UNMOUNT = 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"';
const WITHOUT_CGROUPS = ['unshare', '--mount', '/bin/sh', '-c', UNMOUNT, 'sh'];

/** What a supervisor may have been given, and no worker may find in his environment. */
const NOBODYS_TO_SEE = {
  AWS_SECRET: 'x',
  BASH_ENV: '/nonexistent',
  LD_LIBRARY_PATH: '/nonexistent',
  LISTEN_FDS: '1',
  NOTIFY_SOCKET: '/nonexistent',
};

const CAPABILITIES = 'setuid,setgid,setpcap,kill,chown'.split(',').map((name) => `+${name}`);

export class SupervisorHost {
  readonly root: string;
  readonly run: string;
  readonly sink = new FakeLogSink();
  /** For the supervisor at its next start. */
  withoutCgroups = false;
  #setting: TestSetting;
  #child: ChildProcess | undefined;
  #output = '';

  readonly #mode: 'root' | 'self';

  /** @param mode self: the supervisor is alice, and everything runs as her */
  constructor(overrides: Partial<TestSetting> = {}, mode: 'root' | 'self' = 'root') {
    this.#mode = mode;
    this.root = mkdtempSync('/tmp/ut-');
    chmodSync(this.root, 0o711);
    this.run = join(this.root, 'run');
    const users = [
      { name: 'alice', uid: UID.alice },
      { name: 'bob', uid: UID.bob },
    ];
    const roots = [join(this.root, '{user}', '{app}')];
    const usersDirectory = join(this.root, 'users');
    this.#setting = { run: this.run, roots, users, usersDirectory, ...overrides };
    this.#makeRunDirectories();
    for (const tenant of ['alice', 'bob'] as const) {
      mkdirSync(join(this.root, tenant), { mode: 0o711 });
    }
    this.sink.server.listen(this.path('router/log.sock'));
    chownSync(this.path('router/log.sock'), ...this.#owner(UID.router, 0));
    chmodSync(this.path('router/log.sock'), 0o660);
  }

  path(below: string): string {
    return join(this.run, below);
  }

  /** Where the users' private directories are. */
  get users(): string {
    return this.#setting.usersDirectory;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Lines of the supervisor's log. */
  get log(): readonly {
    readonly level: string;
    readonly msg: string;
    readonly errorCode?: string;
  }[] {
    const lines = this.#output.split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => JSON.parse(line) as { level: string; msg: string });
  }

  get output(): string {
    return this.#output;
  }

  /** An application whose program is one of test/fixtures/workers. */
  makeApp(tenant: Tenant, app: string, fixture: string): string {
    const directory = join(this.root, tenant, app);
    mkdirSync(directory, { mode: 0o755 });
    copyFileSync(join(FIXTURES, fixture), join(directory, 'app.fcgi'));
    chmodSync(join(directory, 'app.fcgi'), 0o755);
    for (const path of [join(directory, 'app.fcgi'), directory]) {
      chownSync(path, UID[tenant], UID[tenant]);
    }
    return directory;
  }

  /** Takes effect at the next start or reload. */
  change(setting: Partial<TestSetting>): void {
    this.#setting = { ...this.#setting, ...setting };
    this.#writeSetting();
  }

  /** Settles when the supervisor is ready, or has ended instead. */
  async start(): Promise<void> {
    if (this.#mode === 'root') await makeCgroupBase(createLogger('fatal', 'usherd'));
    this.#writeSetting();
    this.#output = '';
    const node = [
      process.execPath,
      '--max-old-space-size=64',
      '--max-semi-space-size=1',
      MAIN,
      join(this.root, 'setting'),
    ];
    const chain = ['setpriv', ...this.#identity(), '--', ...node];
    const [file = '', ...args] = this.withoutCgroups ? [...WITHOUT_CGROUPS, ...chain] : chain;
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: '/usr/bin:/bin', HOME: '/', ...NOBODYS_TO_SEE },
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#child = child;
    await waitFor('the supervisor', () =>
      this.log.some(({ msg }) => msg === 'supervisor ready' || msg === 'supervisor cannot start'),
    );
  }

  /** As systemd does it; then looks that nothing is left. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await waitFor(
      'the supervisor to end',
      () => child.exitCode !== null || child.signalCode !== null,
    );
  }

  async close(): Promise<void> {
    await this.stop();
    this.sink.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  router(): Promise<FakeRouter> {
    return FakeRouter.connect(this.path('supervisor.sock'));
  }

  async control(request: object): Promise<Record<string, unknown>> {
    return JSON.parse(await this.controlRaw(`${JSON.stringify(request)}\n`)) as Record<
      string,
      unknown
    >;
  }

  async controlRaw(bytes: string | Buffer): Promise<string> {
    const socket = await connected(this.path('control.sock'));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.write(bytes);
    await waitFor('the end of the answer', () => socket.closed);
    return text;
  }

  /** Processes of this uid that live: whose parent is gone is reaped by init in its own time. */
  processesOf(uid: number): readonly number[] {
    return readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name))
      .filter((name) => {
        const status = readProc(name, 'status');
        return status.includes(`\nUid:\t${uid}\t`) && !/^State:\tZ/m.test(status);
      })
      .map(Number);
  }

  /** Children of the supervisor that are dead and not reaped. */
  get zombies(): readonly string[] {
    return readdirSync('/proc').filter((name) => {
      const stat = readProc(name, 'stat');
      return stat.slice(stat.lastIndexOf(')') + 2).startsWith(`Z ${this.pid} `);
    });
  }

  get descriptorCount(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  get rssBytes(): number {
    const kib = /^VmRSS:\s*([0-9]+) kB$/m.exec(readProc(String(this.pid), 'status'))?.[1];
    return Number(kib) * 1024;
  }

  /** What `usherd run` starts the supervisor with. */
  #identity(): readonly string[] {
    if (this.#mode === 'self') {
      const ids = [`--reuid=${UID.alice}`, `--regid=${UID.alice}`, '--clear-groups'];
      return [...ids, '--inh-caps=-all'];
    }
    const bounding = `--bounding-set=-all,${CAPABILITIES.join(',')}`;
    return [bounding, '--inh-caps=-all', `--groups=${UID.router},${UID.web}`];
  }

  #owner(uid: number, gid: number): [uid: number, gid: number] {
    return this.#mode === 'self' ? [UID.alice, UID.alice] : [uid, gid];
  }

  #writeSetting(): void {
    writeFileSync(join(this.root, 'setting'), JSON.stringify(this.#setting));
  }

  #makeRunDirectories(): void {
    const make = (path: string, uid: number, gid: number, mode: number): void => {
      mkdirSync(path);
      chownSync(path, ...this.#owner(uid, gid));
      chmodSync(path, this.#mode === 'self' ? 0o700 : mode);
    };
    make(this.run, 0, 0, 0o711);
    make(this.path('worker'), 0, UID.router, 0o2710);
    make(this.path('router'), UID.router, 0, 0o750);
    make(this.users, 0, 0, 0o711);
  }
}

function readProc(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}
