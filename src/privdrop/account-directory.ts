// Account names to accounts that may run something: looked up, judged, and remembered for a while.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isUsherdError, type ErrorCode, type Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import { AccountFiles } from './account-files.js';
import { ask, askAboutAccount, NOT_FOUND, type Answer } from './account-query.js';
import {
  isOwnGroup,
  parseGroupIds,
  parseGroups,
  parseId,
  parsePasswd,
  type PasswdEntry,
} from './account-text.js';
import {
  allowedGroups,
  checkAccountName,
  judgeAccount,
  type Account,
  type AccountResult,
  type IdentityRules,
  type Mode,
} from './identity.js';
import { LookupSlots } from './lookup-slots.js';
import { groupsOf, parseStatus } from './proc-status.js';
import type { Tools } from './tools.js';

export interface ConfiguredAccount {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface AccountDirectoryOptions {
  readonly mode: Mode;
  readonly tools: Tools;
  readonly rules: IdentityRules;
  readonly configured: ReadonlyMap<string, ConfiguredAccount>;
  /** Another place than /etc, for tests. */
  readonly files?: AccountFiles;
  readonly lookupDeadlineMs?: number;
}

interface Remembered {
  readonly result: AccountResult;
  /** Of the account files, before it was asked. */
  readonly version: string;
  readonly untilMs: number;
}

/** `named`: the groups of deny_groups, by number; undefined if they could not be looked up. */
interface Found {
  readonly account: Account;
  readonly named: ReadonlyMap<number, string> | undefined;
}

const DAY_MS = 86_400_000;

const refuse = (code: ErrorCode, finding: Finding): AccountResult => ({ ok: false, code, finding });

const tooLate = (name: string): AccountResult =>
  refuse('E_PRIVDROP_DEADLINE', {
    rule: 'account-lookup-deadline',
    found: `no answer about account ${name} in time`,
    expected: `an answer within ${LIMITS.accountLookupDeadlineMs} ms`,
    remedy: `look why \`getent passwd ${name}\` is slow (LDAP, SSSD, nsswitch.conf)`,
  });

/** The question was not answered: says nothing about the account. */
const unanswered = (name: string, found: string): AccountResult =>
  refuse('E_PRIVDROP_DEADLINE', {
    rule: 'account-lookup-failed',
    found,
    expected: 'an answer of the account database',
    remedy: `look whether \`getent passwd ${name}\` and \`id -G ${name}\` work, and at memory and processes`,
  });

/** Too many ask at once: a limit, and nobody's fault. */
const busy = (name: string): AccountResult =>
  refuse('E_SPAWN_LIMIT', {
    rule: 'account-lookups',
    found: `account ${name} could not be looked up yet`,
    expected: `at most ${LIMITS.accountLookupsWaitingMaxCount} look-ups that wait`,
    remedy: 'look who asks for so many unknown users',
  });

const malformed = (name: string, found: string): AccountResult =>
  refuse('E_ACCESS_REFUSED', {
    rule: 'account-entry',
    found,
    expected: 'one line of seven fields, for this very name',
    remedy: `look at \`getent passwd ${name}\` and \`id -G ${name}\``,
  });

const unknown = (name: string): AccountResult =>
  refuse('E_APP_UNKNOWN', {
    rule: 'account-exists',
    found: `no account ${name}`,
    expected: 'an account of the system, or uid, gid and home in [users]',
    remedy: `adduser ${name}`,
  });

export class AccountDirectory {
  readonly #options: AccountDirectoryOptions;
  readonly #files: AccountFiles;
  readonly #remembered = new Map<string, Remembered>();
  /** Names that are nobody's, or nobody's yet, apart from the others so that no flood of them pushes an account out. */
  readonly #strangers = new Map<string, Remembered>();
  readonly #underWay = new Map<string, Promise<AccountResult>>();
  readonly #slots = new LookupSlots(
    LIMITS.accountLookupsInFlightMaxCount,
    LIMITS.accountLookupsWaitingMaxCount,
  );
  readonly #strangerSlots = new LookupSlots(
    LIMITS.strangerLookupsInFlightMaxCount,
    LIMITS.strangerLookupsWaitingMaxCount,
  );
  #denied: { readonly gids: ReadonlyMap<number, string>; readonly untilMs: number } | undefined;

  constructor(options: AccountDirectoryOptions) {
    this.#options = options;
    this.#files = options.files ?? new AccountFiles();
  }

  get size(): number {
    return this.#remembered.size + this.#strangers.size;
  }

  /** Never rejects; lookups of one name at one time are one lookup. */
  lookup(name: string): Promise<AccountResult> {
    const misnamed = checkAccountName(name);
    if (misnamed !== undefined) return Promise.resolve(refuse('E_ACCESS_REFUSED', misnamed));
    if (this.#options.mode === 'self') return Promise.resolve(currentUser(name));
    const known = this.#remembered.get(name) ?? this.#strangers.get(name);
    // An account may be deleted, and its uid be another's, from one launch to the next.
    const version = this.#files.version();
    if (known?.version === version && performance.now() < known.untilMs)
      return Promise.resolve(known.result);
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return underWay;
    const lookup = this.#lookUp(name).catch((err: unknown) => unanswered(name, textOf(err)));
    this.#underWay.set(name, lookup);
    void lookup.then((result) => {
      // After forget() this is no longer the lookup that counts.
      if (this.#underWay.get(name) !== lookup) return;
      this.#underWay.delete(name);
      this.#remember(name, result, version);
    });
    return lookup;
  }

  /** Looks one name, or all, up anew the next time. */
  forget(name?: string): void {
    if (name === undefined) {
      this.#remembered.clear();
      this.#strangers.clear();
      this.#underWay.clear();
      this.#denied = undefined;
    } else {
      this.#strangers.delete(name);
      // Its row stays as a sign that it is no stranger.
      const known = this.#remembered.get(name);
      if (known !== undefined) this.#remembered.set(name, { ...known, untilMs: 0 });
      this.#underWay.delete(name);
    }
  }

  #remember(name: string, result: AccountResult, version: string): void {
    const [own, other] = result.ok
      ? [this.#remembered, this.#strangers]
      : [this.#strangers, this.#remembered];
    const ttlMs = result.ok ? LIMITS.accountCacheTtlMs : LIMITS.accountNegativeTtlMs;
    other.delete(name);
    own.delete(name);
    own.set(name, { result, version, untilMs: performance.now() + ttlMs });
    if (own.size <= LIMITS.accountCacheMaxCount) return;
    // The first is the one looked up longest ago.
    const [oldest = ''] = own.keys();
    own.delete(oldest);
  }

  /** Anybody can ask for names that do not exist; who is known does not stand in line with them. */
  #slotsFor(name: string): LookupSlots {
    const isKnown =
      this.#remembered.has(name) || this.#options.configured.has(name) || this.#files.has(name);
    return isKnown ? this.#slots : this.#strangerSlots;
  }

  async #lookUp(name: string): Promise<AccountResult> {
    const signal = AbortSignal.timeout(
      this.#options.lookupDeadlineMs ?? LIMITS.accountLookupDeadlineMs,
    );
    const slots = this.#slotsFor(name);
    if (!(await slots.enter(signal))) return signal.aborted ? tooLate(name) : busy(name);
    // The slot is kept until the processes are gone, even if nobody waits for them any more.
    const work = this.#resolve(name, signal).finally(() => slots.leave());
    return Promise.race([work, aborted(signal).then(() => tooLate(name))]);
  }

  async #resolve(name: string, signal: AbortSignal): Promise<AccountResult> {
    const configured = this.#options.configured.get(name);
    const found = await (configured === undefined
      ? this.#find(name, signal)
      : this.#configured({ ...configured, name }, signal));
    if ('ok' in found) return found;
    const { account, named } = found;
    if (named === undefined) return unanswered(name, 'deny_groups cannot be looked up');
    const deniedGids = new Map([...named, ...this.#options.rules.forbiddenGids]);
    return this.#judge(
      { ...account, groups: allowedGroups(account.groups, deniedGids) },
      deniedGids,
    );
  }

  #judge(account: Account, deniedGids: ReadonlyMap<number, string>): AccountResult {
    const numeric = this.#files.numericNames();
    if (numeric.length > 0) return malformed(account.name, numericText(numeric));
    const finding = judgeAccount(account, {
      rules: this.#options.rules,
      deniedGids,
      sharesUidWith: this.#sharesUidWith(account),
      expiryDay: account.source === 'passwd' ? this.#files.expiryDay(account.name) : undefined,
      today: Math.floor(Date.now() / DAY_MS),
    });
    return finding === undefined ? { ok: true, account } : refuse('E_ACCESS_REFUSED', finding);
  }

  #sharesUidWith({ name, uid }: Account): string | undefined {
    for (const [other, account] of this.#options.configured) {
      if (other !== name && account.uid === uid) return other;
    }
    return this.#files.sharesUidWith(name, uid);
  }

  async #configured(entry: PasswdEntry, signal: AbortSignal): Promise<Found> {
    const { mode, tools, configured, rules } = this.#options;
    const sharesGid = [...configured].some(
      ([other, { gid }]) => other !== entry.name && gid === entry.gid,
    );
    const account = { ...entry, groups: [], hasOwnGroup: !sharesGid, source: 'config' } as const;
    const known = this.#knownDenied();
    if (known !== undefined) return { account, named: known };
    const argv = [tools.getent, 'group', '--', ...rules.denyGroups];
    return { account, named: this.#learnDenied(await ask({ mode, tools, argv, signal })) };
  }

  async #find(name: string, signal: AbortSignal): Promise<Found | AccountResult> {
    const { mode, tools, rules } = this.#options;
    const known = this.#knownDenied();
    const question = {
      name,
      wantsGroupIds: rules.supplementaryGroups === 'account',
      groupNames: known === undefined ? rules.denyGroups : [],
    };
    const answers = await askAboutAccount(question, { mode, tools, signal });
    if (answers === 'malformed') return malformed(name, 'getent and id gave no proper answers');
    if (answers === undefined) return unanswered(name, 'getent and id could not be run');
    const { passwd, others } = answers;
    if (passwd.exitCode === NOT_FOUND.getent) return unknown(name);
    if (others === undefined) return unanswered(name, 'getent passwd failed');
    const entry = parsePasswd(passwd.output, name);
    if (entry === undefined) return malformed(name, 'getent passwd gave no proper entry');
    const named = known ?? this.#learnDenied(others.groups);
    const hasOwnGroup = this.#hasOwnGroup(entry, others.ownGroup);
    const account = { ...entry, groups: [], hasOwnGroup, source: 'passwd' } as const;
    if (!question.wantsGroupIds) return { account, named };
    if (others.groupIds.exitCode !== 0) return unanswered(name, 'id -G failed');
    const groups = parseGroupIds(others.groupIds.output);
    if (groups === undefined) return malformed(name, 'id -G gave no proper list');
    return { account: { ...account, groups }, named };
  }

  /** Found by its name, so another group of the same number is looked for beside it. */
  #hasOwnGroup(entry: PasswdEntry, { exitCode, output }: Answer): boolean {
    const isOwn = exitCode === 0 && isOwnGroup(output, entry);
    return isOwn && this.#files.sharesGidWith(entry.name, entry.gid) === undefined;
  }

  /** What deny_groups names, by number; undefined if it has to be asked. */
  #knownDenied(): ReadonlyMap<number, string> | undefined {
    if (this.#options.rules.denyGroups.length === 0) return new Map();
    const denied = this.#denied;
    return denied !== undefined && performance.now() < denied.untilMs ? denied.gids : undefined;
  }

  /** Undefined if the group database does not answer properly. */
  #learnDenied(answer: Answer | undefined): ReadonlyMap<number, string> | undefined {
    const isAnswer = answer?.exitCode === 0 || answer?.exitCode === NOT_FOUND.getent;
    const gids = isAnswer ? parseGroups(answer.output, this.#options.rules.denyGroups) : undefined;
    if (gids !== undefined) {
      this.#denied = { gids, untilMs: performance.now() + LIMITS.accountCacheTtlMs };
    }
    return gids;
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const textOf = (err: unknown): string => {
  if (isUsherdError(err)) return `${err.code}: ${err.message}`;
  return err instanceof Error ? err.message : String(err);
};

export const numericText = (names: readonly string[]): string =>
  `accounts or groups whose names are numbers: ${names.slice(0, 8).join(', ')}`;

/** Without root there is only one user to be. process.getgroups() would add the primary group where the kernel has it not. */
function currentUser(name: string): AccountResult {
  const fields = parseStatus(readFileSync('/proc/self/status', 'latin1'));
  const [uid, gid] = ['Uid', 'Gid'].map((field) => parseId(fields.get(field)?.split(' ')[0] ?? ''));
  const groups = groupsOf(fields);
  if (uid === undefined || gid === undefined || groups === undefined) {
    return malformed(name, '/proc/self/status says nothing about the current user');
  }
  const home = ownHome();
  const account = { name, uid, gid, groups, home, hasOwnGroup: false, source: 'self' } as const;
  return { ok: true, account };
}

/** An account that no database knows, in a container for instance, has none. */
function ownHome(): string {
  try {
    return homedir();
  } catch {
    return '/';
  }
}
