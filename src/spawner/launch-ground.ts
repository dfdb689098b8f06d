// What a launch is given and what it gives back.
import type { Config } from '../config/index.js';
import type { Account, Mode, Tools } from '../privdrop/index.js';
import type { Blueprint, Describe, DescribeInput, Refusal } from './blueprint.js';
import type { CgroupTree } from './cgroup.js';
import type { LogDirectories } from './log-directories.js';
import type { Log } from './log-face.js';
import type { Marks } from './marks.js';
import type { RunPaths } from './paths.js';
import type { WorkerParts, WorkerProcess } from './worker-process.js';

/** What every launch of this supervisor has in common. */
export interface LaunchGround {
  readonly mode: Mode;
  readonly paths: RunPaths;
  /** Owner of the log socket. */
  readonly routerUid: number;
  /** Undefined where usherd runs as one user: the router makes its own. */
  readonly logDirectories: LogDirectories | undefined;
  readonly cgroups: CgroupTree | undefined;
  /** Where there are no cgroups. */
  readonly marks: Marks | undefined;
  readonly describe: Describe;
  readonly markNames: (config: Config) => readonly string[];
  readonly log: Log;
  readonly now: () => number;
  readonly onSpawned: (worker: WorkerProcess) => void;
  readonly onEnd: WorkerParts['onEnd'];
  /** As soon as the application is understood, before its program runs. */
  readonly onDescribed: (input: DescribeInput, blueprint: Blueprint) => void;
  /** Between the steps, for whoever wants to look or to disturb. */
  readonly onStep: (step: LaunchStep, pid: number) => void;
}

/** The gaps in which the process exists and nothing of the tenant's runs yet. */
export type LaunchStep = 'spawned' | 'descriptors' | 'proved' | 'grouped' | 'reported' | 'ordered';

export interface LaunchRequest {
  readonly user: string;
  /** `user/app`. */
  readonly app: string;
  readonly account: Account;
  readonly directory: string;
  readonly wantedRuntime: string;
  /** The one that was valid when the launch was admitted; a reload in between does not mix in. */
  readonly config: Config;
  readonly tools: Tools;
}

export interface Launched {
  readonly ok: true;
  readonly worker: WorkerProcess;
  readonly blueprint: Blueprint;
  readonly input: DescribeInput;
}
export type LaunchOutcome = Launched | Refusal;
