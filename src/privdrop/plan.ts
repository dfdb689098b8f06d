// What a process will be after the drop: numbers only, decided before anything is started.
import { UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';
import { isPlainId, type Account, type Mode } from './identity.js';

/**
 * What RLIMIT_LOCKS and RLIMIT_RTTIME of a marked process make together. A mark that is lowered to pass for another one would
 * need the other limit raised, for which a worker has no privilege.
 */
export const MARK_SUM = Number.MAX_SAFE_INTEGER;

export interface DropPlan {
  readonly mode: Mode;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly noNewPrivileges: boolean;
  /** RLIMIT_LOCKS, which limits nothing, as a number that all descendants inherit, sealed by RLIMIT_RTTIME; 0: none. */
  readonly mark: number;
  readonly rlimits: {
    readonly files: number;
    /** 0: not set. */
    readonly processes: number;
    /** 0: not set. */
    readonly fileBytes: number;
  };
}

/**
 * @throws UsherdError E_PRIVDROP_VERIFY for numbers that setpriv(1) would take for others, and for root.
 */
export function buildPlan(
  account: Account,
  options: {
    readonly mode: Mode;
    readonly noNewPrivileges: boolean;
    readonly processes: number;
    readonly mark?: number;
  },
): DropPlan {
  const { mode, noNewPrivileges, processes, mark = 0 } = options;
  const ids = [account.uid, account.gid, ...account.groups];
  const isRoot = account.uid === 0 || account.gid === 0;
  if (!ids.every(isPlainId) || (mode === 'root' && isRoot)) {
    throw new UsherdError('E_PRIVDROP_VERIFY', `ids ${ids.join(' ')} cannot be dropped to`);
  }
  return {
    mode,
    uid: account.uid,
    gid: account.gid,
    groups: account.groups,
    noNewPrivileges,
    mark,
    rlimits: {
      files: LIMITS.workerFilesMaxCount,
      // RLIMIT_NPROC counts what the person at the desk has open, too.
      processes: mode === 'root' ? processes : 0,
      fileBytes: 0,
    },
  };
}
