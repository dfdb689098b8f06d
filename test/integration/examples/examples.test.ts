// The example applications, started as usherd starts them: a listening socket on descriptor 0.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { askWorker, startFd0Worker, type Fd0Worker } from '../../support/fd0-worker.js';
import { scratchDirectory } from '../../support/scratch.js';

const EXAMPLES = join(import.meta.dirname, '../../../../examples');
const PHP = '/usr/bin/php-cgi';

const PROGRAMS = [
  {
    path: 'alice/apps/hello-node/app.fcgi',
    interpreter: process.execPath,
    title: 'Hello from Node',
  },
  { path: 'bob/apps/hello-perl/app.fcgi', interpreter: '/usr/bin/perl', title: 'Hello from Perl' },
];

async function start(t: TestContext, path: string, interpreter: string): Promise<Fd0Worker> {
  const directory = scratchDirectory(t);
  const program = join(directory, 'app.fcgi');
  copyFileSync(join(EXAMPLES, path), program);
  const worker = await startFd0Worker(directory, [interpreter, program]);
  t.after(() => worker.stop());
  return worker;
}

for (const { path, interpreter, title } of PROGRAMS) {
  describe(`examples/${path}`, () => {
    test('is executable', () => {
      assert.equal(statSync(join(EXAMPLES, path)).mode & 0o111, 0o111);
    });

    test('says who it is, and counts its requests', async (t) => {
      const { socketPath, pid } = await start(t, path, interpreter);
      const params = { QUERY_STRING: 'plain', SCRIPT_NAME: '/~a/apps/b', PATH_INFO: '/x' };
      for (const served of [1, 2, 3]) {
        const answer = await askWorker(socketPath, params);
        const facts = `uid=${process.getuid?.() ?? 0}\npid=${pid}\nserved=${served}\nscript=/~a/apps/b\npath=/x\n`;
        assert.equal(answer, `Content-Type: text/plain; charset=utf-8\r\n\r\n${facts}`);
      }
    });

    test('answers a page for people, in which what the browser sent is text', async (t) => {
      const { socketPath } = await start(t, path, interpreter);
      const answer = await askWorker(socketPath, { PATH_INFO: '/<script>"&' });
      assert.match(answer, /^Content-Type: text\/html; charset=utf-8\r\n\r\n<!doctype html>/);
      assert.ok(answer.includes(title));
      assert.ok(!answer.includes('<script>'));
    });

    test('reads params of any size and ignores a body', async (t) => {
      const { socketPath } = await start(t, path, interpreter);
      const params = { LONG: 'x'.repeat(40_000), OTHER: 'y'.repeat(40_000), QUERY_STRING: 'plain' };
      const answer = await askWorker(socketPath, params, 'z'.repeat(200_000));
      assert.match(answer, /served=1/);
    });

    test('survives a caller that leaves in mid-request', async (t) => {
      const { socketPath } = await start(t, path, interpreter);
      const socket = connect(socketPath, () =>
        socket.end(Buffer.from([1, 1, 0, 1, 0, 8, 0, 0, 0])),
      );
      await new Promise((resolve) => socket.on('close', resolve).resume());
      assert.match(await askWorker(socketPath, { QUERY_STRING: 'plain' }), /served=1/);
    });
  });
}

for (const path of ['alice/apps/blog/index.php', 'bob/apps/shop/index.php']) {
  const skip = existsSync(PHP) ? false : 'php-cgi is not installed';
  test(`examples/${path} says who it is`, { skip }, async (t) => {
    const directory = scratchDirectory(t);
    const worker = await startFd0Worker(directory, [PHP]);
    t.after(() => worker.stop());
    const answer = await askWorker(worker.socketPath, {
      SCRIPT_FILENAME: join(EXAMPLES, path),
      REDIRECT_STATUS: '200',
      REQUEST_METHOD: 'GET',
      QUERY_STRING: 'plain',
      SCRIPT_NAME: '/~a/apps/b/index.php',
    });
    assert.match(answer, /\r\n\r\nuid=\d+\npid=\d+\nscript=\/~a\/apps\/b\/index\.php\npath=\n$/);
  });
}
