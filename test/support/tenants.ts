// A throw-away tree with two tenants whose uids are in no account database, and what their applications may be made of.
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildPlan, type Account, type DropPlan } from '../../src/privdrop/index.js';

export const A_UID = 52_001;
export const B_UID = 52_002;

export const accountOf = (uid: number, groups: readonly number[] = []): Account => ({
  name: `u${uid}`,
  uid,
  gid: uid,
  home: '/nonexistent',
  groups,
  hasOwnGroup: false,
  source: 'config',
});

export const planFor = (uid: number, change: Partial<DropPlan> = {}): DropPlan => ({
  ...buildPlan(accountOf(uid), { mode: 'root', noNewPrivileges: true, processes: 256 }),
  ...change,
});

export class TenantTree {
  readonly root: string;

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), 'usherd-srv-'));
    chmodSync(this.root, 0o755);
    for (const uid of [A_UID, B_UID]) {
      this.#directory(this.home(uid), uid, 0o700);
      this.#directory(join(this.home(uid), 'apps'), uid, 0o755);
    }
  }

  home(uid: number): string {
    return join(this.root, uid === A_UID ? 'a' : 'b');
  }

  path(uid: number, ...names: readonly string[]): string {
    return join(this.home(uid), 'apps', ...names);
  }

  /** An application directory with files in it, all of one owner. */
  app(uid: number, name: string, files: Readonly<Record<string, string>> = {}): string {
    const directory = this.path(uid, name);
    this.#directory(directory, uid, 0o755);
    for (const [file, text] of Object.entries(files)) this.file(uid, join(directory, file), text);
    return directory;
  }

  /** Text that begins with `#!` is made executable. */
  file(uid: number, path: string, text: string | Buffer, mode?: number): string {
    if (!existsSync(dirname(path))) this.#directory(dirname(path), uid, 0o755);
    writeFileSync(path, text);
    chownSync(path, uid, uid);
    chmodSync(path, mode ?? (text.toString().startsWith('#!') ? 0o755 : 0o644));
    return path;
  }

  link(uid: number, target: string, path: string): string {
    symlinkSync(target, path);
    lchownSync(path, uid, uid);
    return path;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #directory(path: string, uid: number, mode: number): void {
    mkdirSync(path, { recursive: true });
    chownSync(path, uid, uid);
    chmodSync(path, mode);
  }
}
