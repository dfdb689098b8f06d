// Python's virtual environments: what an application has in venv/ or .venv/ is what it gets, with a server of its own or Debian's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Apache, noApache } from '../support/apache.js';
import { fetchHttp } from '../support/http.js';
import { needsRoot } from '../support/needs-root.js';
import { UsherdRun } from '../support/usherd-run.js';
import { waitFor } from '../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_361 };
const PYTHON = '/usr/bin/python3';
const missing = [PYTHON, '/usr/bin/uwsgi', '/usr/lib/python3/dist-packages/uvicorn'].find(
  (path) => !existsSync(path),
);

const WSGI = `import only_here
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [only_here.WORDS]
`;
const ASGI = `import only_here
async def application(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': only_here.WORDS})
`;

const PREFIX = "only_here.WORDS + b' ' + sys.prefix.encode()";

describe('a virtual environment', { skip: needsRoot || noApache || (missing ?? false) }, () => {
  let usherd: UsherdRun;
  let apache: Apache;
  before(async () => {
    usherd = await UsherdRun.start([ALICE], { routerUid: 52_369 });
    const { frontSocket: socketPath, root } = usherd;
    apache = await Apache.start({ directory: join(usherd.directory, 'apache'), socketPath, root });
  });
  after(async () => {
    await apache.stop();
    await usherd.stop();
  });

  const directoryOf = (app: string): string => join(usherd.root, 'alice/apps', app);

  /** With one module that is nowhere else. */
  function make(app: string, name: string, ...options: readonly string[]): void {
    const directory = directoryOf(app);
    const argv = ['-m', 'venv', '--without-pip', ...options, join(directory, name)];
    execFileSync(PYTHON, argv, { stdio: 'pipe' });
    const version = execFileSync(
      join(directory, name, 'bin/python'),
      ['-c', 'import sys; print("python%d.%d" % sys.version_info[:2])'],
      { encoding: 'utf8' },
    ).trim();
    execFileSync('chown', ['-R', `${ALICE.uid}:${ALICE.uid}`, directory]);
    const words = `WORDS = b"of ${app} in ${name}"\n`;
    usherd.write(`alice/${app}`, `${name}/lib/${version}/site-packages/only_here.py`, words);
  }

  async function answerOf(app: string): Promise<string> {
    const answer = await fetchHttp({ port: apache.port, path: `/~alice/apps/${app}/` });
    return answer.body.toString();
  }

  for (const name of ['venv', '.venv']) {
    const app = `wsgi${name.replace('.', '-')}`;
    test(`${name}/ has the modules of a WSGI application`, async () => {
      usherd.write(`alice/${app}`, 'app.py', WSGI);
      make(app, name);
      assert.equal(await answerOf(app), `of ${app} in ${name}`);
    });
  }

  test('venv/ without a server has the modules of an ASGI application', async () => {
    usherd.write('alice/asgi', 'asgi.py', ASGI);
    make('asgi', 'venv');
    assert.equal(await answerOf('asgi'), 'of asgi in venv');
  });

  test('.venv/ with uvicorn runs an ASGI application with its own Python', async () => {
    usherd.makeDirectory('alice/apps/own', ALICE.uid);
    make('own', '.venv', '--system-site-packages');
    usherd.write('alice/own', 'asgi.py', `import sys\n${ASGI}`.replace('only_here.WORDS', PREFIX));
    usherd.write('alice/own', '.venv/bin/uvicorn', '#!/bin/false\n', 0o755);
    assert.equal(await answerOf('own'), `of own in .venv ${directoryOf('own')}/.venv`);
  });

  test('venv/ of another version of Python is named, and what to do', async () => {
    usherd.write('alice/other', 'asgi.py', ASGI);
    usherd.write('alice/other', 'usherd.toml', 'mode = "development"\n');
    usherd.write('alice/other', 'venv/bin/python', '#!/bin/false\n', 0o755);
    usherd.write('alice/other', 'venv/lib/python3.1/site-packages/only_here.py', '');
    assert.match(await answerOf('other'), /venv\/ is of python3\.1, [^]*pip install uvicorn/);
  });

  test('the same of a WSGI application', async () => {
    usherd.write('alice/old', 'usherd.toml', 'mode = "development"\n');
    usherd.write('alice/old', 'app.py', WSGI);
    make('old', 'venv');
    const lib = join(directoryOf('old'), 'venv/lib');
    const [made = ''] = readdirSync(lib).filter((name) => name.startsWith('python'));
    renameSync(join(lib, made), join(lib, 'python3.1'));
    assert.match(await answerOf('old'), /venv\/ is of python3\.1, [^]*make it anew/);
  });

  test('one whose Python is gone is a 503 that says so, and a new one is served', async () => {
    usherd.write('alice/gone', 'usherd.toml', 'mode = "development"\n');
    usherd.write('alice/gone', 'app.py', WSGI);
    make('gone', '.venv');
    const python = join(directoryOf('gone'), '.venv/bin/python3');
    rmSync(python);
    symlinkSync('/usr/bin/python3.1', python);
    const path = '/~alice/apps/gone/';
    const { status, headers, body } = await fetchHttp({ port: apache.port, path });
    assert.deepEqual([status, headers['x-usherd-reason']], [503, 'runtime-missing']);
    assert.match(body.toString(), /Python of the virtual environment \.venv\/[^]*-m venv --clear/);
    rmSync(python);
    symlinkSync(PYTHON, python);
    await waitFor('the page', async () => (await answerOf('gone')) === 'of gone in .venv');
  });
});
