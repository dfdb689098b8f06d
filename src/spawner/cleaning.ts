// One cleaning of one user's private directory: a constant program, dropped to him and proved as every launch is, with a deadline.
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Config } from '../config/index.js';
import { LIMITS } from '../limits.js';
import {
  buildPlan,
  CleanerDialogue,
  cleanerProgram,
  type Account,
  type CleanerAnswer,
  type CleanerOrder,
  type DropPlan,
  type Tools,
} from '../privdrop/index.js';
import { refusal, refusalOf, type Refusal } from './blueprint.js';
import { doubtDrop } from './doubt-drop.js';
import type { LaunchGround } from './launch-ground.js';
import type { WorkerMark } from './marks.js';
import { spawnChain } from './spawn-chain.js';
import { limitsOfUser } from './user-limits.js';
import { WorkerProcess } from './worker-process.js';

export interface CleaningRequest {
  readonly user: string;
  readonly account: Account;
  readonly config: Config;
  readonly tools: Tools;
  /** Since the oldest worker of this user began that still runs; 0 if there is none. */
  readonly oldestWorkerMs: number;
}

export type CleaningGround = Pick<
  LaunchGround,
  'mode' | 'cgroups' | 'marks' | 'now' | 'onSpawned' | 'onEnd' | 'onStep'
>;

export type CleaningOutcome = CleanerAnswer | Refusal;

/** Beside the groups of applications, whose names begin with a letter or a digit. */
const GROUP = '+cleaner';

export class Cleaning {
  readonly #ground: CleaningGround;
  readonly #request: CleaningRequest;
  readonly #dialogue: CleanerDialogue;
  readonly #plan: DropPlan;
  /** The program is ours; but another process of the user's may trace it, and have it start what it likes. */
  readonly #mark: WorkerMark | undefined;
  #process: WorkerProcess | undefined;
  #pipe: Socket | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #refusal: Refusal | undefined;
  #settle: (outcome: CleaningOutcome) => void = () => undefined;

  constructor(ground: CleaningGround, request: CleaningRequest) {
    const { account, config, user } = request;
    this.#ground = ground;
    this.#request = request;
    this.#dialogue = new CleanerDialogue(() => this.#prove());
    this.#mark = ground.marks?.issue();
    this.#plan = buildPlan(account, {
      mode: ground.mode,
      noNewPrivileges: true,
      processes: limitsOfUser(config, user).pidsMax,
      mark: this.#mark?.number ?? 0,
    });
  }

  /** Once. Never rejects; settles when nothing of it is left, or it is given up as lost. */
  run(): Promise<CleaningOutcome> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      try {
        this.#start();
      } catch (err) {
        if (this.#process === undefined) this.#mark?.drop();
        resolve(refusalOf(err));
      }
    });
  }

  cancel(): void {
    this.#refuse(refusal('E_SHUTDOWN', '', 'called off'));
  }

  #start(): void {
    const { account, config, tools, user } = this.#request;
    const { cgroups } = this.#ground;
    const plan = this.#plan;
    const id = randomBytes(8).toString('hex');
    const owner = { user, app: `${user}/${GROUP}`, uid: account.uid, gid: account.gid };
    const leaf = cgroups?.leaf(owner, id, limitsOfUser(config, user));
    if (cgroups !== undefined && leaf === undefined) throw new Error('the cgroup cannot be made');
    const nowhere = openSync('/dev/null', 'r+');
    let child: ChildProcess;
    try {
      const descriptors = [nowhere, nowhere, nowhere] as const;
      const program = cleanerProgram(tools);
      const start = (): ChildProcess => spawnChain({ plan, tools, descriptors, program });
      child = leaf === undefined ? start() : leaf.bear(start);
    } catch (err) {
      void leaf?.remove();
      throw err;
    } finally {
      closeSync(nowhere);
    }
    this.#process = new WorkerProcess({
      ...{ id, owner, child, leaf, startedAtMs: this.#ground.now() },
      socketPath: undefined,
      mark: this.#mark,
      onEnd: (process, exit, wanted) => {
        this.#ground.onEnd(process, exit, wanted);
        this.#end();
      },
    });
    this.#ground.onSpawned(this.#process);
    this.#deadline = setTimeout(
      () => this.#refuse(refusal('E_PRIVDROP_DEADLINE', 'cleaner', 'not done in time')),
      LIMITS.cleanerDeadlineMs,
    );
    this.#listen(child.stdio[3] as Socket);
    this.#ground.onStep('spawned', this.#process.pid);
  }

  #listen(pipe: Socket): void {
    this.#pipe = pipe;
    pipe.on('error', () => undefined); // its end says it, too
    pipe.on('data', (chunk: Buffer) => {
      if (this.#refusal !== undefined) return;
      try {
        this.#dialogue.push(chunk);
      } catch (err) {
        this.#refuse(refusalOf(err));
      }
    });
    pipe.once('close', () => this.#end());
  }

  /** Nothing of the tenant's is touched before both hold. */
  #prove(): void {
    const process = this.#process;
    if (process === undefined) return;
    const doubt = doubtDrop(process.pid, this.#plan);
    if (doubt !== undefined) this.#refuse(doubt);
    else if (!process.enterCgroup()) {
      this.#refuse(refusal('E_START_FAILED', 'cgroup', 'the process did not enter its cgroup'));
    } else {
      this.#ground.onStep('grouped', process.pid);
      this.#pipe?.write(this.#dialogue.order(this.#order()));
    }
  }

  #order(): CleanerOrder {
    const { config, account, oldestWorkerMs } = this.#request;
    const { temporaryAgeMs, sessionAgeMs } = config.privateDirectories;
    // A program that runs may count on a directory that it made for itself, however empty it is. find(1) reckons from when it
    // begins, which is later than now.
    const livingMs = oldestWorkerMs === 0 ? 0 : oldestWorkerMs + LIMITS.cleanerDeadlineMs;
    const emptyAgeMs = temporaryAgeMs === 0 ? 0 : Math.max(temporaryAgeMs, livingMs);
    const directory = `${config.usersDirectory}/${account.uid}`;
    return { directory, temporaryAgeMs, emptyAgeMs, sessionAgeMs };
  }

  #refuse(why: Refusal): void {
    this.#refusal ??= why;
    this.#process?.kill();
  }

  /** Twice: at the end of the process and of what it says; a lost one never closes its pipe. */
  #end(): void {
    const isGone = this.#process?.state === 'gone';
    if (!isGone) return;
    if (this.#pipe?.closed === false && this.#refusal === undefined) return;
    clearTimeout(this.#deadline);
    this.#pipe?.destroy();
    const silent = refusal('E_START_FAILED', 'cleaner', 'it ended without a word');
    this.#settle(this.#refusal ?? this.#dialogue.answer ?? silent);
  }
}
