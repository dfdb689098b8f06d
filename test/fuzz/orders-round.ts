// A random order of requests at a whole router with real workers: each gets its own answer, and nothing is left at the end.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeRecordHeader, RecordType } from '../../src/fcgi-protocol/index.js';
import { TEST_RUNTIME } from '../support/config.js';
import { ORDER_SCRIPT, type OrderWorker } from '../support/order-workers.js';
import { appParams, RouterRig } from '../support/router-rig.js';
import { waitFor } from '../support/wait-for.js';
import { BUILTIN_RUNTIMES } from '../../src/runtimes/index.js';
import { Asked, queryOf, type Circumstances, type Front, type Told } from './orders-asked.js';
import type { Ask, Round, Step } from './orders-steps.js';

const APP = 'alice/blog';
const REST_MS = 15_000;
/** More at once say nothing more. */
const ASKED_MAX_COUNT = 12;

/** Sockets, and files that are gone; a log stays open, and Node has some of its own. */
const countDescriptors = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => /^socket:|deleted/.test(linkOf(fd))).length;

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // the one that lists them
  }
}

/** @throws with what went wrong, and the step */
export async function playRound(worker: OrderWorker, round: Round): Promise<void> {
  const before = countDescriptors();
  const play = await Play.start(worker, round);
  try {
    await play.steps();
    await play.rest();
  } finally {
    await play.stop();
  }
  await waitFor('descriptors are closed', () => countDescriptors() <= before, REST_MS);
}

class Play {
  readonly #worker: OrderWorker;
  readonly #round: Round;
  readonly #root: string;
  readonly #rig: RouterRig;
  readonly #around: Circumstances;
  readonly #fronts = new Map<number, Front>();
  readonly #allFronts: Front[] = [];
  #underWay: Asked[] = [];
  /** By a signal; that it is gone may not be known yet. */
  readonly #killed = new Set<string>();
  #count = 0;
  readonly #descriptorsCount: number;

  private constructor(worker: OrderWorker, round: Round, root: string, rig: RouterRig) {
    this.#worker = worker;
    this.#round = round;
    this.#root = root;
    this.#rig = rig;
    const { protocol } = worker;
    const { buffers } = round;
    this.#around = { hasKilled: false, exits: round.exitsAfter > 0, buffers, protocol };
    this.#descriptorsCount = countDescriptors();
  }

  static async start(worker: OrderWorker, round: Round): Promise<Play> {
    const root = mkdtempSync(join(tmpdir(), 'usherd-round-'));
    mkdirSync(join(root, APP), { recursive: true });
    mkdirSync(join(root, 'hold'));
    copyFileSync(ORDER_SCRIPT, join(root, APP, 'index.php'));
    const isPhp = worker.name.startsWith('php');
    const php = BUILTIN_RUNTIMES.find(({ name }) => name === 'php') ?? TEST_RUNTIME;
    const runtime = isPhp ? php : { ...TEST_RUNTIME, keepConnections: worker.reuse };
    const rig = await RouterRig.start({
      copyStderr: round.copiesStderr,
      apps: {
        [APP]: {
          program: worker.argv(round.exitsAfter),
          runtime: runtime.name,
          protocol: worker.protocol,
          concurrency: worker.concurrency,
          maxRequests: round.maxRequests,
          facts: { bufferRequests: round.buffers, limits: { maxWorkersPerApp: round.cap } },
        },
      },
      config: {
        apps: { roots: [`${root}/{user}/{app}`], vhosts: '', prestart: [] },
        runtimes: new Map([[runtime.name, runtime]]),
      },
    });
    rig.supervisor.stopsGently = round.stopsGently;
    return new Play(worker, round, root, rig);
  }

  async steps(): Promise<void> {
    for (const [index, step] of this.#round.steps.entries()) {
      try {
        await this.#step(step);
      } catch (err) {
        throw new Error(`step ${index}, ${step.do}`, { cause: err });
      }
    }
    await this.#settle();
  }

