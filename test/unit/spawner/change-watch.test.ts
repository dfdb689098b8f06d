// Looks at the files of applications that hang with their file system: what they cost their user, and what they cost the others.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { LIMITS } from '../../../src/limits.js';
import { ChangeWatch } from '../../../src/spawner/change-watch.js';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

/** What /hung/… looks like is told by the test, if at all; what anything else looks like is known at once. */
class Stage {
  readonly changes: string[] = [];
  readonly hung: string[] = [];
  /** Begun and not ended, by their directory. */
  readonly open = new Map<string, (seen: string) => void>();
  readonly files = new Map<string, string>();
  readonly watch: ChangeWatch;
  nowMs = 0;

  constructor(threads: number) {
    this.watch = new ChangeWatch({
      now: () => this.nowMs,
      onChanged: (app) => this.changes.push(app),
      onHung: (app) => this.hung.push(app),
      threads,
      look: ({ directory }) =>
        directory.startsWith('/hung')
          ? new Promise((resolve) => this.open.set(directory, resolve))
          : Promise.resolve(this.files.get(directory) ?? ''),
    });
  }

  begin(app: string, place: 'hung' | 'well'): void {
    this.watch.watch(app, { directory: `/${place}/${app}`, entryNames: [] });
  }

  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    mock.timers.tick(ms);
    await turn();
  }

  async back(app: string, seen: string): Promise<void> {
    this.open.get(`/hung/${app}`)?.(seen);
    this.open.delete(`/hung/${app}`);
    await turn();
  }

  /** Whether a change of this application that happens now is seen by the next check. */
  async sees(app: string): Promise<boolean> {
    this.changes.length = 0;
    this.files.set(`/well/${app}`, `changed at ${this.nowMs}`);
    await this.pass(LIMITS.changeCheckIntervalMs);
    this.watch.check(app);
    await turn();
    return this.changes.includes(app);
  }
}

test('of a user whose files hang one look hangs, however many applications he has, and nobody else waits', async () => {
  const stage = new Stage(4);
  stage.begin('bob/app', 'well');
  await turn();
  for (let n = 0; n < 20; n += 1) stage.begin(`mallory/app${n}`, 'hung');
  await turn();
  assert.deepEqual([...stage.open.keys()], ['/hung/mallory/app0']);
  assert.equal(await stage.sees('bob/app'), true);
  for (let round = 0; round < 100; round += 1) {
    await stage.pass(LIMITS.changeCheckIntervalMs);
    for (let n = 0; n < 20; n += 1) stage.watch.check(`mallory/app${n}`);
  }
  assert.equal(stage.open.size, 1);
  assert.deepEqual(stage.hung, ['mallory/app0']);
  assert.equal(await stage.sees('bob/app'), true);
  assert.equal(stage.watch.lookingCount, 0);
});

test('one thread is left, whoever hangs, and each look that is back gives one free', async () => {
  const stage = new Stage(4);
  stage.begin('bob/app', 'well');
  await turn();
  for (const user of ['u0', 'u1', 'u2', 'u3']) stage.begin(`${user}/app`, 'hung');
  await stage.pass(LIMITS.changeLookDeadlineMs);
  assert.deepEqual([...stage.open.keys()], ['/hung/u0/app', '/hung/u1/app', '/hung/u2/app']);
  assert.equal(await stage.sees('bob/app'), false);
  await stage.back('u1/app', '');
  assert.deepEqual([...stage.open.keys()], ['/hung/u0/app', '/hung/u2/app', '/hung/u3/app']);
  await stage.pass(LIMITS.changeLookDeadlineMs);
  await stage.back('u0/app', '');
  assert.deepEqual(stage.changes, ['bob/app'], 'its turn had come after u3');
  assert.equal(await stage.sees('bob/app'), true);
});

test('with the threads of the supervisor thirty users may hang', async () => {
  const stage = new Stage(LIMITS.supervisorThreadsCount);
  stage.begin('bob/app', 'well');
  await turn();
  for (let n = 0; n < LIMITS.supervisorThreadsCount - 2; n += 1) stage.begin(`u${n}/app`, 'hung');
  await turn();
  assert.equal(stage.open.size, 30);
  assert.equal(await stage.sees('bob/app'), true);
});

test('a look that comes back late counts, and the next one is a while later', async () => {
  const stage = new Stage(4);
  stage.begin('mallory/app', 'hung');
  await stage.back('mallory/app', 'before');
  await stage.pass(LIMITS.changeCheckIntervalMs);
  stage.watch.check('mallory/app');
  await stage.pass(LIMITS.changeLookDeadlineMs);
  assert.deepEqual(stage.hung, ['mallory/app']);
  await stage.back('mallory/app', 'after');
  assert.deepEqual(stage.changes, ['mallory/app']);
  await stage.pass(LIMITS.changeHungPauseMs - 1);
  stage.watch.check('mallory/app');
  assert.equal(stage.open.size, 0);
  await stage.pass(1);
  stage.watch.check('mallory/app');
  assert.equal(stage.open.size, 1);
});

test('a look in time is no hang', async () => {
  const stage = new Stage(4);
  stage.begin('alice/app', 'hung');
  await stage.pass(LIMITS.changeLookDeadlineMs - 1);
  await stage.back('alice/app', '');
  await stage.pass(LIMITS.changeCheckIntervalMs);
  assert.deepEqual(stage.hung, []);
  stage.watch.check('alice/app');
  assert.equal(stage.open.size, 1);
});
