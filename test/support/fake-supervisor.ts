// A supervisor for router tests: speaks the framed messages, "starts" workers inside the test process, starts nothing real.
import fs from 'node:fs';
import net from 'node:net';
import { unpublishedName } from '../../src/ipc/index.js';
import type { AppFacts, RouterMessage, SupervisorMessage } from '../../src/ipc/messages.js';
import { DEFAULT_ORIGINS, TEST_DIGEST } from './config.js';
import { startFd0Worker, type Fd0Worker, type ProgramExit } from './fd0-worker.js';
import { FakeWorker, type FakeWorkerOptions } from './fake-worker.js';

type Need = Extract<RouterMessage, { type: 'need' }>;
type Refused = Extract<SupervisorMessage, { type: 'refused' }>;

/** What stands behind one application id. */
export interface FakeApp {
  readonly worker?: FakeWorkerOptions;
  /** A real program in its place, with its listening socket on descriptor 0: absolute path and arguments. */
  readonly program?: readonly string[];
  readonly facts?: Partial<Omit<AppFacts, 'limits'>> & {
    readonly limits?: Partial<AppFacts['limits']>;
  };
  readonly runtime?: string;
  /** Whatever runtime is asked for, this one is started: the application has chosen another one meanwhile. */
  readonly insistsOn?: string;
  readonly protocol?: 'fastcgi' | 'http' | 'scgi';
  readonly concurrency?: number;
  /** Path of the socket of an external worker. */
  readonly connect?: string;
  readonly maxRequests?: number;
  readonly refuse?: Partial<Refused>;
  /** The same, for whoever asks for this runtime. */
  readonly refuseRuntime?: string;
  /** Say `spawned` although nobody listens on the worker's socket. */
  readonly isDead?: boolean;
}

export interface FakeRunning {
  readonly id: string;
  readonly app: string;
  readonly runtime: string;
  readonly worker: FakeWorker;
  readonly process: Fd0Worker | undefined;
}

const KILLED: ProgramExit = { exitCode: null, signal: 'SIGKILL' };

const TEST_LIMITS: AppFacts['limits'] = {
  maxWorkersPerApp: 4,
  minWorkers: 0,
  queueLength: 100,
  queueTimeoutMs: 30_000,
  idleTimeoutMs: 300_000,
  startTimeoutMs: 30_000,
  firstByteTimeoutMs: 300_000,
  silenceTimeoutMs: 300_000,
  requestTimeoutMs: 3_600_000,
  stopTimeoutMs: 10_000,
  maxRequests: 0,
  recycleMemoryBytes: 0,
  maxBodyBytes: 0,
  memoryMaxBytes: 0,
  memoryHighBytes: 0,
  pidsMax: 256,
  slowRequestMs: 10_000,
};

/** What a supervisor tells of an application that says nothing itself. */
export const TEST_FACTS: Omit<AppFacts, 'app'> = {
  type: 'facts',
  defaultRuntime: 'fastcgi',
  webRoot: '',
  frontController: '',
  mode: 'production',
  bufferRequests: true,
  roles: ['responder'],
  origins: DEFAULT_ORIGINS,
  accessLog: 'off',
  maxWorkersPerUser: 8,
  limits: TEST_LIMITS,
};

export class FakeSupervisor {
  readonly runDirectory: string;
  readonly apps = new Map<string, FakeApp>();
  readonly running = new Map<string, FakeRunning>();
  readonly received: RouterMessage[] = [];
  /**
   * Retired programs get SIGTERM, and `onExit` hears what became of it; workers inside the test are left alone. Otherwise
   * both are killed.
   */
  stopsGently = false;
  onExit: (exitCode: number | null) => void = () => undefined;
  /** What a router hears that has greeted. */
  onHello: () => void = () => {
    this.send({ type: 'welcome', version: 'test', digest: TEST_DIGEST });
    this.send({ type: 'settled' });
  };
  readonly #server: net.Server;
  readonly #terminating = new Set<string>();
  #socket: net.Socket | undefined;
  #count = 0;

  constructor(runDirectory: string) {
    this.runDirectory = runDirectory;
    this.#server = net.createServer((socket) => this.#accept(socket));
  }

  listen(): Promise<void> {
    return new Promise((resolve) =>
      this.#server.listen({ path: `${this.runDirectory}/supervisor.sock` }, resolve),
    );
  }

  get needs(): readonly Need[] {
    return this.received.filter((message) => message.type === 'need');
  }

  send(message: SupervisorMessage): void {
    const json = Buffer.from(JSON.stringify(message));
    const frame = Buffer.alloc(4 + json.length);
    frame.writeUInt32BE(json.length, 0);
    json.copy(frame, 4);
    this.#socket?.write(frame);
  }

  /** As after SIGKILL: connections break, then the supervisor says so. */
  kill(id: string, options: { readonly wanted?: boolean } = {}): void {
    const running = this.running.get(id);
    if (running === undefined) return;
    running.worker.kill();
    void running.process?.stop();
    this.#gone(running, KILLED, options.wanted ?? false);
  }

