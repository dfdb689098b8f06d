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
  readonly untilMs: number;
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
    if (known !== undefined && performance.now() < known.untilMs) {
      return Promise.resolve(known.result);
    }
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return underWay;
    const lookup = this.#lookUp(name).catch((err: unknown) => unanswered(name, textOf(err)));
    this.#underWay.set(name, lookup);
    void lookup.then((result) => {
      // After forget() this is no longer the lookup that counts.
      if (this.#underWay.get(name) !== lookup) return;
      this.#underWay.delete(name);
      this.#remember(name, result);
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

  #remember(name: string, result: AccountResult): void {
    const [own, other] = result.ok
      ? [this.#remembered, this.#strangers]
      : [this.#strangers, this.#remembered];
    const ttlMs = result.ok ? LIMITS.accountCacheTtlMs : LIMITS.accountNegativeTtlMs;
    other.delete(name);
    own.delete(name);
    own.set(name, { result, untilMs: performance.now() + ttlMs });
    if (own.size <= LIMITS.accountCacheMaxCount) return;
    // The first is the one looked up longest ago.
    for (const oldest of own.keys()) {
      own.delete(oldest);
      return;
    }
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
    const turn = await slots.enter(signal);
    if (!turn) return signal.aborted ? tooLate(name) : busy(name);
    // The slot is kept until the processes are gone, even if nobody waits for them any more.
    const work = this.#resolve(name, signal).finally(() => slots.leave());
    return Promise.race([work, aborted(signal).then(() => tooLate(name))]);
  }

  async #resolve(name: string, signal: AbortSignal): Promise<AccountResult> {
    const [deniedGids, found] = await Promise.all([
      this.#deniedGids(signal),
      this.#find(name, signal),
    ]);
    if ('ok' in found) return found;
    if (deniedGids === undefined) return unanswered(name, 'deny_groups cannot be looked up');
    return this.#judge({ ...found, groups: allowedGroups(found.groups, deniedGids) }, deniedGids);
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

  #sharesConfiguredGid(name: string, gid: number): boolean {
    const { configured } = this.#options;
    return [...configured].some(([other, account]) => other !== name && account.gid === gid);
  }

  async #find(name: string, signal: AbortSignal): Promise<Account | AccountResult> {
    const configured = this.#options.configured.get(name);
    if (configured !== undefined) {
      const hasOwnGroup = !this.#sharesConfiguredGid(name, configured.gid);
      return { ...configured, name, groups: [], hasOwnGroup, source: 'config' };
    }
    const { mode, tools, rules } = this.#options;
    const wantsGroups = rules.supplementaryGroups === 'account';
    const answers = await askAboutAccount(name, wantsGroups, { mode, tools, signal });
    if (answers === 'malformed') return malformed(name, 'getent and id gave no proper answers');
    if (answers === undefined) return unanswered(name, 'getent passwd failed');
    const { passwd, others } = answers;
    if (passwd.exitCode === NOT_FOUND.getent) return unknown(name);
    if (others === undefined) return unanswered(name, 'getent passwd failed');
    const entry = parsePasswd(passwd.output, name);
    if (entry === undefined) return malformed(name, 'getent passwd gave no proper entry');
    const hasOwnGroup = this.#hasOwnGroup(entry, others.ownGroup);
    if (!wantsGroups) return { ...entry, groups: [], hasOwnGroup, source: 'passwd' };
    if (others.groupIds.exitCode !== 0) return unanswered(name, 'id -G failed');
    const groups = parseGroupIds(others.groupIds.output);
    if (groups === undefined) return malformed(name, 'id -G gave no proper list');
    return { ...entry, groups, hasOwnGroup, source: 'passwd' };
  }

  /** Found by its name, so another group of the same number is looked for beside it. */
  #hasOwnGroup(entry: PasswdEntry, { exitCode, output }: Answer): boolean {
    const isOwn = exitCode === 0 && isOwnGroup(output, entry);
    return isOwn && this.#files.sharesGidWith(entry.name, entry.gid) === undefined;
  }

  /** What is denied, by number; undefined if the group database does not answer properly. */
  async #deniedGids(signal: AbortSignal): Promise<ReadonlyMap<number, string> | undefined> {
    const { rules } = this.#options;
    const named = await this.#namedGids(rules.denyGroups, signal);
    return named === undefined ? undefined : new Map([...named, ...rules.forbiddenGids]);
  }

  async #namedGids(
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, string> | undefined> {
    if (names.length === 0) return new Map();
    if (this.#denied !== undefined && performance.now() < this.#denied.untilMs) {
      return this.#denied.gids;
    }
    const { mode, tools } = this.#options;
    const argv = [tools.getent, 'group', '--', ...names];
    const answer = await ask({ mode, tools, argv, signal });
    const isAnswer = answer?.exitCode === 0 || answer?.exitCode === NOT_FOUND.getent;
    const gids = isAnswer ? parseGroups(answer.output, names) : undefined;
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
