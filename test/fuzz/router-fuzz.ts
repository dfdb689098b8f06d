// Mutated streams on both sides of a whole router: it must not die, hang, mix answers, say what is no FastCGI, or keep memory.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RecordType, Role } from '../../src/fcgi-protocol/index.js';
import type { FakeApp } from '../support/fake-supervisor.js';
import { FakeWorker, type WorkerRequest } from '../support/fake-worker.js';
import { FrontClient, parseCgi } from '../support/front-client.js';
import { appParams, RouterRig } from '../support/router-rig.js';
import { waitFor } from '../support/wait-for.js';
import { keep, readCorpus } from './corpus.js';
import { chunked, mutate, Random } from './mutation.js';
import {
  answerOf,
  DICTIONARY,
  frontStreams,
  isRefusalChanged,
  SPAWNED,
  STEADY,
} from './router-streams.js';

/** What led to a finding once. */
const CORPUS_NAME = 'router';
const FOUND = readCorpus(CORPUS_NAME);
const SEEDS = {
  [STEADY]: [...frontStreams(STEADY), ...FOUND],
  [SPAWNED]: [...frontStreams(SPAWNED), ...FOUND],
} as const;
type App = keyof typeof SEEDS;
const LANES_COUNT = 12;
/** Behind a half-close everything ends by itself; more than this is a hang. */
const HANG_MS = 60_000;
/** One round in so many goes to workers that have to be started anew after each broken answer. */
const SPAWNED_EVERY = 40;

export interface Figures {
  readonly rounds: number;
  readonly elapsedMs: number;
  /** After a collection. */
  readonly heapBytes: number;
  readonly rssBytes: number;
  readonly requests: number;
  readonly protocolErrors: number;
}

export interface FuzzOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Everything is brought to rest and looked at after so many. */
  readonly restEvery: number;
  /** The heap may be so much larger at the end than at the first rest. */
  readonly heapGrowthMaxBytes: number;
  readonly onRest: (figures: Figures) => void;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** How a worker answers: as it should, unless the request's lane has put other bytes here under its tag. */
class Answers {
  readonly #mutated = new Map<string, (sane: Buffer) => Buffer>();

  set(tag: string, change: (sane: Buffer) => Buffer): void {
    this.#mutated.set(tag, change);
  }

  forget(tag: string): void {
    this.#mutated.delete(tag);
  }

  readonly answer = ({ role, id, params, socket }: WorkerRequest): void => {
    const tag = params.get('QUERY_STRING') ?? '';
    const sane = answerOf(role, id, tag);
    socket.end(this.#mutated.get(tag)?.(sane) ?? sane);
  };
}

interface Lane {
  readonly random: Random;
  readonly name: string;
}

export class RouterFuzz {
  readonly #options: FuzzOptions;
  readonly #answers: Answers;
  readonly #rig: RouterRig;
  readonly #steady: FakeWorker;
  readonly #startMs = performance.now();
  /** For whoever has to find out what a hang was about: bytes of the rounds that are under way. */
  readonly #underWay = new Map<string, Buffer>();
  #firstHeapBytes: number | undefined;

  private constructor(options: FuzzOptions, rig: RouterRig, steady: FakeWorker, answers: Answers) {
    this.#options = options;
    this.#rig = rig;
    this.#steady = steady;
    this.#answers = answers;
  }

  static async start(options: FuzzOptions): Promise<RouterFuzz> {
    const answers = new Answers();
    const steady = new FakeWorker({ onRequest: answers.answer });
    const rig = await RouterRig.start({ apps: {}, copyStderr: true });
    const connect = `${rig.directory}/steady.sock`;
    await steady.listen(connect);
    const facts = {
      roles: ['responder', 'authorizer', 'filter'],
      limits: { maxWorkersPerApp: 64, queueLength: 1_000 },
      maxWorkersPerUser: 64,
    } as const;
    const apps: Readonly<Record<string, FakeApp>> = {
      [STEADY]: { worker: {}, connect, facts, concurrency: 64 },
      [SPAWNED]: { worker: { onRequest: answers.answer }, facts },
    };
    for (const [id, app] of Object.entries(apps)) rig.supervisor.apps.set(id, app);
    return new RouterFuzz(options, rig, steady, answers);
  }

