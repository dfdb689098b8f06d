// One launch beside the supervisor's: to look at an application, or to run a command, exactly as its workers would.
//
// The drop, its proof and the launcher are those of every launch. There is no socket and no log: a command has descriptors 0 to 2
// that the caller chooses, and a session of its own, so that no terminal of the caller's is ever its controlling one.
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Config } from '../config/index.js';
import { UsherdError, isUsherdError, type ErrorCode, type Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import {
  buildPlan,
  LauncherDialogue,
  launcherProgram,
  type Account,
  type DropPlan,
  type LaunchReport,
  type LauncherEnd,
  type Mode,
  type Tools,
} from '../privdrop/index.js';
import { refusalOf, type Blueprint, type Describe, type DescribeInput } from './blueprint.js';
import type { CgroupLeaf, CgroupTree } from './cgroup.js';
import { doubtDrop } from './doubt-drop.js';
import { checkPrivateDirectory, ensurePrivateDirectory } from './private-directory.js';
import { spawnChain, type Descriptors } from './spawn-chain.js';
import { startOrder, type StartOrder } from './start-order.js';
import { limitsOfUser } from './user-limits.js';

export interface VisitRequest {
  readonly mode: Mode;
  readonly tools: Tools;
  readonly config: Config;
  readonly account: Account;
  readonly user: string;
  /** `user/app` */
  readonly app: string;
  readonly directory: string;
  readonly describe: Describe;
  readonly markNames: (config: Config) => readonly string[];
  /** Descriptors 0, 1 and 2 of the process. */
  readonly descriptors: Descriptors;
  /** Of the script that is meant; '' for what URLs without one run. */
  readonly wantedRuntime: string;
  /** Undefined: everything is looked at as for a worker, and nothing is run. */
  readonly command?: readonly string[];
  /** Where the command is to be in its user's group; undefined where there are none. */
  readonly cgroups?: CgroupTree | undefined;
}

/** An application as a worker of it would be started. */
export interface Seen {
  readonly plan: DropPlan;
  readonly input: DescribeInput;
  readonly blueprint: Blueprint;
  readonly order: StartOrder;
}

export interface VisitRefusal {
  readonly ok: false;
  readonly code: ErrorCode;
  /** Every rule that refuses; at least one. */
  readonly findings: readonly Finding[];
  /** Undefined if it came to nothing that could be started. */
  readonly seen: Seen | undefined;
}

export interface Visited extends Seen {
  readonly ok: true;
  /** The command; where there is none, a launcher that has looked at everything. */
  readonly child: ChildProcess;
  /** Its group, for the caller to end and remove. */
  readonly leaf: CgroupLeaf | undefined;
}

type Settle = (outcome: Visited | VisitRefusal) => void;

/** Resolves when the command runs, or when everything is known. @throws UsherdError for what cannot even be tried */
export function visit(request: VisitRequest): Promise<Visited | VisitRefusal> {
  return new Promise((resolve) => new Visit(request, resolve).run());
}

class Visit {
  readonly #request: VisitRequest;
  readonly #settle: Settle;
  readonly #plan: DropPlan;
  #seen: Seen | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #child: ChildProcess | undefined;
  #leaf: CgroupLeaf | undefined;
  /** The outcome stands: the end of a process that was refused is not another reason. */
  #isDecided = false;

  constructor(request: VisitRequest, settle: Settle) {
    const { config, account, mode, user } = request;
    this.#request = request;
    this.#settle = settle;
    this.#plan = buildPlan(account, {
      mode,
      noNewPrivileges:
        config.users.get(account.name)?.noNewPrivileges ?? config.identity.noNewPrivileges,
      processes: limitsOfUser(config, user).pidsMax,
    });
  }

  run(): void {
    const { tools, descriptors, directory, config, markNames } = this.#request;
    const program = launcherProgram(tools);
    const start = (): ChildProcess =>
      spawnChain({ plan: this.#plan, ...{ tools, descriptors, program } });
    this.#leaf = this.#makeLeaf();
    const child = this.#leaf === undefined ? start() : this.#leaf.bear(start);
    this.#child = child;
    this.#deadline = setTimeout(() => {
      this.#refuse('E_PRIVDROP_DEADLINE', [silence('no answer in time')]);
    }, LIMITS.launchDeadlineMs);
    const pipe = child.stdio[3] as Socket;
    const dialogue: LauncherDialogue = new LauncherDialogue({
      directory,
      uid: this.#plan.uid,
      nonce: randomBytes(16).toString('hex'),
      names: markNames(config),
      onText: (text) => pipe.write(text),
      onDescriptors: () => this.#prove(child.pid ?? 0, dialogue),
      onReport: (report) => this.#onReport(report, dialogue),
      onRefused: (code, finding, others) => this.#refuse(code, [finding, ...others]),
    });
    pipe.on('data', (chunk: Buffer) => this.#attempt(() => dialogue.push(chunk)));
    pipe.on('error', () => undefined); // its end says it, too
    pipe.once('end', () => this.#onEnd(dialogue.ended()));
    pipe.once('close', () => this.#onEnd(dialogue.ended(false))); // without an end, where it left something unread
  }

  /** @throws UsherdError E_START_FAILED: a command that would be outside of its user's limits is not run. */
  #makeLeaf(): CgroupLeaf | undefined {
    const { cgroups, app, account, config, user } = this.#request;
    if (cgroups === undefined) return undefined;
    const id = randomBytes(8).toString('hex');
    const leaf = cgroups.leaf({ uid: account.uid, app }, id, limitsOfUser(config, user));
    if (leaf !== undefined) return leaf;
    throw new UsherdError('E_START_FAILED', `no cgroup can be made in ${cgroups.path}`);
  }

  #prove(pid: number, dialogue: LauncherDialogue): void {
    const doubt = doubtDrop(pid, this.#plan);
    if (doubt !== undefined) this.#refuse(doubt.code, [silence(doubt.detail, doubt.rule)]);
    else if (this.#leaf?.add(pid) === false) {
      this.#refuse('E_START_FAILED', [silence('the process did not enter its cgroup', 'cgroup')]);
    } else dialogue.look();
  }

  #onReport(report: LaunchReport, dialogue: LauncherDialogue): void {
    const { user, app, directory, config, account, describe, command } = this.#request;
    const { wantedRuntime } = this.#request;
    const input: DescribeInput = {
      ...{ user, app, directory, uid: account.uid, wantedRuntime, marks: report.marks },
      directoryMark: report.directory,
      manifestText: report.manifestText,
    };
    const description = describe(config, input);
    if (!description.ok) {
      this.#refuse(description.code, description.findings);
      return;
    }
    const { blueprint } = description;
    const order = startOrder({ account, app, directory }, blueprint);
    this.#seen = { plan: this.#plan, input, blueprint, order };
    if (command === undefined) {
      this.#rehearse(dialogue, order);
      return;
    }
    if (this.#leaf?.limit(blueprint.facts.limits) === false) {
      this.#refuse('E_START_FAILED', [silence('the limits of the application do not hold')]);
      return;
    }
    ensurePrivateDirectory(config.usersDirectory, account);
    // A command has no listening socket, so nothing is said of one.
    const recipient = { account, app, directory };
    const plain = startOrder(recipient, { ...blueprint, protocol: 'fastcgi' });
    dialogue.start({ ...plain, argv: command, needs: [], debianPackage: '' });
  }

  /** Only walls need the private directories to be there; else to look leaves nothing behind. */
  #rehearse(dialogue: LauncherDialogue, order: StartOrder): void {
    const { config, account } = this.#request;
    checkPrivateDirectory(config.usersDirectory, account);
    if (order.walls !== undefined) ensurePrivateDirectory(config.usersDirectory, account);
    dialogue.start({ ...order, isRehearsal: true });
  }

  #onEnd(how: LauncherEnd): void {
    if (how === 'started' || how === 'rehearsed') this.#finish();
    else this.#refuse('E_START_FAILED', [silence('the process ended')]);
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (err) {
      const { code, detail, rule } = refusalOf(err);
      const findings = isUsherdError(err) && err.findings.length > 0 ? err.findings : undefined;
      this.#refuse(code, findings ?? [silence(detail, rule === '' ? 'launch' : rule)]);
    }
  }

  #finish(): void {
    clearTimeout(this.#deadline);
    if (this.#isDecided || this.#seen === undefined || this.#child === undefined) return;
    this.#isDecided = true;
    this.#settle({ ok: true, ...this.#seen, child: this.#child, leaf: this.#leaf });
  }

  #refuse(code: ErrorCode, findings: readonly Finding[]): void {
    clearTimeout(this.#deadline);
    if (this.#isDecided) return;
    this.#isDecided = true;
    this.#child?.kill('SIGKILL');
    this.#leaf?.kill();
    // The caller may end as soon as it hears of it, and leave a group behind.
    const removed = this.#leaf?.remove() ?? Promise.resolve(true);
    void removed.then(() => this.#settle({ ok: false, code, findings, seen: this.#seen }));
  }
}

/** A refusal that has no more to say than what was found. */
const silence = (found: string, rule = 'launch'): Finding => ({
  rule,
  found,
  expected: '',
  remedy: '',
});
