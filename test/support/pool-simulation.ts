// A whole machine on a virtual clock: users, applications, a supervisor and workers that behave at random. Every
// callback of the pool set is checked against counts of its own, so that no bound is trusted to the code that keeps it.
import assert from 'node:assert/strict';
import type { ErrorCode } from '../../src/errors.js';
import { PoolSet, type SpawnedWorker } from '../../src/pool/index.js';
import {
  newWorker,
  randomFrom,
  userOf,
  type App,
  type Request,
  type User,
  type Worker,
  type World,
} from './pool-world.js';
import { Ledger } from './pool-ledger.js';
import { VirtualClock } from './virtual-clock.js';

const REFUSALS: readonly ErrorCode[] = ['E_SPAWN_LIMIT', 'E_ACCESS_REFUSED', 'E_START_FAILED'];

export class Simulation {
  readonly clock = new VirtualClock();
  readonly set: PoolSet<Request>;
  readonly users: User[] = [];
  readonly outcomes = new Map<string, number>();
  readonly #world: World;
  readonly #random: () => number;
  readonly #apps: App[] = [];
  readonly #workers = new Map<string, Worker>();
  readonly #ledger: Ledger;
  #serial = 0;
  #isLost = false;
  /** Numbers the connections to the supervisor: what was asked on an old one is not answered. */
  #connection = 0;
  #isOver = false;
  starts = 0;

  constructor(world: World) {
    this.#world = world;
    this.#ledger = new Ledger(world.maxWorkers, world.limits);
    this.#random = randomFrom(world.seed);
    this.set = new PoolSet<Request>({
      clock: this.clock,
      maxWorkers: world.maxWorkers,
      random: this.#random,
      callbacks: {
        need: (app) => this.#need(this.#app(app)),
        assign: (request, worker) => this.#assign(request, worker),
        refuse: (request, code, retryAfterMs) => this.#refuse(request, code, retryAfterMs),
        retire: (worker, reason) => this.#retire(worker, reason),
      },
    });
    for (let index = 0; index < world.users; index += 1) {
      const user: User = { slots: 0, served: 0 };
      this.users.push(user);
      for (let app = 0; app < world.appsPerUser; app += 1) {
        const name = `u${index}/a${app}`;
        this.#apps.push({ name, user, slots: 0, asked: 0, waiting: 0, retried: 0, concurrency: 1 });
      }
    }
  }

  get mostSlots(): number {
    return this.#ledger.mostSlots;
  }