  async run(): Promise<Figures> {
    const { rounds, restEvery, seed, onRest } = this.#options;
    const lanes = Array.from({ length: LANES_COUNT }, (_, index) => ({
      random: new Random(seed + index),
      name: `l${index}`,
    }));
    let done = 0;
    for (;;) {
      const part = Math.min(restEvery, rounds - done);
      let left = part;
      const work = async (lane: Lane): Promise<void> => {
        while (left > 0) {
          left -= 1;
          await this.#round(lane, done + left);
        }
      };
      await Promise.all(lanes.map(work));
      done += part;
      const figures = await this.#rest(done);
      onRest(figures);
      if (done >= rounds) return figures;
    }
  }

  async stop(): Promise<void> {
    this.#steady.kill();
    await this.#rig.stop();
  }

  // --- one round -----------------------------------------------------------------------------

  async #round({ random, name }: Lane, index: number): Promise<void> {
    const app = random.below(SPAWNED_EVERY) === 0 ? SPAWNED : STEADY;
    const tag = `${name}-${index}`;
    const kind = random.below(16);
    try {
      if (kind === 0) await this.#sane(tag);
      else if (kind < 8) await this.#mutatedFront(app, tag, random);
      else await this.#mutatedAnswer(app, tag, random);
    } catch (err) {
      const bytes = this.#underWay.get(tag);
      const name = bytes === undefined ? 'nothing was changed' : keep(CORPUS_NAME, bytes);
      throw new Error(`round ${index}: ${name}`, { cause: err });
    } finally {
      this.#underWay.delete(tag);
      this.#answers.forget(tag);
    }
  }

  /** In the midst of all the others, who asks properly gets his own answer and no other. */
  async #sane(tag: string): Promise<void> {
    const client = await FrontClient.connect(this.#rig.frontPath);
    client.send(1, appParams(STEADY, '/', { QUERY_STRING: tag }));
    await settled(client, () => client.answer(1).end !== undefined);
    const answer = parseCgi(client.answer(1));
    assert.equal(answer.headers.get('x-tag'), tag);
    assert.equal(answer.body.toString(), `the body${tag}`);
    await close(client, false);
  }

  async #mutatedFront(app: App, tag: string, random: Random): Promise<void> {
    const client = await FrontClient.connect(this.#rig.frontPath);
    const bytes = mutate(SEEDS[app], DICTIONARY, random);
    this.#underWay.set(tag, bytes);
    for (const chunk of chunked(bytes, random).slice(0, 50)) {
      if (client.socket.destroyed) break;
      client.socket.write(chunk);
      if (random.below(4) === 0) await nextTurn();
    }
    for (let turns = random.below(4); turns > 0; turns -= 1) await nextTurn();
    await close(client, random.below(2) === 0);
    assertSpoken(client);
  }

