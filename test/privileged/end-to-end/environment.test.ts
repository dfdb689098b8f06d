// The environment of a worker: exactly what usherd, the runtime, the manifest and the application's `.env` say.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { FrontClient, type CgiAnswer } from '../../support/front-client.js';
import { needsRoot } from '../../support/needs-root.js';
import { appParams } from '../../support/router-rig.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_331 };
const PROGRAM = `#!/usr/bin/node
require('node:http')
  .createServer((request, response) => response.end(JSON.stringify(process.env)))
  .listen({ fd: 3 });
`;
const MANIFEST = `command = ["./serve.cjs"]
protocol = "http"
[env]
FROM_MANIFEST = "yes"
BOTH = "manifest"
`;

describe('the environment of a worker', { skip: needsRoot }, () => {
  let usherd: UsherdRun;
  before(async () => {
    usherd = await UsherdRun.start([ALICE], { routerUid: 52_339 });
    usherd.write('alice/site', 'serve.cjs', PROGRAM, 0o755);
    usherd.write('alice/site', 'usherd.toml', MANIFEST);
  });
  after(() => usherd.stop());

  const fetchSite = async (app = 'site'): Promise<CgiAnswer> => {
    const front = await FrontClient.connect(usherd.frontSocket);
    const SCRIPT_FILENAME = `${usherd.root}/alice/apps/${app}`;
    const params = appParams(`alice/${app}`, '/', { SCRIPT_FILENAME });
    const answer = await front.fetch(params);
    front.close();
    return answer;
  };

  test('is exactly that, with secrets from .env and none of them on a command line', async () => {
    usherd.write('alice/site', '.env', 'SECRET="s3cr3t words"\nBOTH=env file\n', 0o600);
    const answer = await fetchSite();
    const seen = JSON.parse(answer.body.toString()) as Record<string, string>;
    const pid = Number(seen['LISTEN_PID']);
    assert.deepEqual(Object.keys(seen).sort(), [
      ...['BOTH', 'FROM_MANIFEST', 'HOME', 'LANG', 'LISTEN_FDS', 'LISTEN_PID', 'LOGNAME'],
      ...['PATH', 'SECRET', 'SHELL', 'TMPDIR', 'USER', 'USHERD_APP'],
    ]);
    assert.equal(seen['SECRET'], 's3cr3t words');
    assert.equal(seen['BOTH'], 'env file');
    assert.equal(seen['USHERD_APP'], 'alice/site');
    assert.ok(usherd.workerPids().includes(pid));
    for (const worker of usherd.workerPids()) {
      assert.doesNotMatch(readFileSync(`/proc/${worker}/cmdline`, 'latin1'), /s3cr3t/);
    }
  });

  test('a changed .env is taken by the next worker', async () => {
    usherd.write('alice/site', '.env', 'SECRET=other\n', 0o600);
    await waitFor('the new value', async () => {
      const { status, body } = await fetchSite();
      if (status !== 200) return false;
      return (JSON.parse(body.toString()) as Record<string, string>)['SECRET'] === 'other';
    });
  });

  test('a .env that others may read, or that has a broken line, is refused by name', async () => {
    for (const [name, mode, text, reason] of [
      ['group', 0o640, 'A=1\n', 'refused-env-file-mode'],
      ['world', 0o604, 'A=1\n', 'refused-env-file-mode'],
      ['broken', 0o600, 'A=1\nB\n', 'manifest-invalid'],
    ] as const) {
      usherd.write(`alice/${name}`, 'serve.cjs', PROGRAM, 0o755);
      usherd.write(`alice/${name}`, 'usherd.toml', MANIFEST);
      usherd.write(`alice/${name}`, '.env', text, mode);
      assert.equal((await fetchSite(name)).headers.get('x-usherd-reason'), reason, name);
    }
  });
});
