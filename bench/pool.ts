// Requests a second that a pool set gives to workers and takes back, with nothing else around it: median and spread.
// Run: node --expose-gc dist/bench/pool.js [rounds]
import { availableParallelism, cpus } from 'node:os';

import { PoolSet, systemClock, type SpawnedWorker } from '../src/pool/index.js';

const ROUNDS = Number(process.argv[2] ?? 7);
const REQUESTS = 500_000;

interface Request {
  worker: string;
}

/** One shape of load; `ahead` requests are under way at any time, spread over the applications. */
interface Shape {
  readonly name: string;
  readonly apps: number;
  readonly workersPerApp: number;
  readonly aheadPerApp: number;
}

const SHAPES: readonly Shape[] = [
  { name: 'free workers, 1 application', apps: 1, workersPerApp: 4, aheadPerApp: 4 },
  { name: 'free workers, 1000 applications', apps: 1000, workersPerApp: 1, aheadPerApp: 1 },
  { name: '60 of 64 wait, 1 application', apps: 1, workersPerApp: 4, aheadPerApp: 64 },
  { name: '20 of 24 wait, 1000 applications', apps: 1000, workersPerApp: 4, aheadPerApp: 24 },
];

class Bench {
  readonly #set: PoolSet<Request>;
  readonly #names: string[] = [];
  /** Requests with a worker, in the order of being assigned. */
  readonly #running: Request[] = [];
  #refused = 0;

  constructor(shape: Shape) {
    this.#set = new PoolSet<Request>({
      clock: systemClock,
      maxWorkers: 100_000,
      callbacks: {
        need: () => undefined,
        assign: (request, { worker }) => {
          request.worker = worker;
          this.#running.push(request);
        },
        refuse: () => (this.#refused += 1),
        retire: () => undefined,
      },
    });
    for (let index = 0; index < shape.apps; index += 1) this.#addApp(index, shape);
  }

  /** Each end makes room for one more request of the next application. */
  run(): number {
    const startMs = performance.now();
    let next = 0;
    for (let index = 0; index < REQUESTS; index += 1) {
      const request = this.#running[index];
      if (request === undefined) throw new Error('no request has a worker');
      this.#set.ended(request.worker, 'clean');
      this.#submit(this.#names[next] ?? '');
      next = (next + 1) % this.#names.length;
    }
    const elapsedS = (performance.now() - startMs) / 1000;
    this.#set.close();
    return REQUESTS / elapsedS;
  }

  #addApp(index: number, shape: Shape): void {
    const user = `u${index}`;
    const app = `${user}/app`;
    this.#names.push(app);
    this.#set.configure(app, 'php', user, {
      maxWorkersPerApp: shape.workersPerApp,
      maxWorkersPerUser: shape.workersPerApp,
      minWorkers: 0,
      queueLength: 1000,
      queueTimeoutMs: 600_000,
      idleTimeoutMs: 600_000,
      maxRequests: 0,
    });
    for (let count = 0; count < shape.workersPerApp; count += 1) {
      this.#set.adopted(app, 'php', workerOf(index, count));
    }
    for (let count = 0; count < shape.aheadPerApp; count += 1) this.#submit(app);
  }

  #submit(app: string): void {
    this.#set.submit(app, 'php', { worker: '' });
  }
}

const workerOf = (app: number, count: number): SpawnedWorker => ({
  worker: `w${app}.${count}`,
  pid: 1,
  protocol: 'fastcgi',
  concurrency: 1,
  maxRequests: 0,
});

function report(shape: Shape, samples: readonly number[]): void {
  const sorted = samples.toSorted((a, b) => a - b).map((one) => Math.round(one / 1000));
  const median = sorted[sorted.length >> 1] ?? 0;
  const spread = `${sorted[0] ?? 0}..${sorted.at(-1) ?? 0}`;
  process.stdout.write(`${shape.name.padEnd(34)} ${median} thousand a second (${spread})\n`);
}

process.stdout.write(
  `node ${process.version}, ${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}\n`,
);
const samples = SHAPES.map((): number[] => []);
for (let round = 0; round < ROUNDS; round += 1) {
  SHAPES.forEach((shape, index) => {
    globalThis.gc?.();
    samples[index]?.push(new Bench(shape).run());
  });
}
SHAPES.forEach((shape, index) => report(shape, samples[index] ?? []));
