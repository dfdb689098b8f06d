// From a request to a worker: what is known of its application decides whether it asks, waits, or enters a pool.
import { performance } from 'node:perf_hooks';
import type { Config } from '../config/index.js';
import type { AppFacts, RouterMessage } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { PoolLimits, PoolSet, RetireReason, SpawnedWorker } from '../pool/index.js';
import { isAccepted, isInQueue } from './accept-queue.js';
import type { AppRegistry } from './app-registry.js';
import type { Application } from './application.js';
import { ColdLine } from './cold-line.js';
import type { Dispatcher, RouterCounters } from './context.js';
import { inWords } from './in-words.js';
import { isSafeMethod } from './methods.js';
import { Placement } from './placement.js';
import { roleRefusal, routeByRole, runtimesFor } from './roles.js';
import type { Resolved } from './resolve.js';
import { poolRuntime, wantedRuntime } from './route.js';
import { runtimeTable, type RuntimeTable } from './script.js';
import type { WorkerRecord } from './worker-record.js';
import { STATUS_PLACE, type StatusPage } from './status-page/index.js';
import type { Outcome } from './request-state.js';
import type { Refusal, RequestFace } from './request-types.js';

/** A `need` that a pool has sent. */
export interface PoolTicket {
  readonly app: string;
  readonly runtime: string;
}

export interface DispatcherOptions {
  readonly config: Config;
  readonly registry: AppRegistry;
  readonly pools: PoolSet<RequestFace>;
  readonly counters: RouterCounters;
  readonly statusPage: StatusPage;
  /** False: the supervisor is away and the message is lost. */
  readonly send: (message: RouterMessage) => boolean;
}