  /** Arrivals for so long, then as long as it takes until every request has its answer. */
  run(ms: number): void {
    for (const app of this.#apps) this.#later(this.#world.arrivalMs, () => this.#arrive(app));
    if (this.#world.disturbMs > 0) this.#later(this.#world.disturbMs, () => this.#disturb());
    for (let elapsed = 0; elapsed < ms; elapsed += 50) this.#turn(50);
    this.#isOver = true;
    if (this.#isLost) this.#toggleSupervisor();
    // Requests that run may come back once more, so this takes longer than one timeout.
    for (let turn = 0; turn < 1000 && this.set.counts().waiting > 0; turn += 1) this.#turn(500);
    assert.equal(this.set.counts().waiting, 0, 'everybody was answered');
  }

  /** Lets everything come to rest: nothing may stay behind. */
  settle(): void {
    this.#turn(this.#world.limits.idleTimeoutMs + 400_000);
    assert.equal(this.#ledger.slots, 0, 'no worker stays');
    const { pools, slots, workers } = this.set.counts();
    assert.deepEqual({ pools, slots, workers }, { pools: 0, slots: 0, workers: 0 });
    assert.equal(this.clock.armed, 0, 'no timer stays');
  }

  #turn(ms: number): void {
    this.clock.advance(ms);
    const counts = this.set.counts();
    assert.equal(counts.slots, this.#ledger.slots, 'slots are counted as the supervisor does');
    assert.equal(
      counts.submitted,
      counts.assigned + counts.refused + counts.withdrawn + counts.waiting,
      'no request is lost and none is counted twice',
    );
    for (const app of this.#apps) {
      assert.ok(
        app.waiting - app.retried <= this.#world.limits.queueLength,
        'the queue is bounded',
      );
    }
  }

  #app(name: string): App {
    const app = this.#apps.find((one) => one.name === name);
    assert.ok(app);
    return app;
  }

  /** Exponentially distributed around a mean. */
  #later(meanMs: number, run: () => void): void {
    this.clock.schedule(-Math.log(1 - this.#random()) * meanMs, run);
  }

  #chance(of: number): boolean {
    return this.#random() < of;
  }

  #arrive(app: App): void {
    if (this.#isOver) return;
    this.#later(this.#world.arrivalMs, () => this.#arrive(app));
    const burst = this.#chance(0.02) ? 30 : 1;
    for (let count = 0; count < burst; count += 1) {
      const isUnrepeatable = this.#chance(this.#world.unrepeatable);
      const given = { app, submittedAtMs: 0, isRetried: false, isUnrepeatable };
      const request: Request = { ...given, state: 'waiting' };
      this.#submit(request);
      if (!this.#chance(this.#world.leave)) continue;
      this.#later(this.#world.serviceMs, () => this.#leave(request));
    }
  }

  #submit(request: Request): void {
    const { app } = request;
    if (!this.set.has(app.name, 'php')) {
      this.set.configure(app.name, 'php', userOf(app), this.#world.limits);
    }
    request.submittedAtMs = this.clock.now();
    request.state = 'waiting';
    app.waiting += 1;
    if (request.isRetried) app.retried += 1;
    const { isRetried, isUnrepeatable } = request;
    const options = { retried: isRetried, unrepeatable: isUnrepeatable };
    this.set.submit(app.name, 'php', request, options);
  }

  #leave(request: Request): void {
    const isWaiting = request.state === 'waiting';
    assert.equal(this.set.withdraw(request), isWaiting);
    if (isWaiting) this.#stopWaiting(request, 'withdrawn');
  }

  #stopWaiting(request: Request, state: Request['state']): void {
    assert.equal(request.state, 'waiting', 'a request is answered once');
    const waitedMs = this.clock.now() - request.submittedAtMs;
    assert.ok(waitedMs <= this.#world.limits.queueTimeoutMs, `waited ${waitedMs} ms`);
    request.state = state;
    request.app.waiting -= 1;
    if (request.isRetried) request.app.retried -= 1;
  }

  #refuse(request: Request, code: ErrorCode, retryAfterMs: number): void {
    this.#stopWaiting(request, 'refused');
    assert.ok(retryAfterMs >= 0 && retryAfterMs <= 72_000, `${code} ${retryAfterMs}`);
    this.outcomes.set(code, (this.outcomes.get(code) ?? 0) + 1);
  }

  // --- the supervisor ---

  #need(app: App): void {
    const { limits } = this.#world;
    const isDisturbed = this.#world.disturbMs > 0;
    assert.equal(this.#isLost, false, 'nothing is asked for without a supervisor');
    if (!isDisturbed && limits.maxRequests === 0) {
      assert.ok(app.waiting > app.asked * app.concurrency, 'no worker is asked for in vain');
    }
    this.#ledger.take(app);
    app.asked += 1;
    this.starts += 1;
    const connection = this.#connection;
    const answer = (): void => {
      if (connection === this.#connection) this.#answer(app);
    };
    if (this.#chance(0.1)) answer();
    else this.#later(this.#world.launchMs, answer);
  }

  #answer(app: App): void {
    app.asked -= 1;
    if (this.#chance(this.#world.refusal)) {
      this.#ledger.give(app);
      const code = REFUSALS[Math.floor(this.#random() * REFUSALS.length)] ?? 'E_SPAWN_LIMIT';
      this.set.refused(app.name, 'php', code, Math.floor(this.#random() * 3000));
      return;
    }
    this.#serial += 1;
    const worker = newWorker(app, this.#serial, this.#world.concurrency);
    const { facts } = worker;
    this.#workers.set(facts.worker, worker);
    app.concurrency = facts.concurrency;
    this.#later(this.#world.startMs, () => this.#comeUp(worker));
    this.set.spawned(app.name, 'php', facts);
  }

  #retire(name: string, reason: string): void {
    const worker = this.#workers.get(name);
    assert.ok(worker && !worker.isGone && !worker.isRetired, 'a living worker is retired once');
    worker.isRetired = true;
    const isGivenUp = reason === 'deadline' || reason === 'protocol';
    assert.ok(isGivenUp || worker.requests.size === 0, 'no busy worker is retired');
    if (this.#chance(0.1)) this.#exit(worker, true);
    else this.#later(this.#world.stopMs, () => this.#exit(worker, true));
  }

  #exit(worker: Worker, isWanted: boolean): void {
    if (worker.isGone) return;
    worker.isGone = true;
    this.#workers.delete(worker.facts.worker);
    this.#ledger.give(worker.app);
    const requests = [...worker.requests];
    worker.requests.clear();
    this.set.exited(worker.facts.worker, {
      phase: worker.isUp ? 'run' : 'launch',
      wanted: isWanted || worker.isRetired,
      code: isWanted ? 0 : undefined,
      signal: isWanted ? undefined : 'SIGSEGV',
    });
    for (const request of requests) {
      if (request.isRetried) request.state = 'ended';
      else {
        request.isRetried = true;
        this.#submit(request);
      }
    }
  }

  // --- a worker ---

  #assign(request: Request, facts: SpawnedWorker): void {
    this.#stopWaiting(request, 'assigned');
    const worker = this.#workers.get(facts.worker);
    assert.ok(worker && !worker.isGone && !worker.isRetired, 'only a living worker has requests');
    assert.equal(worker.app, request.app, 'a worker serves its own application only');
    worker.requests.add(request);
    worker.assigned += 1;
    const { concurrency, limits } = this.#world;
    assert.ok(worker.requests.size <= concurrency, 'no more requests than a worker takes');
    assert.ok(
      limits.maxRequests === 0 || worker.assigned <= limits.maxRequests,
      'max_requests holds',
    );
    if (worker.isUp) this.#later(this.#world.serviceMs, () => this.#serve(worker, request));
  }

  #comeUp(worker: Worker): void {
    if (worker.isGone) return;
    if (this.#chance(this.#world.failedStart)) {
      this.#exit(worker, false);
      return;
    }
    worker.isUp = true;
    for (const request of worker.requests) {
      this.#later(this.#world.serviceMs, () => this.#serve(worker, request));
    }
  }

  #serve(worker: Worker, request: Request): void {
    if (worker.isGone || !worker.requests.has(request)) return;
    if (this.#chance(this.#world.crash)) {
      this.#exit(worker, false);
      return;
    }
    this.set.ready(worker.facts.worker);
    worker.requests.delete(request);
    request.state = 'ended';
    request.app.user.served += 1;
    this.set.ended(worker.facts.worker, this.#chance(this.#world.dirty) ? 'dirty' : 'clean');
  }

  // --- what an administrator and bad luck do ---

  #disturb(): void {
    if (this.#isOver) return;
    this.#later(this.#world.disturbMs, () => this.#disturb());
    const app = this.#apps[Math.floor(this.#random() * this.#apps.length)];
    const act = this.#disturbances[Math.floor(this.#random() * this.#disturbances.length)];
    if (app !== undefined) act?.(app);
  }

  readonly #disturbances: readonly ((app: App) => void)[] = [
    (app) => this.set.drain(app.name, undefined, 'reload', { hold: false }),
    (app) => this.set.reset(app.name),
    () => this.#toggleSupervisor(),
    () => {
      this.#ledger.maxWorkers = 1 + Math.floor(this.#random() * this.#world.maxWorkers);
      this.set.setMaxWorkers(this.#ledger.maxWorkers);
    },
    (app) => {
      this.set.drain(undefined, userOf(app), 'shutdown', { hold: true });
      this.#later(500, () => this.set.resume(userOf(app)));
    },
  ];

  #toggleSupervisor(): void {
    this.#isLost = !this.#isLost;
    if (!this.#isLost) {
      this.set.supervisorBack();
      return;
    }
    this.#connection += 1;
    for (const app of this.#apps) {
      while (app.asked > 0) {
        app.asked -= 1;
        this.#ledger.give(app);
      }
    }
    this.set.supervisorLost();
  }
}
