// Root's links of virtual hosts: told once, told again when they change, and kept while nobody can look.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VhostWatch } from '../../../src/spawner/vhost-watch.js';

const silent = (): void => undefined;

/** A directory of links as a value, and everything that was told. */
class Scene {
  version = 1;
  links = new Map<string, string>();
  isBroken = false;
  reads = 0;
  readonly told: string[] = [];
  readonly warned: string[] = [];
  readonly watch = new VhostWatch({
    reader: {
      version: () => Promise.resolve(String(this.version)),
      read: () => {
        this.reads += 1;
        if (this.isBroken) return Promise.reject(new Error('EIO'));
        return Promise.resolve({ links: new Map(this.links), findings: [] });
      },
    },
    directory: () => '/srv/vhosts',
    log: {
      ...{ fatal: silent, error: silent, info: silent, debug: silent },
      warn: (_fields, message) => void this.warned.push(message),
    },
    tell: (host, directory) => void this.told.push(`${host}=${directory}`),
  });

  async change(links: Readonly<Record<string, string>>): Promise<readonly string[]> {
    this.links = new Map(Object.entries(links));
    this.version += 1;
    this.told.length = 0;
    await this.watch.look();
    return this.told;
  }
}

describe('the watch over virtual hosts', () => {
  test('tells what is new, what leads elsewhere and what is gone, and nothing else', async () => {
    const scene = new Scene();
    assert.deepEqual(await scene.change({ a: '/1', b: '/2' }), ['a=/1', 'b=/2']);
    assert.deepEqual(await scene.change({ a: '/1', b: '/3', c: '/4' }), ['b=/3', 'c=/4']);
    assert.deepEqual(await scene.change({ c: '/4' }), ['a=', 'b=']);
  });

  test('does not read what has not changed', async () => {
    const scene = new Scene();
    await scene.change({ a: '/1' });
    await scene.watch.look();
    await scene.watch.look();
    assert.equal(scene.reads, 1);
  });

  test('tells a new router everything', async () => {
    const scene = new Scene();
    await scene.change({ a: '/1', b: '/2' });
    scene.told.length = 0;
    scene.watch.tellAll();
    assert.deepEqual(scene.told, ['a=/1', 'b=/2']);
  });

  test('keeps what it knows while the directory cannot be read, says so once, and tries again', async () => {
    const scene = new Scene();
    await scene.change({ a: '/1' });
    scene.isBroken = true;
    assert.deepEqual(await scene.change({}), []);
    await scene.watch.look();
    assert.deepEqual(scene.warned, ['virtual hosts not read']);
    scene.isBroken = false;
    await scene.watch.look();
    assert.deepEqual(scene.told, ['a=']);
  });
});
