// What an administrator asks on a bad night: commands answer while everything is busy, and say what is wrong and why.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { shellAs } from '../../support/as-uid.js';
import { FrontClient } from '../../support/front-client.js';
import { needsRoot } from '../../support/needs-root.js';
import { appParams } from '../../support/router-rig.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';
import { askSupervisor } from '../../../src/cli/control-client.js';

const ALICE = { name: 'alice', uid: 52_301 };
const BOB = { name: 'bob', uid: 52_302 };
const WAITING = 1_000;
/** Promised for every command, and kept by a wide margin where nothing else is going on. */
const ANSWER_MAX_MS = 200;

const noPhp = fs.existsSync('/usr/bin/php-cgi') ? false : 'php-cgi is not installed';
/** Answers when the test says so. */
const WAITS = (gate: string): string =>
  `<?php while (!file_exists(${JSON.stringify(gate)})) { usleep(20000); clearstatcache(); } echo 'done';`;

describe('the commands of an administrator', { skip: needsRoot || noPhp }, () => {
  let usherd: UsherdRun;
  let front: FrontClient;
  let gate = '';
  const ask = (command: 'status' | 'requests' | 'ping'): Promise<Record<string, unknown>> =>
    askSupervisor(`${usherd.directory}/run/control.sock`, { command });
  const paramsOf = (app: string): Map<string, string> => {
    const [user = '', name = ''] = app.split('/');
    const file = `${usherd.root}/${user}/apps/${name}/index.php`;
    return appParams(app, '/index.php', { SCRIPT_FILENAME: file, SCRIPT_NAME: '/index.php' });
  };

  before(async () => {
    const more = `[limits]\nmax_workers_per_app = 2\nqueue_length = ${WAITING}\nqueue_timeout = "10m"\n`;
    usherd = await UsherdRun.start([ALICE, BOB], { routerUid: 52_309, more });
    gate = `${usherd.root}/alice/apps/blog/gate`; // where PHP may look
    front = await FrontClient.connect(usherd.frontSocket);
  });
  after(async () => {
    front.close();
    await usherd.stop();
  });

  test('with nothing wrong, status says so', async () => {
    const { code, out } = await usherd.command('status');
    assert.equal(code, 0, out);
    assert.match(out, /, nothing wrong$/m);
  });

  test('status and requests answer while every worker is busy and 1000 requests wait, before any of them does', async () => {
    usherd.write('alice/blog', 'index.php', WAITS(gate));
    for (const id of [1, 2]) front.send(id, paramsOf('alice/blog'));
    await waitFor('two busy workers', async () => {
      const [app] = (await ask('status'))['apps'] as { workers: { inFlight: number }[] }[];
      return app?.workers.filter(({ inFlight }) => inFlight === 1).length === 2;
    });
    for (let id = 3; id <= WAITING + 2; id += 1) front.send(id, paramsOf('alice/blog'));
    await waitFor('the queue', async () => {
      const [app] = (await ask('status'))['apps'] as { queue: number; workers: unknown[] }[];
      return app?.queue === WAITING && app.workers.length === 2;
    });
    const listed = (await ask('requests'))['requests'] as { state: string }[];
    assert.equal(listed.length, WAITING);
    assert.equal(listed.filter(({ state }) => state === 'streaming').length, 2);
    const times: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const startMs = performance.now();
      await ask(round % 2 === 0 ? 'status' : 'requests');
      times.push(performance.now() - startMs);
    }
    // Half of them: what else this machine does at that moment is not what is tried here.
    const medianMs = times.sort((one, other) => one - other)[times.length / 2] ?? Infinity;
    assert.ok(
      medianMs < ANSWER_MAX_MS,
      `half of the answers took ${medianMs.toFixed(0)} ms or more`,
    );
    const ended = [...front.answers.values()].filter(({ end }) => end !== undefined).length;
    assert.equal(ended, 0, 'nothing was answered meanwhile: the commands waited for nobody');
  });

  test('they say who waits and for what', async () => {
    const { out } = await usherd.command('status', 'alice/blog');
    assert.match(out, new RegExp(`alice/blog: ${WAITING} requests wait, 2 workers busy`));
    assert.match(out, /now at GET \/~alice\/apps\/blog\/index\.php/);
    const requests = await usherd.command('requests', 'alice/blog');
    assert.match(requests.out, /running {2}alice\/blog +\S+ +GET \/~alice/);
    assert.match((await usherd.command('requests', 'bob')).out, /^0 requests/);
    fs.writeFileSync(gate, '');
    await front.ended(1);
    front.close(); // nobody waits for the others
  });

  test('a crash loop is a problem with its cause and its remedy', async () => {
    usherd.write('bob/shop', 'app.fcgi', '#!/bin/sh\nexit 7\n', 0o755);
    const client = await FrontClient.connect(usherd.frontSocket);
    const params = appParams('bob/shop', '/', { SCRIPT_FILENAME: `${usherd.root}/bob/apps/shop` });
    await waitFor('the crash loop', async () => {
      const { headers } = await client.fetch(params);
      return headers.get('x-usherd-reason') === 'crash-loop';
    });
    client.close();
    const { out } = await usherd.command('status', 'bob');
    assert.match(out, /bob\/shop: crash-loop/);
    assert.match(out, /a worker (?:ended by itself|broke off and ended): code 7/);
    assert.match(out, /remedy: .*usherd reset bob\/shop.*usherd logs bob\/shop/);
  });

  test('start says whether a worker runs, and which rule refuses one', async () => {
    const none = await usherd.command('start', 'bob/none');
    assert.equal(none.code, 1);
    assert.match(none.out, /not started: .*E_APP_UNKNOWN.*app-directory-missing/);
    usherd.write('bob/ready', 'index.php', '<?php echo 1;');
    const started = await usherd.command('start', 'bob/ready');
    assert.deepEqual([started.code, started.out.slice(0, 7)], [0, 'started']);
    assert.match((await usherd.command('start', 'bob/ready')).out, /runs already/);
  });

  test('an application, a user and an account that nobody knows are said to be that', async () => {
    assert.match((await usherd.command('status', 'bob/typo')).out, /no worker of bob\/typo runs/);
    assert.match((await usherd.command('restart', 'bob/typo')).out, /no worker of bob\/typo runs/);
    const { code, out } = await usherd.command('suspend', 'bbo');
    assert.equal(code, 0);
    assert.match(out, /no account bbo is known/);
    assert.equal((await usherd.command('resume', 'bbo')).out, 'resumed\n');
  });

  test('a mistake in the configuration keeps nobody from looking at what runs', async () => {
    const sound = fs.readFileSync(usherd.configFile, 'utf8');
    fs.writeFileSync(usherd.configFile, `nonsense = 1\n${sound}`);
    const [status, requests, reload] = [
      await usherd.command('status'),
      await usherd.command('requests'),
      await usherd.command('reload'),
    ];
    const logs = await usherd.command('logs', 'bob/shop');
    fs.writeFileSync(usherd.configFile, sound);
    assert.equal(logs.code, 0, logs.out);
    assert.match(logs.out, /(?:ended by itself|broke off and ended): code 7/);
    assert.doesNotMatch(logs.out, /mistakes/, 'this one has nothing to do with where logs are');
    assert.equal(status.code, 0, status.out);
    assert.match(status.out, /configuration has mistakes[^]*^usherd \d/m);
    assert.equal(requests.code, 0, requests.out);
    assert.equal(reload.code, 100, reload.out);
    assert.match(reload.out, /nonsense/);
  });

  test('the owner of an application, who may not use them, is told what he can do', () => {
    const main = fileURLToPath(new URL('../../../src/main.js', import.meta.url));
    const words = `${process.execPath} ${main} restart --config ${usherd.configFile} alice/blog`;
    assert.match(shellAs(ALICE.uid, words), /only root may use .*`touch tmp\/restart\.txt`/);
  });

  test('config says which value comes from where, for an application that runs, too', async () => {
    const { code, out } = await usherd.command('config', 'alice/blog');
    assert.equal(code, 0, out);
    assert.match(out, /^max_workers_per_app +2 +\S+usherd\.toml:\d+$/m);
    assert.match(out, /^queue_length +1000 +/m);
    assert.match(out, /^runtime +"php" +its files$/m);
  });

  test('doctor reaches the router as the web server does, and finds nothing wrong with what usherd made', async () => {
    const { out } = await usherd.command('doctor');
    for (const name of ['accounts', 'supervisor', 'router', 'directories']) {
      assert.match(out, new RegExp(`^ok {5}${name}$`, 'm'), out);
    }
    assert.match(out, /^ok {5}front sockets, as the web server reaches them$/m, out);
  });

  test('doctor sees a directory that somebody has opened, and says how to close it', async () => {
    fs.chmodSync(`${usherd.directory}/run/front`, 0o700);
    const { code, out } = await usherd.command('doctor');
    fs.chmodSync(`${usherd.directory}/run/front`, 0o2710);
    assert.equal(code, 1, out);
    assert.match(out, /WRONG {2}directories \(directory-mode\)/);
    assert.match(out, /remedy: +chown \d+:\d+ \S+\/run\/front && chmod 2710/);
    assert.match(out, /WRONG {2}front sockets[^]*EACCES/);
  });
});