  async #step(step: Step): Promise<void> {
    if (this.#underWay.length >= ASKED_MAX_COUNT) await this.#settle();
    switch (step.do) {
      case 'ask':
        await this.#send(step.ask);
        if (step.isAwaited) await this.#settle();
        return;
      case 'burst':
        await Promise.all(step.asks.map((ask) => this.#send(ask)));
        return;
      case 'held':
        await this.#held(step);
        return;
      case 'leave':
        await this.#leave(step);
        return;
      case 'dies':
        await this.#dies(step.ask, step.how);
        return;
      case 'kill':
        this.#kill(step.which);
        return;
      case 'renew':
        this.#renew();
        return;
      case 'settle':
        await this.#settle();
    }
  }

  // --- steps ---------------------------------------------------------------------------------

  async #held(step: Extract<Step, { do: 'held' }>): Promise<void> {
    await this.#settle();
    // Of an answer to HEAD nothing may come before its end.
    const at = step.at === 'mid' && step.ask.method === 'HEAD' ? 'head' : step.at;
    const isMid = at === 'mid';
    const bytes = Math.max(step.ask.answerBytes, 9_000);
    const ask: Ask = isMid ? { ...step.ask, answerBytes: bytes, pieces: 4 } : step.ask;
    const held = await this.#send(ask, { hold: at });
    const atFile = this.#holdFile('at', held.told.tag);
    await waitFor('a worker holds it', () => existsSync(atFile) || held.isEnded, REST_MS);
    const { client } = held.front;
    if (isMid)
      await waitFor(
        'its head',
        () => held.isEnded || client.answer(held.id).stdout.length > 0,
        REST_MS,
      );
    if (step.then === 'abort' || step.then === 'close') this.#depart(held, step.then);
    else if (step.then === 'kill') this.#kill(0, isMid ? held.front : undefined);
    else if (step.then === 'renew') this.#renew();
    else if (step.then === 'stop reading') client.socket.pause();
    await this.#send(step.other);
    this.#release(held);
    await nextTurn();
    client.socket.resume();
    await this.#settle();
  }

  async #leave({ ask, when, how }: Extract<Step, { do: 'leave' }>): Promise<void> {
    const leaver = await this.#send(ask, {}, when === 'upload');
    if (!leaver.isEnded) this.#depart(leaver, how);
    await nextTurn();
  }

  async #dies(ask: Ask, how: 'die' | 'cut'): Promise<void> {
    for (const other of this.#underWay) this.#expose(other, 2);
    this.#around.hasKilled = true;
    const pieces = { answerBytes: Math.max(ask.answerBytes, 9_000), pieces: 4 } as const;
    await this.#send(how === 'cut' ? { ...ask, ...pieces } : ask, { end: how });
    await this.#settle();
  }

  #kill(which: number, cutFront?: Front): void {
    const running = [...this.#rig.supervisor.running.values()];
    const victim = running[which % running.length];
    const pid = victim?.process?.pid;
    if (victim === undefined || pid === undefined) return;
    this.#killed.add(victim.id);
    for (const asked of this.#underWay) this.#expose(asked, 1);
    if (cutFront !== undefined) cutFront.mayBeCut = true;
    this.#around.hasKilled = true;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== 'ESRCH') throw err;
    }
  }

  /** A worker that was killed has not been reaped yet. */
  get #isDying(): boolean {
    return [...this.#killed].some((id) => this.#rig.supervisor.running.has(id));
  }