  #gone(running: FakeRunning, { exitCode, signal }: ProgramExit, wanted: boolean): void {
    this.running.delete(running.id);
    this.send({
      type: 'exited',
      worker: running.id,
      app: running.app,
      runtime: running.runtime,
      phase: 'run',
      by: signal === null ? 'code' : 'signal',
      exitCode: exitCode ?? 0,
      signal: signal ?? '',
      wanted,
    });
  }

  disconnect(): void {
    this.#socket?.destroy();
  }

  close(): void {
    for (const { worker, process } of this.running.values()) {
      worker.kill();
      void process?.stop();
    }
    this.#socket?.destroy();
    this.#server.close();
  }

  #accept(socket: net.Socket): void {
    this.#socket = socket;
    let pending = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
        const end = 4 + pending.readUInt32BE(0);
        this.#onMessage(JSON.parse(pending.subarray(4, end).toString()) as RouterMessage);
        pending = pending.subarray(end);
      }
    });
  }

  #onMessage(message: RouterMessage): void {
    this.received.push(message);
    if (message.type === 'hello') {
      this.onHello();
    } else if (message.type === 'usage') {
      this.#tellUsage(message.serial);
    } else if (message.type === 'need') {
      void this.#onNeed(message);
    } else if (message.type === 'retire') {
      this.#retire(message.worker);
    }
  }

  #retire(id: string): void {
    if (!this.stopsGently) {
      this.kill(id, { wanted: true });
      return;
    }
    const process = this.running.get(id)?.process;
    if (process === undefined) return;
    this.#terminating.add(id);
    void process.terminate().then((exitCode) => this.onExit(exitCode));
  }

  /** Whatever ended it; one that was killed at once is told of already. */
  #ended(id: string, exit: ProgramExit): void {
    const running = this.running.get(id);
    const isWanted = this.#terminating.delete(id);
    if (running !== undefined) this.#gone(running, exit, isWanted);
  }

  #tellUsage(serial: number): void {
    for (const worker of this.running.keys()) {
      const figures = { rssBytes: 1_000_000, cpuPermille: 250, ageMs: 5_000 };
      this.send({ type: 'workerUsage', serial, worker, ...figures });
    }
    this.send({
      ...{ type: 'machine', serial, uptimeMs: 60_000, mode: 'self', hasCgroups: false },
      ...{ maxWorkers: 64, workers: this.running.size, launching: 0, waiting: 0 },
      ...{ suspended: 0, crashed: 0, lost: 0, privilegeDropAlarms: 0 },
    });
  }

  /** Bound under another name, as the real supervisor does it: the kernel goes on listing the socket under that. */
  async #start(app: FakeApp, worker: FakeWorker, id: string): Promise<Fd0Worker | undefined> {
    const directory = `${this.runDirectory}/worker`;
    if (app.program !== undefined) {
      const started = await startFd0Worker(directory, app.program, id);
      void started.exited.then((exit) => this.#ended(id, exit));
      return started;
    }
    if (app.isDead === true) return undefined;
    const path = `${directory}/${id}.sock`;
    await worker.listen(unpublishedName(path));
    fs.renameSync(unpublishedName(path), path);
    return undefined;
  }

  async #onNeed(need: Need): Promise<void> {
    const app = this.apps.get(need.app) ?? { refuse: { code: 'E_APP_UNKNOWN' } };
    const wanted = need.runtime === '' ? (app.runtime ?? 'fastcgi') : need.runtime;
    const runtime = app.insistsOn ?? wanted;
    if (app.refuse !== undefined && (app.refuseRuntime ?? need.runtime) === need.runtime) {
      const { ticket } = need;
      const base = { ticket, app: need.app, runtime: '', code: 'E_START_FAILED', rule: '' };
      this.send({
        type: 'refused',
        ...base,
        detail: 'test',
        remedy: '',
        retryAfterMs: 0,
        ...app.refuse,
      });
      return;
    }
    this.send({
      ...TEST_FACTS,
      app: need.app,
      defaultRuntime: app.insistsOn ?? app.runtime ?? TEST_FACTS.defaultRuntime,
      ...app.facts,
      limits: { ...TEST_LIMITS, ...app.facts?.limits },
    });
    this.#count += 1;
    const id = this.#count.toString(16).padStart(16, '0');
    const worker = new FakeWorker(app.worker ?? {});
    const started = await this.#start(app, worker, id);
    this.running.set(id, { id, app: need.app, runtime, worker, process: started });
    this.#spawned(need, { ...app, runtime }, id);
  }

  #spawned({ ticket, app }: Need, from: FakeApp & { readonly runtime: string }, id: string): void {
    this.send({
      type: 'spawned',
      ticket,
      app,
      runtime: from.runtime,
      worker: id,
      pid: 1,
      protocol: from.protocol ?? 'fastcgi',
      connect: from.connect ?? '',
      uid: process.getuid?.() ?? 0,
      concurrency: from.concurrency ?? 1,
      maxRequests: from.maxRequests ?? 0,
      startMs: 1,
    });
  }
}
