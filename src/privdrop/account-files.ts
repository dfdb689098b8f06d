// What only the whole of /etc/passwd, /etc/group and /etc/shadow can tell: shared uids, names that are numbers, expiry.
//
// Accounts of other name services (LDAP, SSSD, systemd-userdb) are not enumerated: that may be slow, huge, or forbidden
// by the service. For them a shared uid is not noticed here; that the uid of a process is the one looked up is
// proved after each drop whatever the database says.
import { readFileSync, statSync } from 'node:fs';
import { UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';

export interface AccountFilePaths {
  readonly passwd: string;
  readonly group: string;
  readonly shadow: string;
}

export const SYSTEM_ACCOUNT_FILES: AccountFilePaths = {
  passwd: '/etc/passwd',
  group: '/etc/group',
  shadow: '/etc/shadow',
};

const ALL_DIGITS = /^[+-]?[0-9]+$/;

/** Another version for another file, and after every change. */
function lookAt(path: string): { readonly version: string; readonly size: bigint } {
  const { dev, ino, mtimeNs, ctimeNs, size } = statSync(path, { bigint: true });
  return { version: [dev, ino, mtimeNs, ctimeNs, size].join(' '), size };
}

/** A file and what was made of it, read again when the file is another one. */
class Derived<T> {
  readonly #path: string;
  readonly #derive: (bytes: Buffer) => T;
  #version = '';
  #value: T | undefined;

  constructor(path: string, derive: (bytes: Buffer) => T) {
    this.#path = path;
    this.#derive = derive;
  }

  get(): T {
    const { version, size } = lookAt(this.#path);
    if (this.#value === undefined || version !== this.#version) {
      if (size > LIMITS.accountFileMaxBytes) {
        throw new UsherdError('E_STARTUP_ACCOUNTS', `${this.#path} has ${size} bytes`);
      }
      this.#value = this.#derive(readFileSync(this.#path));
      this.#version = version;
    }
    return this.#value;
  }
}

function* entries(bytes: Buffer): Generator<readonly string[]> {
  for (const line of bytes.toString('latin1').split('\n')) {
    if (line !== '') yield line.split(':');
  }
}

/** Of accounts or of groups: the number is the third field of both. */
function namesById(bytes: Buffer): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>();
  for (const [name = '', , id = ''] of entries(bytes)) {
    const known = names.get(id);
    if (known === undefined) names.set(id, new Set([name]));
    else known.add(name);
  }
  return names;
}

const userNames = (bytes: Buffer): ReadonlySet<string> =>
  new Set([...entries(bytes)].map(([name = '']) => name));

function numericNames(bytes: Buffer): readonly string[] {
  return [...entries(bytes)].flatMap(([name = '']) => (ALL_DIGITS.test(name) ? [name] : []));
}

/** Name to expiry day (shadow(5), field 8). The password hashes do not stay in memory. */
function expiryDays(bytes: Buffer): ReadonlyMap<string, number> {
  const days = new Map<string, number>();
  for (const fields of entries(bytes)) {
    const day = fields[7] ?? '';
    if (/^[0-9]{1,6}$/.test(day)) days.set(fields[0] ?? '', Number(day));
  }
  bytes.fill(0);
  return days;
}

const otherThan = (name: string, names: ReadonlySet<string> = new Set()): string | undefined =>
  [...names].find((other) => other !== name);

export class AccountFiles {
  readonly #paths: readonly string[];
  readonly #users: Derived<ReadonlySet<string>>;
  readonly #names: Derived<ReadonlyMap<string, ReadonlySet<string>>>;
  readonly #groupNames: Derived<ReadonlyMap<string, ReadonlySet<string>>>;
  readonly #numericUsers: Derived<readonly string[]>;
  readonly #numericGroups: Derived<readonly string[]>;
  readonly #expiry: Derived<ReadonlyMap<string, number>>;

  constructor(paths: AccountFilePaths = SYSTEM_ACCOUNT_FILES) {
    this.#paths = [paths.passwd, paths.group, paths.shadow];
    this.#users = new Derived(paths.passwd, userNames);
    this.#names = new Derived(paths.passwd, namesById);
    this.#groupNames = new Derived(paths.group, namesById);
    this.#numericUsers = new Derived(paths.passwd, numericNames);
    this.#numericGroups = new Derived(paths.group, numericNames);
    this.#expiry = new Derived(paths.shadow, expiryDays);
  }

  /** Another text after each change of one of the files, whatever it changes. */
  version(): string {
    return this.#paths.map(versionOf).join(' / ');
  }

  /** Says nothing about accounts of other name services, and nothing about an account's rights. */
  has(name: string): boolean {
    return this.#users.get().has(name);
  }

  /** Another account of /etc/passwd with this uid. */
  sharesUidWith(name: string, uid: number): string | undefined {
    return otherThan(name, this.#names.get().get(String(uid)));
  }

  /** Another group of /etc/group with this number. */
  sharesGidWith(name: string, gid: number): string | undefined {
    return otherThan(name, this.#groupNames.get().get(String(gid)));
  }

  /** User and group names that setpriv(1) would look up before it takes them for numbers. */
  numericNames(): readonly string[] {
    return [...this.#numericUsers.get(), ...this.#numericGroups.get()];
  }

  /** Undefined if it never expires, or if /etc/shadow cannot be read (mode 0000 and no DAC capability). */
  expiryDay(name: string): number | undefined {
    try {
      return this.#expiry.get().get(name);
    } catch (err) {
      if (isUnreadable(err)) return undefined;
      throw err;
    }
  }
}

/** '' for one that cannot be looked at. */
function versionOf(path: string): string {
  try {
    return lookAt(path).version;
  } catch {
    return '';
  }
}

function isUnreadable(err: unknown): boolean {
  const code = err instanceof Error && 'code' in err ? err.code : undefined;
  return code === 'EACCES' || code === 'ENOENT' || code === 'EPERM';
}
