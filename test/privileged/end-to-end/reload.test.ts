// A limit of one user that an administrator lowers and reloads: what runs of this user is replaced, however busy, and nothing else.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { FrontClient } from '../../support/front-client.js';
import { needsRoot } from '../../support/needs-root.js';
import { appParams } from '../../support/router-rig.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_311 };
const BOB = { name: 'bob', uid: 52_312 };
const noPhp = fs.existsSync('/usr/bin/php-cgi') ? false : 'php-cgi is not installed';

describe('a reload that lowers what one user may have', { skip: needsRoot || noPhp }, () => {
  let usherd: UsherdRun;
  let front: FrontClient;
  /** The process that answers. */
  const answererOf = async (app: string): Promise<string> => {
    const file = `${usherd.root}/${app.replace('/', '/apps/')}/index.php`;
    const params = { SCRIPT_FILENAME: file, SCRIPT_NAME: '/index.php' };
    const { status, body } = await front.fetch(appParams(app, '/index.php', params));
    assert.equal(status, 200, String(body));
    return String(body);
  };

  before(async () => {
    usherd = await UsherdRun.start([ALICE, BOB], { routerUid: 52_319 });
    for (const app of ['alice/blog', 'bob/shop']) {
      usherd.write(app, 'index.php', '<?php echo getmypid();');
    }
    front = await FrontClient.connect(usherd.frontSocket);
  });
  after(async () => {
    front.close();
    await usherd.stop();
  });

  for (const key of ['max_workers_per_app', 'max_workers_per_user']) {
    test(`to one worker (${key}) replaces the one that runs, under load, and no other's`, async () => {
      const [old, other] = [await answererOf('alice/blog'), await answererOf('bob/shop')];
      await usherd.reconfigure(
        (text) =>
          `${text}${key === 'max_workers_per_app' ? '[users.alice.limits]\n' : ''}${key} = 1\n`,
      );
      await waitFor('another worker', async () => (await answererOf('alice/blog')) !== old);
      assert.equal(await answererOf('bob/shop'), other);
      const { out } = await usherd.command('config', 'alice/blog');
      assert.match(out, new RegExp(`^${key} +1 `, 'm'));
    });
  }
});
