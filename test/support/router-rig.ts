// A real router on real sockets in a temporary directory, with a supervisor and workers that live in the test.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createLogger } from '../../src/log.js';
import { Router } from '../../src/router/index.js';
import type { Config } from '../../src/config/index.js';
import { testConfig } from './config.js';
import { FakeSupervisor, type FakeApp } from './fake-supervisor.js';
import { FrontClient } from './front-client.js';
import { waitFor } from './wait-for.js';

export interface RigOptions {
  readonly apps?: Readonly<Record<string, FakeApp>>;
  readonly config?: Partial<Config>;
  readonly withoutSupervisor?: boolean;
  readonly prestart?: readonly string[];
  readonly sampleIntervalMs?: number;
  readonly authorizers?: Config['front']['authorizers'];
  readonly copyStderr?: boolean;
}

export class RouterRig {
  readonly directory: string;
  readonly frontPath: string;
  readonly metricsPath: string;
  readonly supervisor: FakeSupervisor;
  /** What the router reads at its next reload. */
  nextConfig: Config;
  /** The router wants to end, for the installed one to start. */
  isOutdated = false;
  #config: Config;
  readonly #clients: FrontClient[] = [];
  readonly #sampling: Pick<RigOptions, 'sampleIntervalMs'>;
  #router: Router;

  private constructor(directory: string, options: RigOptions) {
    this.directory = directory;
    this.frontPath = `${directory}/run/front/front.sock`;
    this.metricsPath = `${directory}/run/router/metrics.sock`;
    for (const name of ['run/front', 'run/worker', 'run/router', 'log', 'state/spool']) {
      fs.mkdirSync(path.join(directory, name), { recursive: true, mode: 0o700 });
    }
    this.#config = testConfig({
      paths: { run: `${directory}/run`, log: `${directory}/log`, state: `${directory}/state` },
      apps: { roots: ['/srv/{user}/apps/{app}'], vhosts: '', prestart: options.prestart ?? [] },
      front: {
        sockets: [{ path: this.frontPath, group: '' }],
        authorizers: options.authorizers ?? [],
        authentication: 'none',
        connectionsMax: 2_000,
        copyStderr: options.copyStderr ?? false,
      },
      metrics: { socket: this.metricsPath, listen: '', detail: 'app' },
      ...options.config,
    });
    const { sampleIntervalMs } = options;
    this.#sampling = sampleIntervalMs === undefined ? {} : { sampleIntervalMs };
    this.nextConfig = this.#config;
    this.supervisor = new FakeSupervisor(`${directory}/run`);
    for (const [id, app] of Object.entries(options.apps ?? {})) this.supervisor.apps.set(id, app);
    this.#router = this.#newRouter();
  }

  get config(): Config {
    return this.#config;
  }

  get router(): Router {
    return this.#router;
  }

  /** Stopped, and started again under the same names; its workers were those of the router before. */
  async restartRouter(): Promise<void> {
    await this.#router.stop();
    this.#router = this.#newRouter();
    await this.#router.start();
  }

  /** As after `usherd reload`. */
  async reconfigure(changes: Partial<Config>): Promise<void> {
    this.#config = { ...this.#config, ...changes };
    this.nextConfig = this.#config;
    await this.#router.reload();
  }

  /** What somebody starts beside it, by mistake. */
  secondRouter(): Router {
    return this.#newRouter();
  }

  #newRouter(): Router {
    return new Router({
      config: this.#config,
      log: createLogger('fatal', 'router'),
      loadConfig: () => Promise.resolve(this.nextConfig),
      version: '0.0.0-test',
      onOutdated: () => void (this.isOutdated = true),
      ...this.#sampling,
    });
  }

  static async start(options: RigOptions = {}): Promise<RouterRig> {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'usherd-rig-'));
    const rig = new RouterRig(directory, options);
    if (options.withoutSupervisor !== true) await rig.supervisor.listen();
    await rig.router.start();
    if (options.withoutSupervisor !== true) {
      await waitFor('hello of the router', () => rig.supervisor.received.length > 0);
    }
    return rig;
  }

  /** A web server's connection that the test itself closes. */
  connect(): Promise<FrontClient> {
    return FrontClient.connect(this.frontPath);
  }

  async front(): Promise<FrontClient> {
    const client = await FrontClient.connect(this.frontPath);
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.router.stop();
    this.supervisor.close();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Params as the generic Apache configuration sends them for /~USER/apps/APP/REST. */
export function appParams(
  app: string,
  rest = '/',
  extra: Readonly<Record<string, string>> = {},
): Map<string, string> {
  const [user = '', name = ''] = app.split('/');
  const [first = ''] = rest.split('/').slice(1, 2);
  const script = first === '' ? '' : `/${first}`;
  return new Map(
    Object.entries({
      REQUEST_METHOD: 'GET',
      QUERY_STRING: '',
      REQUEST_URI: `/~${user}/apps/${name}${rest}`,
      SCRIPT_FILENAME: `/srv/${user}/apps/${name}${script}`,
      SCRIPT_NAME: `/~${user}/apps/${name}${script}`,
      PATH_INFO: rest.slice(script.length),
      SERVER_PROTOCOL: 'HTTP/1.1',
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_NAME: 'example.test',
      DOCUMENT_ROOT: '/var/www/html',
      ...extra,
    }),
  );
}
