// `usherd dev` as somebody at his desk uses it: a page, a change, a failure that is explained, and nothing left behind.
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fetchHttp, type HttpAnswer } from '../../support/http.js';
import { waitFor } from '../../support/wait-for.js';

const MAIN = join(import.meta.dirname, '../../../src/main.js');
const ORDINARY_UID = 52_371;
const START_DEADLINE_MS = 60_000;

const isRoot = process.getuid?.() === 0;
const drop = isRoot
  ? [
      '/usr/bin/setpriv',
      `--reuid=${ORDINARY_UID}`,
      `--regid=${ORDINARY_UID}`,
      '--clear-groups',
      '--',
    ]
  : [];
const noNode = existsSync('/usr/bin/node') ? false : '/usr/bin/node is not installed';

const program = (word: string): string => `require('node:http')
  .createServer((request, response) => {
    if (request.url.startsWith('/fail')) {
      console.error('the reason is in line ' + request.url.slice(5));
      process.exit(1);
    } else response.end('${word}');
  })
  .listen(3000);
`;

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

describe('usherd dev', { skip: noNode }, () => {
  let base: string;
  let site: string;
  let port: number;
  let child: ChildProcess;
  const write = (text: string): void => writeFileSync(join(site, 'server.js'), text);
  const get = (path: string): Promise<HttpAnswer> =>
    fetchHttp({ port, path: `/~jane/apps/site${path}` });
  const says = async (word: string): Promise<boolean> => {
    const answer = await get('/').catch(() => undefined); // not there yet
    return answer?.body.toString() === word;
  };

  before(async () => {
    base = mkdtempSync(join(tmpdir(), 'usherd-dev-test-'));
    site = join(base, 'jane/site');
    mkdirSync(site, { recursive: true });
    mkdirSync(join(base, 't'));
    write(program('one'));
    for (const path of [base, join(base, 'jane'), site, join(site, 'server.js'), join(base, 't')]) {
      if (isRoot) chownSync(path, ORDINARY_UID, ORDINARY_UID);
    }
    port = await freePort();
    const dev = [process.execPath, MAIN, 'dev', site, '--port', String(port)];
    const [file = '', ...args] = [...drop, ...dev];
    child = spawn(file, args, { stdio: 'ignore', cwd: '/', env: { TMPDIR: join(base, 't') } });
    await waitFor('the first page', () => says('one'), START_DEADLINE_MS);
  });
  after(() => {
    child.kill('SIGKILL');
    rmSync(base, { recursive: true, force: true });
  });

  test('a change of a file starts the application anew', async () => {
    write(program('two'));
    await waitFor('the new page', () => says('two'), START_DEADLINE_MS);
  });

  test('explain says of the same directory what it is, and of another one why not', () => {
    const explain = (path: string): { status: number | null; stdout: string } => {
      const [file, ...args] = [...drop, process.execPath, MAIN, 'explain', path];
      return spawnSync(file, args, { encoding: 'utf8', cwd: '/' });
    };
    const seen = explain(site);
    assert.equal(seen.status, 0, seen.stdout);
    assert.match(seen.stdout, /is jane\/site, as you see it \(uid \d+\)/);
    assert.match(seen.stdout, /runtime +node \(because of server\.js\)/);
    const empty = explain(join(base, 't'));
    assert.equal(empty.status, 1);
    assert.match(empty.stdout, /no-runtime[^]*app\.py[^]*index\.php/);
    assert.doesNotMatch(empty.stdout, /sudo/, 'nobody else has such an application');
  });

  test('a failure is explained in the page, with the last words of the program, each time', async () => {
    for (const line of [41, 42, 43, 44, 45]) {
      const answer = await get(`/fail${line}`);
      assert.equal(answer.status, 502);
      assert.match(answer.body.toString(), /Remedy: /);
      assert.ok(answer.body.toString().includes(`the reason is in line ${line}`), String(line));
      await waitFor('it is back', () => says('two'), START_DEADLINE_MS);
    }
  });

  test('a refusal of a runtime is the same in the page, the log, the status, check and explain', async () => {
    const [own = ''] = readdirSync(join(base, 't'));
    const usherd = (command: string, ...more: readonly string[]): string => {
      const config = ['--config', join(base, 't', own, 'usherd.toml')];
      const argv = [...drop, process.execPath, MAIN, command, ...config, ...more];
      const [file = '', ...args] = argv;
      const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', cwd: '/' });
      return stdout + stderr;
    };
    const path = join(site, 'usherd.toml');
    writeFileSync(path, 'runtime = "perl"\n');
    if (isRoot) chownSync(path, ORDINARY_UID, ORDINARY_UID);
    const found = `${path}: the runtime perl, and no file that it could start`;
    const expected = `expected: app.psgi in ${site}`;
    const remedy = 'give the program that name, or name its language in `runtime`';
    const page = async (): Promise<string> => (await get('/')).body.toString();
    const isRefused = async (): Promise<boolean> => (await page()).includes('entry-missing');
    await waitFor('the refusal', isRefused, START_DEADLINE_MS);
    const said = {
      page: await page(),
      log: readFileSync(join(base, 't', own, 'log/jane/site.log'), 'utf8'),
      status: usherd('status'),
      json: usherd('status', '--json').replaceAll('\\"', '"'),
      check: usherd('check', 'jane/site'),
      explain: usherd('explain', site),
    };
    for (const [where, text] of Object.entries(said)) {
      for (const words of ['entry-missing', found, expected, remedy]) {
        assert.ok(text.includes(words), `${where} has no ${JSON.stringify(words)}: ${text}`);
      }
    }
    rmSync(path);
    await waitFor('the page is back', () => says('two'), START_DEADLINE_MS);
  });

  test('files of public/ are sent as a web server does, and sources are not', async () => {
    mkdirSync(join(site, 'public/sub'), { recursive: true });
    writeFileSync(join(site, 'public/a b.css'), 'p { color: red }');
    writeFileSync(join(site, 'public/sub/empty.html'), '');
    const css = await get('/a%20b.css');
    assert.equal(css.status, 200);
    assert.equal(css.headers['content-type'], 'text/css; charset=utf-8');
    assert.equal(css.body.toString(), 'p { color: red }');
    const head = await fetchHttp({ port, method: 'HEAD', path: '/~jane/apps/site/a%20b.css' });
    assert.equal(head.headers['content-length'], '16');
    assert.equal((await get('/sub/empty.html')).headers['content-length'], '0');
    const slash = await get('/sub?q');
    assert.equal(slash.status, 301);
    assert.equal(slash.headers.location, '/~jane/apps/site/sub/?q');
    await waitFor('the program has the rest', async () => {
      return (await get('/server.js')).body.toString() === 'two';
    });
  });

  test('it ends when it is told to, and leaves nothing', async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const [code] = (await ended) as [number];
    assert.equal(code, 0);
    assert.deepEqual(readdirSync(join(base, 't')), []);
  });
});