export class PoolDispatcher implements Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #tickets = new Map<number, PoolTicket>();
  readonly coldLine = new ColdLine((app) => this.#askFor(app));
  #config: Config;
  #runtimes: RuntimeTable;
  #lastTicket = 0;
  /** Undefined while the supervisor is there and has told all that it knows. */
  #awaySinceMs: number | undefined = performance.now();

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#runtimes = runtimeTable(options.config.runtimes);
  }

  // --- from requests -------------------------------------------------------------------------

  submit(request: RequestFace, isRetry: boolean): void {
    if (request.resolution === STATUS_PLACE) {
      request.routed(new Map(request.params));
      request.assigned(this.#options.statusPage.assignment);
      return;
    }
    const app = this.#options.registry.obtain(request.resolution.app);
    if (isRetry) this.#options.counters.retries += 1;
    const nowMs = performance.now();
    const known = app.hasRefusals ? app.refusal(this.wantedBy(request), nowMs) : undefined;
    // One that comes back has been in its pool, which knows best whether it may have another worker.
    const refusal = known ?? (isRetry ? undefined : this.#blocked(app, request));
    if (refusal !== undefined) {
      this.#check(app, nowMs);
      this.refuse(request, refusal);
    } else if (app.facts !== undefined && (app.workerCount > 0 || isRetry)) {
      this.#check(app, nowMs);
      this.enter(app.facts, request, isRetry);
    } else {
      this.#look(app, request);
    }
  }

  /** What is asked of the supervisor for it: the runtime of the script that it names, '' if it names none. */
  wantedBy({ role, resolution }: RequestFace): string {
    return wantedRuntime(resolution, runtimesFor(role, this.#runtimes).scripts);
  }

  /** Which pool it will go to is only looked for where some pool of its application may not start. */
  #blocked({ id, facts }: Application, { role, resolution }: RequestFace): Refusal | undefined {
    const { pools } = this.#options;
    if (facts === undefined || pools.blocked(id) === undefined) return undefined;
    return pools.refusal(id, poolRuntime(resolution, facts, runtimesFor(role, this.#runtimes)));
  }

  /** For the pools: with what is known beside the code. */
  refuse(request: RequestFace, refusal: Refusal): void {
    request.refuse(inWords(refusal, request, this.#options, this.#runtimes));
  }

  withdraw(request: RequestFace): void {
    const app = this.#options.registry.app(request.resolution.app);
    if (app?.pending.delete(request) !== true) this.#options.pools.withdraw(request);
    else if (app.pending.size === 0) this.#leftBy(app);
  }

  #leftBy(app: Application): void {
    app.close(); // the deadlines were theirs
    this.coldLine.left(app);
  }

  firstByte(request: RequestFace): void {
    const worker = this.#workerOf(request);
    if (worker === undefined || worker.hasAnswered) return;
    worker.hasAnswered = true;
    this.#options.pools.ready(worker.id);
  }

  isAccepted(request: RequestFace): boolean {
    const worker = this.#workerOf(request);
    return worker !== undefined && isAccepted(worker.socketPath);
  }

  isUntouched(request: RequestFace): boolean {
    const worker = this.#workerOf(request);
    if (worker === undefined || worker.hasAnswered) return false;
    return worker.connections.concurrency === 1 && isInQueue(worker.socketPath);
  }

  released(request: RequestFace, outcome: Outcome): void {
    const worker = this.#workerOf(request);
    if (worker === undefined) return; // it has exited: the pool has forgotten it
    worker.requests.delete(request);
    this.#leave(worker, outcome);
    if (worker.requests.size === 0) worker.onIdle?.();
  }

  #leave(worker: WorkerRecord, outcome: Outcome): void {
    if (outcome === 'clean') worker.served += 1;
    if (worker.external !== undefined) {
      // What holds its place has done nothing wrong, and a new one would lead to the same program.
      this.#options.pools.ended(worker.id, 'clean');
      return;
    }
    if (outcome === 'deadline') this.#options.pools.retire(worker.id, 'deadline');
    this.#options.pools.ended(worker.id, outcome === 'deadline' ? 'dirty' : outcome);
  }

  modeOf(app: string): 'production' | 'development' {
    const own = this.#options.registry.app(app)?.facts?.mode;
    return own ?? this.#config.apps.mode ?? 'production';
  }

  bodyLimitOf(app: string): number | undefined {
    return this.#options.registry.app(app)?.facts?.limits.maxBodyBytes;
  }

  streams(resolution: Resolved, hasLength: boolean): boolean {
    const app = this.#options.registry.app(resolution.app);
    if (app?.facts?.bufferRequests !== false) return false;
    if (hasLength) return true;
    return app.takesChunks && wantedRuntime(resolution, this.#runtimes.scripts) === '';
  }

  // --- from pools ----------------------------------------------------------------------------

  need(app: string, runtime: string): void {
    const ticket = this.#nextTicket();
    this.#tickets.set(ticket, { app, runtime });
    this.#options.send({ type: 'need', ticket, app, runtime });
  }

  assign(request: RequestFace, spawned: SpawnedWorker): void {
    const worker = this.#options.registry.worker(spawned.worker);
    const facts = this.#options.registry.app(worker?.app ?? '')?.facts;
    if (worker === undefined || facts === undefined) {
      throw new Error('dispatcher: assigned to a worker that is not known');
    }
    const runtime = this.#config.runtimes.get(worker.runtime);
    worker.requests.add(request);
    request.assigned(new Placement(worker, facts, runtime));
  }

  /** Its kept connections first: a worker that waits for another request there does not see that it is to end. */
  retire(worker: string, reason: RetireReason): void {
    const record = this.#options.registry.worker(worker);
    if (record !== undefined) record.retiredFor = reason;
    record?.connections.retire();
    this.#options.send({ type: 'retire', worker, reason });
  }

  // --- from the supervisor's news ------------------------------------------------------------

  /** The pool that asked with this ticket, once. */
  takeTicket(ticket: number): PoolTicket | undefined {
    const asked = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    return asked;
  }

  get isSupervisorUp(): boolean {
    return this.#awaySinceMs === undefined;
  }

  supervisorBack(): void {
    this.#awaySinceMs = undefined;
  }

  /** Nothing that was asked of it will be answered. Told again of one that is away, it does not count anew. */
  supervisorLost(): void {
    this.#awaySinceMs ??= performance.now();
    this.#tickets.clear();
    this.coldLine.clear();
    for (const app of this.#options.registry.apps()) {
      app.ticket = undefined;
      app.shorten(this.#graceMs());
    }
  }

  /** How long a request that needs a worker waits for the supervisor from now on; not above 0: not at all. */
  #graceMs(): number {
    const awayMs = performance.now() - (this.#awaySinceMs ?? 0);
    return LIMITS.supervisorAwayGraceMs - awayMs;
  }

  configure(facts: AppFacts, runtime: string): void {
    this.#options.pools.configure(facts.app, runtime, userOf(facts), limitsOf(facts));
  }

  /** A worker of this pool is told of next. */
  introduce(facts: AppFacts, runtime: string): void {
    this.#options.pools.introduce(facts.app, runtime, userOf(facts), limitsOf(facts));
  }

  /** Facts are known: to a pool, unless the request itself is not possible there. */
  enter(facts: AppFacts, request: RequestFace, isRetry: boolean): void {
    const refusal = roleRefusal(request.role, facts);
    if (refusal !== undefined) {
      request.refuse(refusal);
      return;
    }
    const route = routeByRole(request, facts, this.#runtimes);
    if (!route.ok) {
      request.refuse({ code: route.code, detail: route.detail });
      return;
    }
    const maxBytes = facts.limits.maxBodyBytes;
    if (maxBytes > 0 && request.bodyBytes > maxBytes) {
      request.refuse({ code: 'E_BODY_TOO_LARGE', detail: `over max_body: ${maxBytes} bytes` });
      return;
    }
    const runtime = route.runtime === '' ? facts.defaultRuntime : route.runtime;
    this.#options.registry.obtain(facts.app).runtimes.add(runtime);
    if (!this.#options.pools.has(facts.app, runtime)) this.configure(facts, runtime);
    request.routed(route.params);
    const unrepeatable = !isSafeMethod(request.method);
    this.#options.pools.submit(facts.app, runtime, request, { retried: isRetry, unrepeatable });
  }

  /** For those who wait in front of the pools: start one worker, which tells what the application is. */
  ask(app: Application): void {
    if (app.pending.size > 0 && this.coldLine.enter(app)) this.#askFor(app);
  }

  #askFor(app: Application): void {
    const [first] = app.pending.keys();
    if (first === undefined || app.ticket !== undefined || !this.isSupervisorUp) return;
    this.#needFirst(app, this.wantedBy(first));
  }

  /** The supervisor is back: whoever waited for it waits for a worker now, and has the time that the application gives. */
  askAnew(app: Application): void {
    app.extend((app.facts?.limits ?? this.#config.defaults).queueTimeoutMs);
    this.ask(app);
  }

  /** Of the applications that the configuration names, those of which nothing is known yet are looked at. */
  prestart(): void {
    if (!this.isSupervisorUp) return;
    for (const id of this.#config.apps.prestart) {
      const app = this.#options.registry.obtain(id);
      if (app.facts === undefined) this.start(app);
    }
  }

  /** One worker without a request, unless there is one. */
  start(app: Application): void {
    if (app.workerCount > 0 || app.ticket !== undefined) return;
    this.#needFirst(app, '');
  }

  #needFirst(app: Application, runtime: string): void {
    app.ticket = this.#nextTicket();
    app.askedRuntime = runtime;
    this.#options.send({ type: 'need', ticket: app.ticket, app: app.id, runtime });
  }

  reconfigure(config: Config): void {
    this.#config = config;
    this.prestart();
    this.#runtimes = runtimeTable(config.runtimes);
    this.#options.pools.setMaxWorkers(config.maxWorkers);
  }

  // --- inside --------------------------------------------------------------------------------

  #look(app: Application, request: RequestFace): void {
    const { queueLength, queueTimeoutMs } = app.facts?.limits ?? this.#config.defaults;
    if (app.pending.size >= queueLength) {
      request.refuse({ code: 'E_QUEUE_FULL', detail: `queue_length is ${queueLength}` });
      return;
    }
    const deadlineMs = this.isSupervisorUp ? queueTimeoutMs : this.#graceMs();
    if (deadlineMs <= 0) {
      request.refuse({ code: 'E_SUPERVISOR_AWAY' });
      return;
    }
    app.wait(request, deadlineMs, (late) => {
      const code = this.isSupervisorUp ? 'E_QUEUE_DEADLINE' : 'E_SUPERVISOR_AWAY';
      for (const one of late) one.refuse({ code });
      if (app.pending.size === 0) this.#leftBy(app);
    });
    this.ask(app);
  }

  /** At most once a second: have its files changed? The supervisor answers only if they have. */
  #check(app: Application, nowMs: number): void {
    if (!app.isCheckDue(nowMs)) return;
    this.#options.send({ type: 'check', app: app.id });
  }

  #nextTicket(): number {
    this.#lastTicket = (this.#lastTicket + 1) % TICKETS_COUNT;
    return this.#lastTicket;
  }

  #workerOf(request: RequestFace): WorkerRecord | undefined {
    return this.#options.registry.worker(request.assignment?.worker);
  }
}

/** Tickets are 32 bits on the wire; so many are never open at once. */
const TICKETS_COUNT = 0xffff_ffff;

const userOf = ({ app }: AppFacts): string => app.slice(0, app.indexOf('/'));

const limitsOf = ({ limits, maxWorkersPerUser }: AppFacts): PoolLimits => ({
  ...limits,
  maxWorkersPerUser,
});
