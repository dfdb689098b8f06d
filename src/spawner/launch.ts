// One launch, from an account to a running program of the tenant: every step of the privilege drop, in order, one deadline.
//
// The numbers are those of the launch sequence in docs/security.md. Step 1, who this is and whether there is room, is
// admission.ts; steps 6 and 7 are prlimit(1) and setpriv(1); 8 and 12 are the launcher, already the user.
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { LIMITS } from '../limits.js';
import {
  LauncherDialogue,
  buildPlan,
  launcherProgram,
  type DropPlan,
  type LaunchReport,
  type LauncherEnd,
} from '../privdrop/index.js';
import { refusal, refusalBy, refusalOf, type DescribeInput, type Refusal } from './blueprint.js';
import type { CgroupLeaf } from './cgroup.js';
import { doubtDrop } from './doubt-drop.js';
import type {
  LaunchGround,
  LaunchOutcome,
  LaunchRequest,
  LaunchStep,
  Launched,
} from './launch-ground.js';
import type { WorkerMark } from './marks.js';
import { printable } from './printable.js';
import { ensurePrivateDirectory } from './private-directory.js';
import { bindWorkerSocket, connectLog, type LogSocket } from './sockets.js';
import { spawnChain } from './spawn-chain.js';
import { startOrder, type StartOrder } from './start-order.js';
import { limitsOfUser } from './user-limits.js';
import { WorkerProcess, type WorkerOwner } from './worker-process.js';

/** What a launch waits for; in `settled` nothing that still comes changes the outcome. */
type LaunchState = 'preparing' | 'dropping' | 'looking' | 'executing' | 'settled';

export class Launch {
  readonly #ground: LaunchGround;
  readonly #request: LaunchRequest;
  readonly #id = randomBytes(8).toString('hex');
  #state: LaunchState = 'preparing';
  #settle: (outcome: LaunchOutcome) => void = () => undefined;
  #deadline: NodeJS.Timeout | undefined;
  #mark: WorkerMark | undefined;
  #worker: WorkerProcess | undefined;
  #pipe: Socket | undefined;
  /** Never rejects. */
  #logDirectory: Promise<void> | undefined;
  #described: Omit<Launched, 'ok' | 'worker'> | undefined;

  constructor(ground: LaunchGround, request: LaunchRequest) {
    this.#ground = ground;
    this.#request = request;
  }

