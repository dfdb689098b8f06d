// The ways in which an application can be there: started before anybody asks, run by somebody else, replaced in good order.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FakeWorker } from '../../support/fake-worker.js';
import { FrontClient, type CgiAnswer } from '../../support/front-client.js';
import { needsRoot } from '../../support/needs-root.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_111 };
const BOB = { name: 'bob', uid: 52_112 };
const PROGRAM = readFileSync(
  join(import.meta.dirname, '../../../../examples/bob/apps/hello-perl/app.fcgi'),
  'utf8',
);
const DEAD = '#!/bin/sh\necho "cannot find the database" >&2\nexit 3\n';

describe('ways of being there', { skip: needsRoot }, () => {
  let usherd: UsherdRun;
  const external: FakeWorker[] = [];

  const get = async (app: string): Promise<CgiAnswer> => {
    const front = await FrontClient.connect(usherd.frontSocket);
    const [user = '', name = ''] = app.split('/');
    const params = new Map([
      ['REQUEST_METHOD', 'GET'],
      ['QUERY_STRING', 'plain'],
      ['REQUEST_URI', `/~${user}/apps/${name}/?plain`],
      ['SCRIPT_FILENAME', `${usherd.root}/${user}/apps/${name}/`],
      ['SCRIPT_NAME', `/~${user}/apps/${name}/`],
      ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ]);
    try {
      return await front.fetch(params);
    } finally {
      front.close();
    }
  };
  const pidOf = ({ body }: CgiAnswer): number =>
    Number(/^pid=([0-9]+)$/m.exec(body.toString())?.[1] ?? NaN);
  const reasonOf = ({ headers }: CgiAnswer): string | undefined => headers.get('x-usherd-reason');
  const workersOf = async (app: string): Promise<readonly number[]> =>
    (await usherd.status()).apps
      .filter((row) => row.app === app)
      .flatMap(({ workers }) => workers.map(({ pid }) => pid));
  /** In one step, as a deploy does it. */
  const replace = (app: string, text: string): void => {
    const directory = join(usherd.root, app.replace('/', '/apps/'));
    usherd.write(app, 'app.new', text, 0o755);
    renameSync(join(directory, 'app.new'), join(directory, 'app.fcgi'));
  };

  before(async () => {
    usherd = await UsherdRun.start([ALICE, BOB], {
      routerUid: 52_119,
      apps: 'prestart = ["alice/static"]',
      more: '[users.alice.limits]\nmin_workers = 2',
      prepare: (run) => run.write('alice/static', 'app.fcgi', PROGRAM, 0o755),
    });
    usherd.write('bob/shop', 'app.fcgi', PROGRAM, 0o755);
  });
  after(async () => {
    external.forEach((worker) => worker.kill());
    await usherd.stop();
  });

  test('a static application has its workers before the first request, and again after one is killed', async () => {
    await waitFor('two workers', async () => (await workersOf('alice/static')).length === 2);
    const [first = 0] = await workersOf('alice/static');
    process.kill(first, 'SIGKILL');
    await waitFor(
      'two workers again',
      async () => {
        const pids = await workersOf('alice/static');
        return pids.length === 2 && !pids.includes(first);
      },
      60_000,
    );
  });

  test('a program that somebody else runs gets the requests, if the socket is the user’s own', async () => {
    const socketPath = join(usherd.directory, 'external.sock');
    const worker = new FakeWorker({
      onRequest: (request) => request.reply('Content-Type: text/plain\r\n\r\nfrom outside'),
    });
    external.push(worker);
    await worker.listen(socketPath);
    chmodSync(socketPath, 0o666);
    usherd.write('bob/ext', 'usherd.toml', `connect = "unix:${socketPath}"\nconcurrency = 10\n`);
    const foreign = await get('bob/ext');
    assert.equal(foreign.status, 502, 'root’s socket is not bob’s');
    assert.equal(worker.connections, 0);
    chownSync(socketPath, BOB.uid, BOB.uid);
    assert.equal((await get('bob/ext')).body.toString(), 'from outside');
    const many = await Promise.all(Array.from({ length: 20 }, () => get('bob/ext')));
    assert.ok(many.every(({ status }) => status === 200));
  });

  test('another user’s worker cannot be reached through `connect`', async () => {
    await get('alice/static');
    const [worker] = (await usherd.status()).apps.find(({ app }) => app === 'alice/static')
      ?.workers ?? [{ id: '' }];
    const victim = join(usherd.directory, 'run/worker', `${worker?.id ?? ''}.sock`);
    usherd.write('bob/thief', 'usherd.toml', `connect = "unix:${victim}"\n`);
    const answer = await get('bob/thief');
    assert.equal(answer.status, 502);
    assert.ok(!answer.body.toString().includes(`uid=${ALICE.uid}`));
  });

  test('a new version that does not come up leaves the old workers in place, and the next good one replaces them', async () => {
    const old = pidOf(await get('bob/shop'));
    replace('bob/shop', DEAD);
    await waitFor('the change to be seen and tried', async () => {
      const answer = await get('bob/shop');
      assert.equal(answer.status, 200, reasonOf(answer));
      assert.equal(pidOf(answer), old);
      return /"app":"bob\/shop"[^\n]*worker exited by itself/.test(usherd.log());
    });
    for (let i = 0; i < 50; i += 1) assert.equal(pidOf(await get('bob/shop')), old);
    replace('bob/shop', PROGRAM);
    await waitFor('a new worker', async () => {
      const answer = await get('bob/shop');
      assert.equal(answer.status, 200, reasonOf(answer));
      return pidOf(answer) !== old;
    });
  });

  test('restart replaces the workers without a failed request, stop ends them until the next one', async () => {
    const old = pidOf(await get('bob/shop'));
    assert.equal((await usherd.command('restart', 'bob/shop')).code, 0);
    await waitFor('a new worker', async () => {
      const answer = await get('bob/shop');
      assert.equal(answer.status, 200, reasonOf(answer));
      return pidOf(answer) !== old;
    });
    assert.equal((await usherd.command('stop', 'bob/shop')).code, 0);
    await waitFor('no worker', async () => (await workersOf('bob/shop')).length === 0);
    assert.equal((await get('bob/shop')).status, 200);
    assert.equal((await usherd.command('start', 'alice/static')).code, 0);
  });

  test('reset ends the back-off of an application that keeps dying', async () => {
    usherd.write('bob/dies', 'app.fcgi', DEAD, 0o755);
    await waitFor('a crash loop', async () => reasonOf(await get('bob/dies')) === 'crash-loop');
    assert.equal((await usherd.command('reset', 'bob/dies')).code, 0);
    const starts = (): number => usherd.log().split('"app":"bob/dies"').length;
    const before = starts();
    await get('bob/dies');
    await waitFor('another start', () => starts() > before);
  });

  test('suspend refuses and stops everything of a user, and nothing of another; resume undoes it', async () => {
    await get('bob/shop');
    assert.equal((await usherd.command('suspend', 'bob')).code, 0);
    const refused = await get('bob/shop');
    assert.equal(refused.status, 503);
    assert.equal(reasonOf(refused), 'suspended');
    await waitFor('no worker of bob', async () => (await workersOf('bob/shop')).length === 0);
    assert.equal((await get('alice/static')).status, 200);
    assert.equal((await usherd.command('resume', 'bob')).code, 0);
    assert.equal((await get('bob/shop')).status, 200);
  });
});
