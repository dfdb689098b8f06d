// What an application cannot run without: named in the answer and in the log, and served as soon as it is there.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FrontClient, type CgiAnswer } from '../../support/front-client.js';
import { needsRoot } from '../../support/needs-root.js';
import { appParams } from '../../support/router-rig.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_391 };

describe('an application whose runtime is missing', { skip: needsRoot }, () => {
  let usherd: UsherdRun;
  let front: FrontClient;
  before(async () => {
    const apps = 'mode = "development"';
    usherd = await UsherdRun.start([ALICE], { routerUid: 52_399, apps });
    front = await FrontClient.connect(usherd.frontSocket);
  });
  after(async () => {
    front.close();
    await usherd.stop();
  });

  const get = (name: string): Promise<CgiAnswer> => {
    const directory = `${usherd.root}/alice/apps/${name}`;
    return front.fetch(appParams(`alice/${name}`, '/', { SCRIPT_FILENAME: directory }));
  };
  const logOf = (name: string): string =>
    readFileSync(join(usherd.directory, `log/alice/${name}.log`), 'utf8');

  test('a script without its interpreter is answered with what is missing, until it is there', async () => {
    const shell = join(usherd.directory, 'shell5.9');
    const script = `#!${shell}\nexec /usr/bin/php-cgi\n`;
    usherd.write('alice/script', 'app.fcgi', script, 0o755);
    const { status, headers, body } = await get('script');
    assert.equal(status, 503);
    assert.equal(headers.get('x-usherd-reason'), 'runtime-missing');
    assert.equal(headers.get('retry-after'), '60');
    assert.match(body.toString(), /shell5\.9, which is not there[^]*Debian package shell5\.9/);
    await waitFor('its line', () => logOf('script').includes('Debian package shell5.9'));
    assert.doesNotMatch(logOf('script'), /a worker /, 'nothing was started');
    copyFileSync('/bin/sh', shell);
    await waitFor('it is served', async () => {
      return (await get('script')).headers.get('x-usherd-reason') !== 'runtime-missing';
    });
    rmSync(shell);
  });

  test('a command of a Procfile that is not there is told apart from a program that dies', async () => {
    usherd.write('alice/proc', 'Procfile', 'web: no-such-server app:app\n');
    const reasons: (string | undefined)[] = [];
    await waitFor('the reason', async () => {
      const { status, headers, body } = await get('proc');
      assert.match(body.toString(), /no-such-server: not found/, 'its last words, whichever page');
      reasons.push(`${status} ${headers.get('x-usherd-reason') ?? ''}`);
      return reasons.at(-1) === '503 runtime-missing';
    });
    assert.ok(!reasons.includes('503 crash-loop'), reasons.join());
    assert.match(logOf('proc'), /code 127 \(a command that it runs is not there\)/);
  });
});
