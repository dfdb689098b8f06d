// What an attack on the router needs besides the rig: a neighbour who has to go on being served, and what may not grow.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Config } from '../../src/config/index.js';
import type { FakeApp } from './fake-supervisor.js';
import type { FrontClient } from './front-client.js';
import { appParams, RouterRig } from './router-rig.js';
import { waitFor } from './wait-for.js';

/** Sockets close one turn after their peer; a few of the test's own come and go. */
const DESCRIPTORS_SLACK_COUNT = 4;
/** Its listening socket, and both ends of a connection that is kept: the workers live in this process, too. */
const DESCRIPTORS_PER_WORKER_COUNT = 3;

const NEIGHBOUR = 'bob/canary';

const canary: FakeApp = {
  worker: { onRequest: (request) => request.reply('Content-Type: text/plain\r\n\r\nalive') },
};

const descriptorCount = (): number => readdirSync('/proc/self/fd').length;

export class RouterAttack {
  readonly rig: RouterRig;
  readonly #neighbour: FrontClient;
  readonly #descriptors: number;

  private constructor(rig: RouterRig, neighbour: FrontClient) {
    this.rig = rig;
    this.#neighbour = neighbour;
    this.#descriptors = descriptorCount();
  }

  static async start(
    apps: Readonly<Record<string, FakeApp>>,
    config: Partial<Config> = {},
  ): Promise<RouterAttack> {
    const rig = await RouterRig.start({ apps: { ...apps, [NEIGHBOUR]: canary }, config });
    const attack = new RouterAttack(rig, await rig.front());
    await attack.neighbourIsServed();
    return attack;
  }

  front(): Promise<FrontClient> {
    return this.rig.front();
  }

  async neighbourIsServed(): Promise<void> {
    const { status, body } = await this.#neighbour.fetch(appParams(NEIGHBOUR));
    assert.deepEqual([status, body.toString()], [200, 'alive']);
  }

  /** The neighbour is served, and nothing that the attack opened is still open. */
  async isOver(...clients: readonly FrontClient[]): Promise<void> {
    for (const client of clients) client.close();
    await this.neighbourIsServed();
    await waitFor('descriptors to be given back', () => {
      const workers = this.rig.supervisor.running.size * DESCRIPTORS_PER_WORKER_COUNT;
      return descriptorCount() <= this.#descriptors + workers + DESCRIPTORS_SLACK_COUNT;
    });
  }

  stop(): Promise<void> {
    return this.rig.stop();
  }
}
