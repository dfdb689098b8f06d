// What goes into and comes out of describing an application; the shapes that the supervisor takes.
import type {
  AccessLog,
  AppLimits,
  LimitOrigin,
  RoleName,
  RuntimeNeed,
  WorkerProtocol,
} from '../config/index.js';
import type { ErrorCode, Finding } from '../errors.js';
import type { Mark } from './marks.js';
import type { BlueprintWalls } from './walls.js';

/** One application as the launcher saw it. */
export interface Sighting {
  readonly user: string;
  /** `user/app` */
  readonly app: string;
  readonly directory: string;
  /** Of the account. */
  readonly uid: number;
  /** '' asks for what URLs without a script run. */
  readonly wantedRuntime: string;
  readonly marks: readonly Mark[];
}

/** Limits for which requests are refused, with a log line that says which layer of the configuration they come from. */
type ToldLimit =
  | 'maxWorkersPerApp'
  | 'maxWorkersPerUser'
  | 'queueLength'
  | 'queueTimeoutMs'
  | 'startTimeoutMs'
  | 'firstByteTimeoutMs'
  | 'silenceTimeoutMs'
  | 'requestTimeoutMs';

/** What the router has to know of the application. */
export interface ApplicationFacts {
  /** '' if URLs without a script run nothing. */
  readonly defaultRuntime: string;
  readonly webRoot: '' | 'public';
  /** Below the web root; '' if there is none. */
  readonly frontController: string;
  readonly mode: 'production' | 'development';
  readonly bufferRequests: boolean;
  readonly roles: readonly RoleName[];
  readonly accessLog: AccessLog;
  readonly maxWorkersPerUser: number;
  readonly limits: AppLimits;
  readonly origins: Readonly<Record<ToldLimit, LimitOrigin>>;
}

/** Everything that a worker of the wanted runtime is started with. */
export interface Blueprint {
  readonly facts: ApplicationFacts;
  readonly runtime: string;
  /** The file that decided about it: for a person to read. */
  readonly because: string;
  readonly protocol: WorkerProtocol;
  /** Where requests go instead of the worker's own socket; '' for every program that usherd starts itself. */
  readonly connect: string;
  readonly concurrency: number;
  /** 0: no limit. */
  readonly maxRequests: number;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly manifestEnvironment: ReadonlyMap<string, string>;
  readonly umask: number;
  /** TMPDIR. */
  readonly temporaryDirectory: string;
  /** Below the user's private directory; the launcher makes those that are missing. */
  readonly folders: readonly string[];
  /** Undefined for an application that is not isolated. */
  readonly walls: BlueprintWalls | undefined;
  readonly stopSignal: NodeJS.Signals;
  readonly debianPackage: string;
  /** Beside argv[0]. */
  readonly needs: readonly RuntimeNeed[];
}

export interface Refusal {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly findings: readonly Finding[];
}

export type Description = { readonly ok: true; readonly blueprint: Blueprint } | Refusal;

export const refuse = (code: ErrorCode, finding: Finding): Refusal => ({
  ok: false,
  code,
  findings: [finding],
});
