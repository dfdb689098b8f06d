// Load on a web server: many requests at once, or so many a second, with what became of each of them.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchHttp, type HttpAnswer } from './http.js';

export interface Load {
  readonly port: number;
  readonly path: (n: number) => string;
  /** What is wrong with an answer; undefined if nothing is. Without it every answer but 200 is a failure. */
  readonly judge?: (n: number, answer: HttpAnswer) => string | undefined;
}

const FAILURES_KEPT = 20;

export class LoadResult {
  readonly #ms: number[] = [];
  readonly #startedMs = performance.now();
  readonly statuses = new Map<string, number>();
  /** The first ones; `failed` counts all. */
  readonly failures: string[] = [];
  failed = 0;
  seconds = 0;

  note(ms: number, what: string, failure: string | undefined): void {
    this.#ms.push(ms);
    this.seconds = (performance.now() - this.#startedMs) / 1000;
    this.statuses.set(what, (this.statuses.get(what) ?? 0) + 1);
    if (failure === undefined) return;
    this.failed += 1;
    if (this.failures.length < FAILURES_KEPT) this.failures.push(failure);
  }

  get count(): number {
    return this.#ms.length;
  }

  get perS(): number {
    return this.count / this.seconds;
  }

  /** 0.5 is the median. */
  quantileMs(share: number): number {
    const sorted = this.#ms.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  }

  toString(): string {
    const quantiles = [0.5, 0.99, 1].map((share) => this.quantileMs(share).toFixed(1)).join(' / ');
    const statuses = [...this.statuses].map(([what, count]) => `${count} x ${what}`).join(', ');
    return `${this.count} requests, ${this.perS.toFixed(0)}/s, ms p50/p99/max ${quantiles}; ${statuses}`;
  }
}

/** A status with its reason where usherd gave one. */
const nameOf = ({ status, headers }: HttpAnswer): string =>
  `${status} ${String(headers['x-usherd-reason'] ?? '')}`.trim();

async function one(load: Load, n: number, agent: http.Agent, result: LoadResult): Promise<void> {
  const startedMs = performance.now();
  try {
    const answer = await fetchHttp({ port: load.port, path: load.path(n), agent });
    const ms = performance.now() - startedMs;
    const standard = answer.status === 200 ? undefined : `${n}: ${nameOf(answer)}`;
    result.note(ms, nameOf(answer), load.judge === undefined ? standard : load.judge(n, answer));
  } catch (err) {
    result.note(performance.now() - startedMs, 'no answer', `${n}: ${String(err)}`);
  }
}

/** So many clients, each of which asks again as soon as it has its answer, until `isOver`. */
export async function keepAsking(
  load: Load,
  clients: number,
  isOver: (count: number) => boolean,
): Promise<LoadResult> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
  const result = new LoadResult();
  let begun = 0;
  const client = async (): Promise<void> => {
    while (!isOver(begun)) await one(load, (begun += 1), agent, result);
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return result;
}

/** So many requests a second, whatever becomes of them; `clients` bounds how many are under way. */
export async function askAtRate(
  load: Load,
  rate: { readonly perS: number; readonly clients: number },
  isOver: (count: number) => boolean,
): Promise<LoadResult> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: rate.clients });
  const result = new LoadResult();
  const open = new Set<Promise<void>>();
  const startedMs = performance.now();
  let begun = 0;
  while (!isOver(begun)) {
    const due = ((performance.now() - startedMs) * rate.perS) / 1000;
    for (; begun < due && open.size < rate.clients;) {
      const asked = one(load, (begun += 1), agent, result);
      open.add(asked);
      void asked.finally(() => open.delete(asked));
    }
    await sleep(2);
  }
  await Promise.all(open);
  agent.destroy();
  return result;
}
