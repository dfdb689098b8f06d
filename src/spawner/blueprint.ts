// What the supervisor needs to know about an application to start it; worked out by a pure function that it is given.
import type { Config, RuntimeNeed, WorkerProtocol } from '../config/index.js';
import { isUsherdError, type ErrorCode, type Finding } from '../errors.js';
import type { AppFacts } from '../ipc/index.js';
import type { Mark } from '../privdrop/index.js';

/** What to run and how, with everything that the router has to be told about the application. */
export interface Blueprint {
  readonly facts: Omit<AppFacts, 'type' | 'app'>;
  readonly runtime: string;
  /** The file that decided about it: for a person to read. */
  readonly because: string;
  readonly protocol: WorkerProtocol;
  /** A socket of the user's that requests go to instead; '' if there is none. */
  readonly connect: string;
  readonly concurrency: number;
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
  readonly walls:
    | {
        readonly visible: readonly string[];
        readonly showsHome: boolean;
        readonly hidden: readonly string[];
      }
    | undefined;
  readonly stopSignal: NodeJS.Signals;
  /** Debian package to name when argv[0] is missing. */
  readonly debianPackage: string;
  /** What it cannot do without beside argv[0]. */
  readonly needs: readonly RuntimeNeed[];
}

/** What the launcher saw, as the user. */
export interface DescribeInput {
  readonly user: string;
  /** `user/app`. */
  readonly app: string;
  readonly directory: string;
  readonly uid: number;
  /** '' lets the application's markers decide. */
  readonly wantedRuntime: string;
  readonly marks: readonly Mark[];
  readonly directoryMark: Mark;
  readonly manifestText: string | undefined;
}

/** Why there is no worker: a catalogue code, the rule that refused ('' if none did), and words for a person. */
export interface Refusal {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly rule: string;
  /** Where a rule refused: path, what was found, what was expected. */
  readonly detail: string;
  /** '' where the catalogue's has to do. */
  readonly remedy: string;
}

/** Every rule that refuses what was seen; at least one. */
export interface Misfit {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly findings: readonly Finding[];
}

export type Description = { readonly ok: true; readonly blueprint: Blueprint } | Misfit;

export type Describe = (config: Config, input: DescribeInput) => Description;

export const refusal = (code: ErrorCode, rule: string, detail: string): Refusal => ({
  ok: false,
  code,
  rule,
  detail,
  remedy: '',
});

/** The first rule that refuses, in one line; `usherd check USER/APP` shows all of them. */
export function refusalBy(code: ErrorCode, [first]: readonly Finding[]): Refusal {
  if (first === undefined) return refusal(code, '', '');
  const { rule, path, found, expected, remedy } = first;
  const place = path === undefined ? '' : `${path}: `;
  return { ok: false, code, rule, detail: `${place}${found}; expected: ${expected}`, remedy };
}

/** For the log and the router; the error itself goes no further. */
export function refusalOf(err: unknown): Refusal {
  if (!isUsherdError(err)) {
    return refusal('E_START_FAILED', '', err instanceof Error ? err.message : String(err));
  }
  const { code, findings, message } = err;
  return findings.length > 0 ? refusalBy(code, findings) : refusal(code, '', message);
}