  /** Once. Never rejects: whatever goes wrong is a refusal, and no process is left. */
  run(): Promise<LaunchOutcome> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#deadline = setTimeout(() => {
        this.#refuse(refusal('E_PRIVDROP_DEADLINE', '', `the launch hung while ${this.#state}`));
      }, LIMITS.launchDeadlineMs);
      this.#prepare().catch((err: unknown) => this.#refuse(refusalOf(err)));
    });
  }

  cancel(why: Refusal): void {
    this.#refuse(why);
  }

  async #prepare(): Promise<void> {
    const { app, wantedRuntime, config, account } = this.#request;
    const limits = limitsOfUser(config, this.#request.user);
    this.#mark = this.#ground.marks?.issue();
    const plan = buildPlan(account, {
      mode: this.#ground.mode,
      noNewPrivileges:
        config.users.get(account.name)?.noNewPrivileges ?? config.identity.noNewPrivileges,
      processes: limits.pidsMax,
      mark: this.#mark?.number ?? 0,
    });
    const label = { worker: this.#id, app, runtime: wantedRuntime };
    const log = await connectLog(this.#ground.paths.log, this.#ground.routerUid, label); // step 2, second half
    try {
      if (this.#state === 'preparing') this.#enter(plan, log);
    } finally {
      log.release(); // step 5: root performs no I/O on what a tenant holds
    }
  }

  /** Steps 2 to 5, in one tick: nobody can connect to the worker's socket while it is also ours. */
  #enter(plan: DropPlan, log: LogSocket): void {
    const { cgroups, paths } = this.#ground;
    const limits = limitsOfUser(this.#request.config, this.#request.user);
    const owner = {
      user: this.#request.user,
      app: this.#request.app,
      uid: plan.uid,
      gid: plan.gid,
    };
    const socket = bindWorkerSocket(paths.workers, this.#id); // step 2
    const leaf = cgroups?.leaf(owner, this.#id, limits); // step 3
    if (cgroups !== undefined && leaf === undefined) {
      socket.discard();
      throw new Error('the cgroup cannot be made');
    }
    let child: ChildProcess;
    try {
      const { tools } = this.#request;
      const descriptors = [socket.fd, log.fd, log.fd] as const;
      const program = launcherProgram(tools);
      const start = (): ChildProcess => spawnChain({ plan, tools, descriptors, program }); // step 4
      child = leaf === undefined ? start() : leaf.bear(start);
    } catch (err) {
      socket.discard();
      void leaf?.remove();
      throw err;
    }
    this.#adopt(child, socket.path, leaf, owner);
    socket.handOver(); // step 5
    this.#step('spawned');
    this.#converse(child, plan);
    // Beside the launch: nothing of the tenant's speaks before it is there.
    this.#logDirectory = this.#ground.logDirectories?.prepare(
      this.#request.account,
      this.#request.tools,
    );
  }

  #adopt(
    child: ChildProcess,
    socketPath: string,
    leaf: CgroupLeaf | undefined,
    owner: WorkerOwner,
  ): void {
    this.#worker = new WorkerProcess({
      id: this.#id,
      owner,
      child,
      socketPath,
      leaf,
      mark: this.#mark,
      startedAtMs: this.#ground.now(),
      onEnd: this.#ground.onEnd,
    });
    this.#ground.onSpawned(this.#worker);
    this.#state = 'dropping';
  }

  /** Steps 8 to 13 are a conversation on descriptor 3; its end of file is the exec. */
  #converse(child: ChildProcess, plan: DropPlan): void {
    const pipe = child.stdio[3] as Socket;
    this.#pipe = pipe;
    const dialogue: LauncherDialogue = new LauncherDialogue({
      directory: this.#request.directory,
      uid: plan.uid,
      nonce: randomBytes(16).toString('hex'),
      names: this.#ground.markNames(this.#request.config),
      onText: (text) => pipe.write(text),
      onDescriptors: () => this.#prove(dialogue, plan),
      onReport: (report) => this.#order(dialogue, report),
      onRefused: (code, finding) => this.#refuse(refusalBy(code, [finding])),
    });
    pipe.on('data', (chunk: Buffer) => this.#attempt(() => dialogue.push(chunk)));
    pipe.on('error', () => undefined); // the launcher is gone, which its end of file says, too
    pipe.once('end', () => this.#conclude(dialogue.ended())); // before the exit of a program that ends at once
    pipe.once('close', () => this.#conclude(dialogue.ended(false))); // without an end, where it left something unread
  }

  /** Steps 9 and 10. Nothing of the tenant's is interpreted before both are done. */
  #prove(dialogue: LauncherDialogue, plan: DropPlan): void {
    const worker = this.#worker;
    if (this.#state !== 'dropping' || worker === undefined) return;
    this.#step('descriptors');
    const doubt = doubtDrop(worker.pid, plan); // step 9
    if (doubt !== undefined) {
      this.#refuse(doubt);
      return;
    }
    this.#step('proved');
    if (!worker.enterCgroup()) {
      this.#refuse(refusal('E_START_FAILED', 'cgroup', 'the process did not enter its cgroup')); // step 10
      return;
    }
    this.#step('grouped');
    this.#state = 'looking';
    dialogue.look();
  }

  /** Step 11: what the launcher saw becomes an order; everything of the tenant's travels on descriptor 3. */
  #order(dialogue: LauncherDialogue, report: LaunchReport): void {
    if (this.#state !== 'looking') return;
    this.#step('reported');
    const { user, app, directory, account, wantedRuntime, config } = this.#request;
    const input: DescribeInput = {
      user,
      app,
      directory,
      uid: account.uid,
      wantedRuntime,
      marks: report.marks,
      directoryMark: report.directory,
      manifestText: report.manifestText,
    };
    const description = this.#ground.describe(config, input);
    if (!description.ok) {
      this.#refuse(refusalBy(description.code, description.findings));
      return;
    }
    const { blueprint } = description;
    if (this.#worker?.limit(blueprint.facts.limits) === false) {
      this.#refuse(
        refusal('E_START_FAILED', 'cgroup', 'the limits of the application do not hold'),
      );
      return;
    }
    this.#ground.onDescribed(input, blueprint);
    this.#described = { blueprint, input };
    this.#state = 'executing';
    ensurePrivateDirectory(config.usersDirectory, account);
    const order = startOrder({ account, app, directory }, blueprint);
    void Promise.resolve(this.#logDirectory).then(() =>
      this.#attempt(() => this.#start(dialogue, order)),
    );
  }

  #start(dialogue: LauncherDialogue, order: StartOrder): void {
    dialogue.start(order);
    this.#step('ordered');
  }

  /** Step 13: the launcher's last descriptor is closed. */
  #conclude(how: LauncherEnd): void {
    const worker = this.#worker;
    if (this.#state === 'settled' || worker === undefined) return;
    if (how !== 'started' || this.#described === undefined || worker.state !== 'launching') {
      this.#refuse(refusal('E_START_FAILED', '', `the process ended while ${this.#state}`));
      return;
    }
    worker.started(this.#described.blueprint.walls !== undefined);
    this.#finish({ ok: true, worker, ...this.#described });
  }

  /** Errors of the conversation end this launch and nothing else. */
  #attempt(work: () => void): void {
    if (this.#state === 'settled') return;
    try {
      work();
    } catch (err) {
      this.#refuse(refusalOf(err));
    }
  }

  #refuse(why: Refusal): void {
    if (this.#state === 'settled') return;
    this.#worker?.kill();
    if (why.code === 'E_PRIVDROP_VERIFY') this.#alarm(why);
    this.#finish({ ...why, detail: printable(why.detail), remedy: printable(why.remedy) });
  }

  #finish(outcome: LaunchOutcome): void {
    this.#state = 'settled';
    clearTimeout(this.#deadline);
    if (this.#worker === undefined) this.#mark?.drop();
    this.#pipe?.destroy();
    this.#settle(outcome);
  }

  /** No code of the tenant's has run; but the host is not what usherd was told. */
  #alarm({ code, detail }: Refusal): void {
    const { user, app } = this.#request;
    const fields = { user, app, workerPid: this.#worker?.pid, errorCode: code, detail };
    this.#ground.log.fatal(fields, 'privilege drop not proved');
  }

  #step(step: LaunchStep): void {
    this.#ground.onStep(step, this.#worker?.pid ?? 0);
  }
}
