// Two versions of PHP side by side: the administrator adds one, an application asks for it, and all that PHP is given goes with it.
import assert from 'node:assert/strict';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FrontClient } from '../../support/front-client.js';
import { needsRoot } from '../../support/needs-root.js';
import { appParams } from '../../support/router-rig.js';
import { UsherdRun } from '../../support/usherd-run.js';

const ALICE = { name: 'alice', uid: 52_131 };
const PHP = '/usr/bin/php-cgi';
const noPhp = existsSync(PHP) ? false : `${PHP} is not installed`;

/** What only the other version is told, and one of the settings that keep users apart. */
const PAGE = `<?php echo ini_get('precision'), ' ', ini_get('cgi.fix_pathinfo');`;

describe('PHP in two versions', { skip: needsRoot || noPhp }, () => {
  let usherd: UsherdRun;
  let front: FrontClient;
  before(async () => {
    usherd = await UsherdRun.start([ALICE], { routerUid: 52_139 });
    const other = join(usherd.directory, 'php-cgi7.4');
    symlinkSync(PHP, other);
    await usherd.reconfigure(
      (text) =>
        `${text}[runtimes.php74]\nkind = "script"\nextensions = [".php"]\n` +
        `command = [${JSON.stringify(other)}, "-dprecision=5"]\n`,
    );
    for (const app of ['new', 'old']) usherd.write(`alice/${app}`, 'index.php', PAGE);
    usherd.write('alice/old', 'usherd.toml', 'runtime = "php74"\n');
    front = await FrontClient.connect(usherd.frontSocket);
  });
  after(async () => {
    front.close();
    await usherd.stop();
  });

  const get = async (app: string): Promise<string> => {
    const SCRIPT_FILENAME = `${usherd.root}/alice/apps/${app}/index.php`;
    const SCRIPT_NAME = `/~alice/apps/${app}/index.php`;
    const params = appParams(`alice/${app}`, '/', { SCRIPT_FILENAME, SCRIPT_NAME, PATH_INFO: '' });
    return (await front.fetch(params)).body.toString();
  };

  test('each application has the one that it asks for, and the other has what it had', async () => {
    assert.equal(await get('old'), '5 0');
    assert.match(await get('new'), /^(?:14|17) 0$/);
    const { apps } = await usherd.status();
    const runtimes = apps.map(({ app, runtime }) => `${app} ${runtime}`).sort();
    assert.deepEqual(runtimes, ['alice/new php', 'alice/old php74']);
  });
});
