// The main promise: a PHP page dropped into a user's directory answers through a real Apache, as that user, with no reload.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Apache, noApache } from '../../support/apache.js';
import { fetchHttp, type HttpAnswer } from '../../support/http.js';
import { needsRoot } from '../../support/needs-root.js';
import { peakRssMiB, rssMiB, UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_101 };
const BOB = { name: 'bob', uid: 52_102 };

const ECHO = '<?php echo posix_geteuid(), " ", $_GET["n"] ?? "", " ", $_SERVER["PATH_INFO"] ?? "";';
const UPLOAD = `<?php
$hash = hash_init('sha256'); $bytes = 0; $in = fopen('php://input', 'r');
while (($chunk = fread($in, 65536)) !== false && $chunk !== '') { hash_update($hash, $chunk); $bytes += strlen($chunk); }
echo $bytes, ' ', hash_final($hash);`;
const DOWNLOAD = `<?php
header('Content-Type: application/octet-stream');
for ($i = 0; $i < 1600; $i++) { echo str_repeat(chr(65 + $i % 26), 65536); }`;

const noPhp = existsSync('/usr/bin/php-cgi') ? false : 'php-cgi is not installed';

describe('usherd behind a real Apache', { skip: needsRoot || noApache || noPhp }, () => {
  let usherd: UsherdRun;
  let apache: Apache;
  const get = (path: string, options: { readonly agent?: http.Agent } = {}): Promise<HttpAnswer> =>
    fetchHttp({ port: apache.port, path, ...options });
  const text = async (path: string): Promise<string> => (await get(path)).body.toString();

  before(async () => {
    usherd = await UsherdRun.start([ALICE, BOB], { routerUid: 52_109 });
    apache = await Apache.start({
      directory: join(usherd.directory, 'apache'),
      socketPath: usherd.frontSocket,
      root: usherd.root,
    });
  });
  after(async () => {
    await apache.stop();
    await usherd.stop();
  });

  test('a new directory answers at the next request, as its owner', async () => {
    usherd.write('alice/blog', 'index.php', ECHO);
    usherd.write('bob/shop', 'index.php', ECHO);
    assert.equal(await text('/~alice/apps/blog/?n=1'), '52101 1 ');
    assert.equal(await text('/~bob/apps/shop/index.php/x/y?n=2'), '52102 2 /x/y');
  });

  test('a removed directory is a 404 with a reason, whether or not a worker still lives', async () => {
    usherd.write('alice/gone', 'index.php', ECHO);
    assert.equal(await text('/~alice/apps/gone/index.php'), '52101  ');
    usherd.remove('alice/gone');
    const warm = await get('/~alice/apps/gone/index.php');
    assert.equal(warm.status, 404);
    assert.equal(warm.headers['x-usherd-reason'], 'no-script');
    const never = await get('/~alice/apps/never/index.php');
    assert.equal(never.status, 404);
    assert.equal(never.headers['x-usherd-reason'], 'no-app');
  });

  test('a home that nobody else may enter works: Apache only has to pass', async () => {
    usherd.write('bob/private', 'index.php', ECHO);
    usherd.makeDirectory('bob/apps/private', BOB.uid, 0o711);
    assert.equal(await text('/~bob/apps/private/index.php'), '52102  ');
  });

  test('status shows the workers with pid, uid, requests served and memory', async () => {
    const status = await usherd.status();
    const blog = status.apps.find(({ app }) => app === 'alice/blog');
    assert.equal(blog?.uid, ALICE.uid);
    assert.equal(blog.runtime, 'php');
    const [worker] = blog.workers;
    assert.ok(worker !== undefined && worker.pid > 1 && worker.requestsServed >= 1);
    assert.ok(worker.rssBytes > 1_000_000);
  });

  test('10 000 requests over 64 connections, two users interleaved: every answer is its request’s', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
    let next = 0;
    const wrong: string[] = [];
    const client = async (): Promise<void> => {
      while (next < 10_000) {
        const n = (next += 1);
        const isAlice = n % 2 === 0;
        const path = isAlice ? '/~alice/apps/blog/' : '/~bob/apps/shop/';
        const answer = await get(`${path}?n=${n}`, { agent });
        const expected = `${isAlice ? ALICE.uid : BOB.uid} ${n} `;
        if (answer.status !== 200 || answer.body.toString() !== expected) {
          wrong.push(`${n}: ${answer.status} ${answer.body.toString()}`);
        }
      }
    };
    await Promise.all(Array.from({ length: 64 }, client));
    agent.destroy();
    assert.deepEqual(wrong, []);
  });

  test('100 MB go up and down whole, with flat memory in the router', async () => {
    usherd.write('alice/blog', 'upload.php', UPLOAD);
    usherd.write('alice/blog', 'download.php', DOWNLOAD);
    const router = usherd.pidOf('router');
    const before = rssMiB(router);
    const chunk = Buffer.alloc(64 * 1024, 'usherd');
    const hash = createHash('sha256');
    for (let i = 0; i < 1600; i += 1) hash.update(chunk);
    const answer = await fetchHttp({
      port: apache.port,
      path: '/~alice/apps/blog/upload.php',
      method: 'POST',
      headers: {
        'Content-Type': 'application/octet-stream',
        'Content-Length': 1600 * chunk.length,
      },
      body: Array.from({ length: 1600 }, () => chunk),
    });
    assert.equal(answer.body.toString(), `${1600 * chunk.length} ${hash.digest('hex')}`);
    const down = await get('/~alice/apps/blog/download.php');
    assert.equal(down.body.length, 1600 * 65_536);
    const grownMiB = peakRssMiB(router) - before;
    assert.ok(grownMiB < 64, `router grew by ${Math.round(grownMiB)} MiB`);
  });

  test('a worker killed between requests is replaced without a failed request', async () => {
    for (let i = 0; i < 5; i += 1) {
      const status = await usherd.status();
      for (const { app, workers } of status.apps) {
        if (app === 'alice/blog') workers.forEach(({ pid }) => process.kill(pid, 'SIGKILL'));
      }
      assert.equal(await text(`/~alice/apps/blog/?n=${i}`), `52101 ${i} `);
    }
  });

  test('kill -9 of the router: it is started again and goes on with the living workers', async () => {
    await text('/~bob/apps/shop/');
    const workers = usherd.workerPids();
    const router = usherd.pidOf('router');
    process.kill(router, 'SIGKILL');
    await waitFor('a new router', () => usherd.pidOf('router') !== router);
    await waitFor(
      'the new router answers',
      async () => (await get('/~bob/apps/shop/')).status === 200,
    );
    const after = usherd.workerPids();
    assert.ok(
      workers.some((pid) => after.includes(pid)),
      'no worker was kept',
    );
  });

  test('kill -9 of the supervisor: no orphan, no stale socket in the way, and the next one serves (T111)', async () => {
    await text('/~alice/apps/blog/');
    const old = usherd.workerPids();
    assert.ok(old.length > 0);
    const supervisor = usherd.pidOf('supervisor');
    process.kill(supervisor, 'SIGKILL');
    const meanwhile = get('/~alice/apps/blog/');
    await waitFor('a new supervisor', () => usherd.pidOf('supervisor') !== supervisor);
    await waitFor('the old workers are gone', () => {
      const now = usherd.workerPids();
      return old.every((pid) => !now.includes(pid));
    });
    assert.equal((await meanwhile).status, 200, 'what comes in between waits for the next one');
  });

  test('supervisor and router stay within their memory', () => {
    assert.ok(rssMiB(usherd.pidOf('supervisor')) < 64, `${rssMiB(usherd.pidOf('supervisor'))} MiB`);
    assert.ok(rssMiB(usherd.pidOf('router')) < 90, `${rssMiB(usherd.pidOf('router'))} MiB`);
  });

  test('nothing listens on TCP (T120)', async () => {
    const { readFile } = await import('node:fs/promises');
    for (const name of ['supervisor', 'router'] as const) {
      // Sockets of the whole network namespace; the process's own are told apart by inode, so look at its fds.
      const pid = usherd.pidOf(name);
      const { readdir, readlink } = await import('node:fs/promises');
      const inodes = new Set<string>();
      for (const fd of await readdir(`/proc/${pid}/fd`)) {
        const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
        const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
        if (inode !== undefined) inodes.add(inode);
      }
      for (const table of ['tcp', 'tcp6', 'udp', 'udp6']) {
        const lines = (await readFile(`/proc/net/${table}`, 'latin1')).split('\n').slice(1);
        for (const line of lines) assert.ok(!inodes.has(line.trim().split(/\s+/)[9] ?? ''), line);
      }
    }
  });
});
