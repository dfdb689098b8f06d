// A router with applications of every kind behind a real Apache that serves the status page as conf.example says.
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TokenFiles } from '../../src/cli/token-files.js';
import { fitApache } from '../../src/cli/web-server-config.js';
import { prepareDirectories } from '../../src/cli/prepare-directories.js';
import type { Config } from '../../src/config/index.js';
import { Apache, type ApacheOptions } from './apache.js';
import { testConfig } from './config.js';
import type { FakeApp } from './fake-supervisor.js';
import { appParams, RouterRig, type RigOptions } from './router-rig.js';

const SNIPPET = join(import.meta.dirname, '../../../conf.example/apache/usherd-status.conf');
const HELLO = 'Content-Type: text/plain\r\n\r\nhello';

const APPS: Readonly<Record<string, FakeApp>> = {
  'alice/blog': { worker: { onRequest: (request) => request.reply(HELLO) } },
  'alice/shop': {
    worker: { onRequest: (request) => request.reply(`Status: 500\r\n${HELLO}`) },
    facts: { limits: { maxWorkersPerApp: 2 } },
  },
  'bob/wiki': { worker: { onRequest: ({ socket }) => socket.destroy() } },
  'carol/list': {
    refuse: { code: 'E_ACCESS_REFUSED', rule: 'app-owner', detail: '<img src=x onerror=alert(1)>' },
  },
  'dave/slow': { worker: { onRequest: () => undefined } },
};

export class StatusStage {
  readonly rig: RouterRig;
  readonly apache: Apache;
  readonly config: Config;

  private constructor(rig: RouterRig, apache: Apache, config: Config) {
    this.rig = rig;
    this.apache = apache;
    this.config = config;
  }

  static async start(
    options: Partial<RigOptions> = {},
    apacheOptions: Partial<ApacheOptions> = {},
  ): Promise<StatusStage> {
    const rig = await RouterRig.start({ apps: APPS, ...options });
    const { directory, frontPath } = rig;
    for (const path of [directory, `${directory}/run`, `${directory}/run/front`])
      chmodSync(path, 0o711);
    chmodSync(frontPath, 0o666);
    const config = testConfig({
      paths: { run: `${directory}/run`, log: `${directory}/log`, state: `${directory}/state` },
      front: {
        sockets: [{ path: frontPath, group: '' }],
        ...{ authorizers: [], authentication: 'none', connectionsMax: 100, copyStderr: false },
      },
    });
    await newToken(config);
    const { text } = fitApache(config, readFileSync(SNIPPET, 'utf8'));
    const apache = await Apache.start({
      directory: `${directory}/apache`,
      socketPath: frontPath,
      root: `${directory}/srv`,
      modules: ['authz_host', 'rewrite'],
      ...apacheOptions,
      more: `${text}\n${apacheOptions.more ?? ''}`,
    });
    return new StatusStage(rig, apache, config);
  }

  get url(): string {
    return `http://127.0.0.1:${this.apache.port}/usherd-status`;
  }

  /** `usherd token rotate @status --keep 0`, without telling the web server. */
  rotateToken(): Promise<void> {
    return newToken(this.config);
  }

  /** Each application as much as it is asked for; those whose trouble is a request are asked once. */
  async visit(times: number): Promise<void> {
    const front = await this.rig.front();
    for (let time = 0; time < times; time += 1) {
      await front.fetch(appParams('alice/blog'));
      if (time % 5 === 0) await front.fetch(appParams('alice/shop'));
    }
  }

  async trouble(): Promise<void> {
    const front = await this.rig.front();
    await front.fetch(appParams('bob/wiki', '/', { REQUEST_METHOD: 'POST' }));
    await front.fetch(appParams('carol/list'));
    const slow = await this.rig.front();
    for (let id = 1; id <= 6; id += 1) slow.send(id, appParams('dave/slow', `/${id}`));
  }

  async stop(): Promise<void> {
    await this.apache.stop();
    await this.rig.stop();
  }
}

async function newToken(config: Config): Promise<void> {
  const ids = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const files = new TokenFiles(config, { ...ids, routerGid: ids.gid });
  await prepareDirectories(files.directories());
  await files.write('@status', []);
}