  async #mutatedAnswer(app: App, tag: string, random: Random): Promise<void> {
    const seen = { isChanged: false };
    this.#answers.set(tag, (sane) => {
      const bytes = mutate([sane], DICTIONARY, random);
      this.#underWay.set(tag, bytes);
      seen.isChanged = isRefusalChanged(bytes);
      return bytes;
    });
    const client = await FrontClient.connect(this.#rig.frontPath);
    const role = random.one([Role.RESPONDER, Role.RESPONDER, Role.AUTHORIZER, Role.FILTER]);
    const params = appParams(app, '/', { QUERY_STRING: tag, FCGI_DATA_LENGTH: '0' });
    client.head(1, params, true, role);
    client.encoder.endStream(RecordType.STDIN, 1);
    client.encoder.endStream(RecordType.DATA, 1);
    const { answers } = client;
    await settled(client, () => answers.get(1)?.end !== undefined);
    assertSpoken(client);
    const { end, stdout } = client.answer(1);
    assert.ok(
      end === undefined || Buffer.concat(stdout).length > 0,
      'the end of an answer, and no answer',
    );
    if (role === Role.AUTHORIZER && !seen.isChanged && end !== undefined) {
      assert.notEqual(parseCgi(client.answer(1)).status, 200, 'somebody was let in');
    }
    await close(client, random.below(2) === 0);
  }

  // --- at rest -------------------------------------------------------------------------------

  async #rest(rounds: number): Promise<Figures> {
    const { router } = this.#rig;
    const { counters } = router;
    await waitFor('no request is left', () => counters.requestsActive === 0, HANG_MS);
    await waitFor('no connection is left', () => counters.frontConnections === 0, HANG_MS);
    assert.equal(router.writeBudget.bytes, 0);
    const { memoryBytes, pendingBytes, diskBytes, filesCount } = router.spoolBudget;
    assert.deepEqual([memoryBytes, pendingBytes, diskBytes, filesCount], [0, 0, 0, 0]);
    assert.deepEqual(this.#steady.violations, []);
    for (const id of [STEADY, SPAWNED]) await this.#served(id);
    await waitFor('that connection is gone', () => counters.frontConnections === 0, HANG_MS);
    collect();
    const { heapUsed: heapBytes, rss: rssBytes } = process.memoryUsage();
    this.#firstHeapBytes ??= heapBytes;
    const growth = heapBytes - this.#firstHeapBytes;
    const bound = this.#options.heapGrowthMaxBytes;
    assert.ok(growth < bound, `the heap has grown by ${growth} bytes`);
    const elapsedMs = performance.now() - this.#startMs;
    const { requestsTotal: requests, protocolErrors } = counters;
    return { rounds, elapsedMs, heapBytes, rssBytes, requests, protocolErrors };
  }

  /** Also after all that; the one whose workers died may have to wait for its next start. */
  async #served(app: string): Promise<void> {
    await waitFor(
      `an answer of ${app}`,
      async () => {
        const client = await FrontClient.connect(this.#rig.frontPath);
        client.send(1, appParams(app, '/', { QUERY_STRING: 'rest' }));
        await settled(client, () => client.answer(1).end !== undefined);
        const { status } = parseCgi(client.answer(1));
        await close(client, false);
        return status === 201;
      },
      2 * HANG_MS,
    );
  }
}

const EVENTS = ['data', 'end', 'close'] as const;

/** The answer or the end of the connection, by events: a million rounds have no time to look again and again. */
function settled(client: FrontClient, isThere: () => boolean): Promise<void> {
  const { socket } = client;
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      for (const event of EVENTS) socket.off(event, look);
    };
    const look = (): void => {
      if (!isThere() && !client.isClosed && !client.isEnded) return;
      stop();
      resolve();
    };
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`nothing has come for ${HANG_MS} ms`));
    }, HANG_MS);
    for (const event of EVENTS) socket.on(event, look);
    look();
  });
}

/** Half-closed, everything comes to its end by itself; or at once. */
async function close(client: FrontClient, isHalf: boolean): Promise<void> {
  const { socket } = client;
  if (isHalf && !socket.destroyed) {
    socket.end();
    await settled(client, () => false);
  }
  socket.destroy();
  if (!client.isClosed) await once(socket, 'close');
}

/** What came is FastCGI; an answer that was ended is a whole CGI answer. */
function assertSpoken(client: FrontClient): void {
  for (const answer of client.answers.values()) {
    // An aborted one may have its end alone.
    const hasOutput = answer.stdoutLengths.some((length) => length > 0);
    if (answer.end === undefined || !hasOutput) continue;
    const { status } = parseCgi(answer);
    assert.ok(status >= 200 && status <= 599, `status ${status}`);
  }
}
