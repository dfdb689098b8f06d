// A mistake in what the administrator says of one user, found when usherd starts, costs that user's applications and nobody else's.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { askSupervisor } from '../../../src/cli/control-client.js';
import { FrontClient, type CgiAnswer } from '../../support/front-client.js';
import { needsRoot } from '../../support/needs-root.js';
import { appParams } from '../../support/router-rig.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_311 };
const BOB = { name: 'bob', uid: 52_312 };
const noPhp = fs.existsSync('/usr/bin/php-cgi') ? false : 'php-cgi is not installed';

describe('a users.d/alice.toml with a mistake', { skip: needsRoot || noPhp }, () => {
  let usherd: UsherdRun;

  const say = (user: string, text: string): void =>
    fs.writeFileSync(`${usherd.directory}/users.d/${user}.toml`, text, { mode: 0o644 });

  async function fetch(user: string): Promise<CgiAnswer> {
    const front = await FrontClient.connect(usherd.frontSocket);
    const file = `${usherd.root}/${user}/apps/site/index.php`;
    const names = { SCRIPT_FILENAME: file, SCRIPT_NAME: '/index.php' };
    const answer = await front.fetch(appParams(`${user}/site`, '/index.php', names));
    front.close();
    return answer;
  }
  const told = async (user: string): Promise<string> => {
    const { status, headers, body } = await fetch(user);
    return `${status} ${headers.get('x-usherd-reason') ?? body.toString()}`;
  };

  before(async () => {
    usherd = await UsherdRun.start([ALICE, BOB], {
      routerUid: 52_319,
      prepare: (it) => {
        fs.mkdirSync(`${it.directory}/users.d`, { mode: 0o755 });
        fs.writeFileSync(`${it.directory}/users.d/alice.toml`, '[limits]\nqueue_length = = 5\n');
        for (const { name } of it.users)
          it.write(`${name}/site`, 'index.php', `<?php echo '${name}';`);
      },
    });
  });
  after(() => usherd.stop());

  test('keeps alice from having workers, with the reason, and bob is served', async () => {
    assert.equal(await told('bob'), '200 bob');
    assert.equal(await told('alice'), '503 settings-invalid');
  });

  test('is what status begins with, with file and line, before anybody asks for anything', async () => {
    const { out } = await usherd.command('status');
    assert.match(out, /^alice: settings with a mistake: no workers/m);
    assert.match(out, /users\.d\/alice\.toml:2: .*\n {4}remedy: .*usherd reload/);
    assert.doesNotMatch((await usherd.command('status', 'bob')).out, /alice/);
  });

  test('is refused by check', async () => {
    const { code, out } = await usherd.command('check');
    assert.equal(code, 1);
    assert.match(out, /users\.d\/alice\.toml:2/);
  });

  test('lets commands run as bob, and none as alice', async () => {
    const bob = await usherd.command('run-as', 'bob/site', '--', 'id', '-u');
    assert.deepEqual([bob.code, bob.out.trim()], [0, String(BOB.uid)]);
    const alice = await usherd.command('run-as', 'alice/site', '--', 'id', '-u');
    assert.notEqual(alice.code, 0);
    assert.match(alice.out, /E_SETTINGS_INVALID[^]*users\.d\/alice\.toml:2/);
  });

  test('is mended with a reload, which refuses every mistake and changes nothing then', async () => {
    say('alice', '');
    assert.equal((await usherd.command('reload')).code, 0);
    assert.equal(await told('alice'), '200 alice');
    say('bob', 'suspended = "no"\n');
    const { code, out } = await usherd.command('reload');
    assert.notEqual(code, 0);
    assert.match(out, /users\.d\/bob\.toml:1/);
    assert.equal(await told('bob'), '200 bob');
  });

  test('does not keep a router away that starts meanwhile', async () => {
    const router = usherd.pidOf('router');
    process.kill(router, 'SIGKILL');
    const socket = `${usherd.directory}/run/control.sock`;
    await waitFor('another router', async () => {
      if (usherd.pidOf('router') === router) return false;
      return (await askSupervisor(socket, { command: 'ping' }))['router'] === true;
    });
    assert.equal(await told('bob'), '200 bob');
    assert.equal(await told('alice'), '200 alice');
  });
});
