// The files of a user's front token: the token itself for web servers, which read it as root, and its digest for the router.
//
//   <state>/tokens/digests/USER       root:router 0640   see src/router/front-tokens.ts
//   <state>/tokens/apache/USER.conf   root:root 0600     read by conf.example/apache/usherd.conf
//   <state>/tokens/nginx/USER.conf    root:root 0600     for `include` in the virtual host
import { createHash, randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { applicationAt, readVhosts, userDirectory, type Config } from '../config/index.js';
import type { PlannedDirectory } from './directory-plan.js';

const SECRET_BYTES = 32;

/** In the place of a user: who may ask for the status page. No account can have this name. */
export const STATUS_PAGE = '@status';

const paramOf = (user: string): string => (user === STATUS_PAGE ? 'USHERD_STATUS' : 'USHERD_TOKEN');

/** Who owns what; as an ordinary user everything is ours. */
export interface TokenOwners {
  readonly uid: number;
  readonly gid: number;
  readonly routerGid: number;
}

/** One line of a digest file. */
export interface TokenDigest {
  readonly sha256: string;
  /** 0: no end; else milliseconds since 1970. */
  readonly untilMs: number;
}

export class TokenFiles {
  readonly #config: Config;
  readonly #owners: TokenOwners;
  readonly #root: string;

  constructor(config: Config, owners: TokenOwners) {
    this.#config = config;
    this.#owners = owners;
    this.#root = join(config.paths.state, 'tokens');
  }

  directories(): readonly PlannedDirectory[] {
    const { uid, gid, routerGid } = this.#owners;
    const { state } = this.#config.paths;
    return [
      { path: state, uid, gid, mode: 0o711 },
      { path: this.#root, uid, gid, mode: 0o711 },
      { path: join(this.#root, 'digests'), uid, gid: routerGid, mode: 0o710 },
      { path: join(this.#root, 'apache'), uid, gid, mode: 0o700 },
      { path: join(this.#root, 'nginx'), uid, gid, mode: 0o700 },
    ];
  }

  apache(user: string): string {
    // Not among those that usherd.conf reads for the whole server: it belongs into one <Location>.
    const name = user === STATUS_PAGE ? `${user}.inc` : `${user}.conf`;
    return join(this.#root, 'apache', name);
  }

  nginx(user: string): string {
    return join(this.#root, 'nginx', `${user}.conf`);
  }

  /** None where no token was ever made. */
  async users(): Promise<readonly string[]> {
    try {
      const names = await readdir(join(this.#root, 'digests'));
      return names.filter((name) => !name.includes('.')).sort();
    } catch (err) {
      if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return [];
      throw err;
    }
  }

  /** [] where the user has none. */
  async digests(user: string): Promise<readonly TokenDigest[]> {
    const text = await this.#read(this.#digestFile(user));
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const [sha256 = '', until = ''] = line.split(' ');
      return { sha256, untilMs: Number(until) };
    });
  }

  /** A new token, valid before any web server sends it; `kept` are the digests that go on being accepted. */
  async write(user: string, kept: readonly TokenDigest[]): Promise<void> {
    const token = `${user}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const sha256 = createHash('sha256').update(token, 'latin1').digest('hex');
    const lines = [{ sha256, untilMs: 0 }, ...kept].map((it) => `${it.sha256} ${it.untilMs}\n`);
    const { gid, routerGid } = this.#owners;
    await this.#replace(this.#digestFile(user), lines.join(''), { gid: routerGid, mode: 0o640 });
    const secret = { gid, mode: 0o600 };
    await this.#replace(this.nginx(user), `fastcgi_param ${paramOf(user)} "${token}";\n`, secret);
    await this.#replace(this.apache(user), await this.#apacheText(user, token), secret);
  }

  /** Tells Apache again where the token holds: the user's virtual hosts have changed. False where he has none. */
  async retell(user: string): Promise<boolean> {
    const token = /"([^"]+)"/.exec(await this.#read(this.nginx(user)))?.[1];
    if (token === undefined) return false;
    const secret = { gid: this.#owners.gid, mode: 0o600 };
    await this.#replace(this.apache(user), await this.#apacheText(user, token), secret);
    return true;
  }

  async remove(user: string): Promise<void> {
    for (const path of [this.#digestFile(user), this.apache(user), this.nginx(user)]) {
      await rm(path, { force: true });
    }
  }

  #digestFile(user: string): string {
    return join(this.#root, 'digests', user);
  }

  /** '' where there is no such file. */
  #read(path: string): Promise<string> {
    return readFile(path, 'latin1').catch((err: unknown) => {
      if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return '';
      throw err;
    });
  }

  /** Bound to the user's directories, not to a virtual host: whoever else has files in that host does not get it. */
  async #apacheText(user: string, token: string): Promise<string> {
    if (user === STATUS_PAGE) return `ProxyFCGISetEnvIf "true" ${paramOf(user)} "${token}"\n`;
    const { roots } = this.#config.apps;
    const own = roots.map((pattern) => userDirectory(pattern, user).replaceAll('{app}', '*'));
    const sections = [...own, ...(await this.#hostLinks(user))].map(
      (directory) =>
        `<Directory "${directory}">\n    ProxyFCGISetEnvIf "true" USHERD_TOKEN "${token}"\n</Directory>\n`,
    );
    return sections.join('');
  }

  /** Root's links to the user's applications: Apache knows what lies behind them by the link's name only. */
  async #hostLinks(user: string): Promise<readonly string[]> {
    const { vhosts, roots } = this.#config.apps;
    if (vhosts === '') return [];
    const { links } = await readVhosts(vhosts, this.#owners.uid === 0);
    return [...links]
      .filter(([, target]) => applicationAt(roots, target)?.startsWith(`${user}/`) === true)
      .map(([host]) => join(vhosts, host));
  }

  /** Whole or not at all, also when the machine stops in between. Nobody else can write to the directory. */
  async #replace(
    path: string,
    text: string,
    { gid, mode }: { readonly gid: number; readonly mode: number },
  ): Promise<void> {
    const staged = `${path}.new`;
    await rm(staged, { force: true });
    const file = await open(staged, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.chown(this.#owners.uid, gid);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(staged, path);
  }
}