  #expose(asked: Asked, times: number): void {
    asked.exposures += times;
    // Some of its answer may be out.
    if (!asked.isEnded) asked.front.mayBeCut = true;
  }

  #renew(): void {
    this.#rig.supervisor.send({
      type: 'restart',
      app: APP,
      user: '',
      reason: 'changed',
      hold: false,
    });
  }

  #depart(asked: Asked, how: 'abort' | 'close'): void {
    asked.hasLeft = true;
    const { client } = asked.front;
    if (how === 'abort') {
      client.socket.write(encodeRecordHeader(RecordType.ABORT_REQUEST, asked.id, 0));
      return;
    }
    client.close();
    for (const other of this.#underWay) if (other.front === asked.front) other.hasLeft = true;
  }

  // --- requests ------------------------------------------------------------------------------

  async #send(ask: Ask, more: Partial<Told> = {}, isPart = false): Promise<Asked> {
    this.#count += 1;
    const told: Told = { tag: `t${this.#count}`, directory: join(this.#root, 'hold'), ...more };
    let front = await this.#front(ask.front);
    // Another has said meanwhile that it is the last one there.
    while (front.isSpent) front = await this.#front(ask.front);
    const asked = new Asked(front, ask, told, this.#params(ask, told));
    this.#underWay.push(asked);
    if (this.#isDying) this.#expose(asked, 1);
    const parts = isPart ? 2 : ask.uploadTurns;
    for (let part = 0; part < parts; part += 1) {
      if (part > 0) await nextTurn();
      if (isPart && part === 1) break;
      asked.upload(part, parts);
    }
    return asked;
  }

  async #front(index: number): Promise<Front> {
    const known = this.#fronts.get(index);
    const { isClosed = true, isEnded, isBroken } = known?.client ?? {};
    const isOver = isClosed || isEnded === true || isBroken === true;
    if (known !== undefined && !known.isSpent && !isOver && !known.client.socket.destroyed)
      return known;
    const client = await this.#rig.front();
    const front: Front = { client, isSpent: false, mayBeCut: false, ids: new Set() };
    this.#fronts.set(index, front);
    this.#allFronts.push(front);
    return front;
  }

  #params(ask: Ask, told: Told): Map<string, string> {
    const query = queryOf(ask, told);
    const isPhp = this.#worker.name.startsWith('php');
    const script = join(this.#root, APP, isPhp ? 'index.php' : '');
    const params = appParams(APP, '/', {
      REQUEST_METHOD: ask.method,
      QUERY_STRING: query,
      REQUEST_URI: `/~alice/apps/blog/?${query}`,
      SCRIPT_FILENAME: script,
      CONTENT_TYPE: 'application/octet-stream',
    });
    if (isPhp) params.set('SCRIPT_NAME', '/index.php').set('PATH_INFO', '');
    if (ask.isAnnounced) params.set('CONTENT_LENGTH', String(ask.bodyBytes));
    return params;
  }

  #holdFile(word: 'at' | 'go', tag: string): string {
    return join(this.#root, 'hold', `${word}-${tag}`);
  }

  #release({ told }: Asked): void {
    writeFileSync(this.#holdFile('go', told.tag), '');
  }

  async #settle(): Promise<void> {
    const all = this.#underWay;
    this.#underWay = [];
    for (const asked of all) await asked.settled(this.#around);
  }

  // --- the end -------------------------------------------------------------------------------

  async rest(): Promise<void> {
    const { router, supervisor } = this.#rig;
    await waitFor('no request is left', () => router.counters.requestsActive === 0, REST_MS);
    const { spoolBudget } = router;
    // A file is given up when it is closed.
    const isEmpty = (): boolean =>
      spoolBudget.memoryBytes + spoolBudget.pendingBytes + spoolBudget.diskBytes === 0;
    await waitFor('nothing is spooled', () => isEmpty() && spoolBudget.filesCount === 0, REST_MS);
    const isWithinCap = (): boolean => supervisor.running.size <= this.#round.cap;
    await waitFor('no worker is over', isWithinCap, REST_MS);
    supervisor.send({ type: 'reset', app: APP });
    await this.#served();
    for (const { client } of this.#allFronts) client.close();
    await waitFor('no connection is left', () => router.counters.frontConnections === 0, REST_MS);
    await waitFor('nothing is buffered', () => router.writeBudget.bytes === 0, REST_MS);
    const kept = this.#round.cap * this.#worker.concurrency;
    const bound = this.#descriptorsCount + kept;
    await waitFor('nothing but kept connections', () => countDescriptors() <= bound, REST_MS);
  }

  /** Also after all that. */
  async #served(): Promise<void> {
    const ask: Ask = {
      ...{ front: 0, method: 'GET', bodyBytes: 0, reads: 'all', answerBytes: 100, pieces: 1 },
      ...{ hasLength: true, hasStderr: false, keep: true, isAnnounced: true, uploadTurns: 1 },
    };
    for (const method of ['POST', 'GET', 'POST', 'POST'] as const) {
      await this.#send({ ...ask, method, bodyBytes: method === 'GET' ? 0 : 100 });
      await this.#settle();
    }
  }

  async stop(): Promise<void> {
    const running = [...this.#rig.supervisor.running.values()];
    for (const { client } of this.#allFronts) client.close();
    await Promise.all(running.map(({ process: started }) => started?.stop() ?? Promise.resolve()));
    await this.#rig.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }
}
