// Every installed web server in front of one real router, over a tree of applications that live in the test.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BUILTIN_RUNTIMES } from '../../../src/runtimes/index.js';
import type { FakeApp } from '../fake-supervisor.js';
import type { FakeWorkerOptions } from '../fake-worker.js';
import { RouterRig } from '../router-rig.js';
import { createApache } from './apache.js';
import { createCaddy } from './caddy.js';
import { FRONT_NAMES, type Front, type FrontName, type FrontOptions, type Sites } from './front.js';
import { createHaproxy } from './haproxy.js';
import { createLighttpd } from './lighttpd.js';
import { createNginx } from './nginx.js';
import { freePorts } from './server-process.js';
import { HOSTS, makeSiteTree, MOUNTS } from './site-tree.js';

const PROGRAMS: Readonly<Record<FrontName, string>> = {
  apache: '/usr/sbin/apache2',
  nginx: '/usr/sbin/nginx',
  lighttpd: '/usr/sbin/lighttpd',
  caddy: '/usr/bin/caddy',
  haproxy: '/usr/sbin/haproxy',
};

const CREATORS: Readonly<Record<FrontName, (options: FrontOptions) => Front>> = {
  apache: createApache,
  nginx: createNginx,
  lighttpd: createLighttpd,
  caddy: createCaddy,
  haproxy: createHaproxy,
};

/** For `skip`: false where the program is there. */
export const absence = (name: FrontName): string | false =>
  fs.existsSync(PROGRAMS[name]) ? false : `${PROGRAMS[name]} is not installed`;

export interface FrontRigOptions {
  /** What stands behind every application. */
  readonly worker: FakeWorkerOptions;
  readonly limits?: NonNullable<NonNullable<FakeApp['facts']>['limits']>;
  /** More applications, or other workers behind those of the tree. */
  readonly apps?: Readonly<Record<string, FakeApp>>;
  readonly withoutRouter?: boolean;
  readonly copyStderr?: boolean;
}

export class FrontRig {
  readonly directory: string;
  readonly frontSocket: string;
  readonly fronts = new Map<FrontName, Front>();
  readonly #options: FrontRigOptions;
  #router: RouterRig | undefined;

  private constructor(options: FrontRigOptions) {
    this.#options = options;
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'usherd-fronts-'));
    fs.chmodSync(this.directory, 0o755);
    this.frontSocket = path.join(this.directory, 'front.sock');
  }

  static async start(options: FrontRigOptions): Promise<FrontRig> {
    const rig = new FrontRig(options);
    try {
      makeSiteTree(rig.srv);
      if (options.withoutRouter !== true) await rig.startRouter();
      await rig.#startFronts();
    } catch (err) {
      await rig.stop();
      throw err;
    }
    return rig;
  }

  get srv(): string {
    return path.join(this.directory, 'srv');
  }

  get router(): RouterRig {
    if (this.#router === undefined) throw new Error('the router does not run');
    return this.#router;
  }

  front(name: FrontName): Front {
    const front = this.fronts.get(name);
    if (front === undefined) throw new Error(`${name} does not run`);
    return front;
  }

  async startRouter(): Promise<void> {
    this.#router = await RouterRig.start({
      apps: { ...applications(this.#options), ...this.#options.apps },
      config: {
        apps: { roots: [`${this.srv}/{user}/apps/{app}`], vhosts: '', prestart: [] },
        front: {
          sockets: [{ path: this.frontSocket, group: '' }],
          authorizers: [],
          authentication: 'none',
          connectionsMax: 1_000,
          copyStderr: this.#options.copyStderr ?? false,
        },
        runtimes: new Map(BUILTIN_RUNTIMES.map((runtime) => [runtime.name, runtime])),
      },
    });
    fs.chmodSync(this.frontSocket, 0o666); // the web servers have an account of their own
  }

  async stopRouter(): Promise<void> {
    await this.#router?.stop();
    this.#router = undefined;
  }

  /** Web servers first: an open connection of theirs would keep the router waiting. */
  async stop(): Promise<void> {
    await Promise.all([...this.fronts.values()].map((front) => front.stop()));
    await this.stopRouter();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  async #startFronts(): Promise<void> {
    const names = FRONT_NAMES.filter((name) => absence(name) === false);
    const ports = await freePorts(names.length);
    for (const [index, name] of names.entries()) {
      const directory = path.join(this.directory, name);
      fs.mkdirSync(directory);
      fs.chmodSync(directory, 0o755);
      const front = CREATORS[name]({ ...this.#sites(), directory, port: ports[index] ?? 0 });
      this.fronts.set(name, front);
    }
    await Promise.all([...this.fronts.values()].map((front) => front.start()));
  }

  #sites(): Sites {
    const below = <T extends { readonly root: string }>(site: T): T => ({
      ...site,
      root: path.join(this.srv, site.root),
    });
    return {
      srv: this.srv,
      frontSocket: this.frontSocket,
      hosts: HOSTS.map(below),
      mounts: MOUNTS.map(below),
    };
  }
}

/** The four applications of the tree: scripts and an entry program, without and with public/. */
function applications(options: FrontRigOptions): Readonly<Record<string, FakeApp>> {
  const limits = options.limits ?? {};
  const { worker } = options;
  const script = { webRoot: '', frontController: 'index.php', limits } as const;
  return {
    'alice/shop': { worker, runtime: 'php', facts: script },
    'bob/shop': { worker, runtime: 'php', facts: { ...script, webRoot: 'public' } },
    'alice/tool': { worker, runtime: 'fastcgi', facts: { limits } },
    'bob/tool': { worker, runtime: 'fastcgi', facts: { webRoot: 'public', limits } },
  };
}
