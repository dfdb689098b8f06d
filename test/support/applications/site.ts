// One application on a virtual host of its own: usherd as root, Apache with the shipped configuration, a link made by `usherd vhost`.
import { chownSync, lchownSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Apache, SHIPPED_VHOSTS } from '../apache.js';
import { UsherdRun } from '../usherd-run.js';
import { waitFor } from '../wait-for.js';
import { Browser } from './browser.js';

export const OWNER = { name: 'alice', uid: 52_151 };
const ROUTER_UID = 52_159;

export class Site {
  readonly usherd: UsherdRun;
  readonly browser: Browser;
  readonly directory: string;
  readonly #apache: Apache;

  private constructor(usherd: UsherdRun, apache: Apache, host: string, directory: string) {
    this.usherd = usherd;
    this.#apache = apache;
    this.browser = new Browser(apache.port, host);
    this.directory = directory;
  }

  /** @param lay puts the application into its directory, and whatever else into its user's */
  static async start(
    app: string,
    lay: (directory: string, userDirectory: string) => void,
  ): Promise<Site> {
    const usherd = await UsherdRun.start([OWNER], { routerUid: ROUTER_UID });
    const userDirectory = join(usherd.root, OWNER.name);
    const directory = join(userDirectory, 'apps', app);
    lay(directory, userDirectory);
    give(userDirectory);
    const apache = await Apache.start({
      directory: join(usherd.directory, 'apache'),
      socketPath: usherd.frontSocket,
      root: usherd.root,
      more: readFileSync(SHIPPED_VHOSTS, 'utf8').replace('*:80>', '*:${PORT}>'),
    });
    const host = `${app}.test`;
    const { code, out } = await usherd.command('vhost', 'add', host, `${OWNER.name}/${app}`);
    if (code !== 0) throw new Error(out);
    const site = new Site(usherd, apache, host, directory);
    await waitFor('the host', async () => {
      return (await site.browser.get('/')).header('x-usherd-reason') !== 'no-app';
    });
    return site;
  }

  async stop(): Promise<void> {
    await this.#apache.stop();
    await this.usherd.stop();
  }

  ownerOf(file: string): number {
    return statSync(join(this.directory, file)).uid;
  }
}

function give(directory: string): void {
  chownSync(directory, OWNER.uid, OWNER.uid);
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    lchownSync(join(entry.parentPath, entry.name), OWNER.uid, OWNER.uid);
  }
}
