// A whole usherd, with a tenant who attacks and one who has to go on being served; says what may not have changed.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { FrontClient, type CgiAnswer } from './front-client.js';
import { perlWorker } from './perl-worker.js';
import { UsherdRun } from './usherd-run.js';
import { waitFor } from './wait-for.js';

const CANARY = 'bob/canary';
const DESCRIPTORS_SLACK_COUNT = 8;

/** What is asked of an application. */
interface Path {
  readonly rest?: string;
  readonly extra?: Readonly<Record<string, string>>;
}

export class HostileHost {
  readonly usherd: UsherdRun;
  readonly #before: { readonly pids: readonly number[]; readonly descriptors: readonly number[] };

  private constructor(usherd: UsherdRun) {
    this.usherd = usherd;
    this.#before = { pids: this.#pids(), descriptors: this.#descriptors() };
  }

  /** @param firstUid of four that nobody else has: alice, bob, mallory, the router */
  static async start(firstUid: number, more = ''): Promise<HostileHost> {
    const users = ['alice', 'bob', 'mallory'].map((name, index) => ({
      name,
      uid: firstUid + index,
    }));
    const usherd = await UsherdRun.start(users, { routerUid: firstUid + 3, more });
    usherd.write(CANARY, 'app.fcgi', perlWorker(`return "alive $<"`), 0o755);
    const host = new HostileHost(usherd);
    await host.neighbourIsServed();
    return new HostileHost(usherd);
  }

  uidOf(user: string): number {
    return this.usherd.users.find(({ name }) => name === user)?.uid ?? 0;
  }

  /** What the application answers at this path of its own. */
  fetch(app: string, rest = '/', extra: Readonly<Record<string, string>> = {}): Promise<CgiAnswer> {
    return HostileHost.ask(this.usherd, app, this.usherd.frontSocket, { rest, extra });
  }

  /** The same of any usherd, at any of its front sockets. */
  static async ask(
    { root }: UsherdRun,
    app: string,
    socketPath: string,
    path: Path = {},
  ): Promise<CgiAnswer> {
    const client = await FrontClient.connect(socketPath);
    try {
      return await client.fetch(HostileHost.params(root, app, path));
    } finally {
      client.close();
    }
  }

  /** As a web server with the generic configuration sends them. */
  static params(
    root: string,
    app: string,
    { rest = '/', extra = {} }: Path = {},
  ): Map<string, string> {
    const [user = '', name = ''] = app.split('/');
    return new Map(
      Object.entries({
        REQUEST_METHOD: 'GET',
        SCRIPT_FILENAME: `${root}/${user}/apps/${name}${rest === '/' ? '' : rest}`,
        SCRIPT_NAME: `/~${user}/apps/${name}${rest}`,
        REQUEST_URI: `/~${user}/apps/${name}${rest}`,
        SERVER_PROTOCOL: 'HTTP/1.1',
        ...extra,
      }),
    );
  }

  async text(app: string, rest = '/'): Promise<string> {
    return (await this.fetch(app, rest)).body.toString('latin1');
  }

  async neighbourIsServed(): Promise<void> {
    assert.equal(await this.text(CANARY), `alive ${this.uidOf('bob')}`);
  }

  /** Both processes are the same ones, hold no more than before, and the neighbour is served. */
  async isUnharmed(): Promise<void> {
    await this.neighbourIsServed();
    assert.deepEqual(this.#pids(), this.#before.pids);
    await waitFor('descriptors to be given back', () =>
      this.#descriptors().every((count, index) => {
        const before = this.#before.descriptors[index] ?? 0;
        const logs = this.usherd.workerPids().length; // one connection each
        return count <= before + logs + DESCRIPTORS_SLACK_COUNT;
      }),
    );
    for (const pid of this.#pids()) {
      assert.match(readFileSync(`/proc/${pid}/status`, 'latin1'), /^State:\t[RSD]/m);
    }
  }

  #pids(): readonly number[] {
    return [this.usherd.pidOf('supervisor'), this.usherd.pidOf('router')];
  }

  #descriptors(): readonly number[] {
    return this.#pids().map((pid) => readdirSync(`/proc/${pid}/fd`).length);
  }
}
