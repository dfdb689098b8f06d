// Two versions of PHP side by side: the administrator adds one, an application asks for it, and all that PHP is given goes with it.
// One of them is upgraded: its applications take the new one.
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FrontClient, type CgiAnswer } from '../../support/front-client.js';
import { needsRoot } from '../../support/needs-root.js';
import { appParams } from '../../support/router-rig.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_131 };
const PHP = '/usr/bin/php-cgi';
const noPhp = existsSync(PHP) ? false : `${PHP} is not installed`;

/** PHP_FCGI_MAX_REQUESTS of a php-cgi that is told nothing. */
const PHPS_OWN_SHARE = 500;

/** What only the other version is told, and one of the settings that keep users apart. */
const PAGE = `<?php echo ini_get('precision'), ' ', ini_get('cgi.fix_pathinfo');`;

/** A PHP as a package has it, in a place where nobody but root can put another one. */
class Installed {
  readonly #directory = mkdtempSync('/opt/usherd-test-');
  readonly program = join(this.#directory, 'php-cgi8.0');
  #count = 0;

  constructor() {
    chmodSync(this.#directory, 0o755);
    this.upgrade();
  }

  /** Another file at once, as dpkg(1) and update-alternatives(1) do it; the old ones stay, so that no inode comes twice. */
  upgrade(): void {
    const file = join(this.#directory, `version-${(this.#count += 1)}`);
    writeFileSync(file, `#!/bin/sh\nexec ${PHP} "$@"\n`, { mode: 0o755 });
    symlinkSync(file, `${file}.link`);
    renameSync(`${file}.link`, this.program);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true });
  }
}

describe('PHP in two versions', { skip: needsRoot || noPhp }, () => {
  let usherd: UsherdRun;
  let front: FrontClient;
  let installed: Installed;
  before(async () => {
    // So that no worker is replaced because it has served its share.
    const more = '[limits]\nmax_requests = 1000000\n';
    usherd = await UsherdRun.start([ALICE], { routerUid: 52_139, more });
    installed = new Installed();
    const other = join(usherd.directory, 'php-cgi7.4');
    symlinkSync(PHP, other);
    await usherd.reconfigure(
      (text) =>
        `${text}[runtimes.php74]\ncommand = [${JSON.stringify(other)}, "-dprecision=5"]\n` +
        `[runtimes.php80]\ncommand = [${JSON.stringify(installed.program)}]\n`,
    );
    for (const app of ['new', 'old']) usherd.write(`alice/${app}`, 'index.php', PAGE);
    usherd.write('alice/old', 'usherd.toml', 'runtime = "php74"\n');
    front = await FrontClient.connect(usherd.frontSocket);
  });
  after(async () => {
    front.close();
    await usherd.stop();
    installed.remove();
  });

  const ask = (app: string, script: string, more = {}): Promise<CgiAnswer> => {
    const SCRIPT_FILENAME = `${usherd.root}/alice/apps/${app}/${script}`;
    const SCRIPT_NAME = `/~alice/apps/${app}/${script}`;
    const names = { SCRIPT_FILENAME, SCRIPT_NAME, PATH_INFO: '', ...more };
    return front.fetch(appParams(`alice/${app}`, '/', names));
  };
  const get = async (app: string): Promise<string> => (await ask(app, 'index.php')).body.toString();

  test('each application has the one that it asks for, and the other has what it had', async () => {
    assert.equal(await get('old'), '5 0');
    assert.match(await get('new'), /^(?:14|17) 0$/);
    const { apps } = await usherd.status();
    const runtimes = apps.map(({ app, runtime }) => `${app} ${runtime}`).sort();
    assert.deepEqual(runtimes, ['alice/new php', 'alice/old php74']);
  });

  test('the other one, too, is not left to count its requests, and a script that is not there has its reason', async () => {
    usherd.write('alice/posted', 'index.php', '<?php echo getmypid();');
    usherd.write('alice/posted', 'usherd.toml', 'runtime = "php74"\n');
    const served = new Map<string, number>();
    for (let n = 0; n < PHPS_OWN_SHARE + 100; n += 1) {
      const { status, body } = await ask('posted', 'index.php', { REQUEST_METHOD: 'POST' });
      assert.equal(status, 200);
      served.set(body.toString(), (served.get(body.toString()) ?? 0) + 1);
    }
    assert.deepEqual([...served.values()], [PHPS_OWN_SHARE + 100], 'one worker for all');
    const missing = await ask('posted', 'none.php');
    assert.deepEqual([missing.status, missing.headers.get('x-usherd-reason')], [404, 'no-script']);
  });

  test('an upgrade restarts the applications of that version and no others, and no request fails', async () => {
    for (const app of ['kept', 'upgraded']) {
      usherd.write(`alice/${app}`, 'index.php', '<?php echo getmypid();');
    }
    usherd.write('alice/upgraded', 'usherd.toml', 'runtime = "php80"\n');
    const [kept, former] = [await get('kept'), await get('upgraded')];
    assert.match(former, /^\d+$/);
    await waitFor('a worker of the new PHP', async () => {
      // Again and again: the first look, with which later ones are compared, ends some time after the start.
      installed.upgrade();
      const answer = await get('upgraded');
      assert.match(answer, /^\d+$/);
      return answer !== former;
    });
    assert.equal(await get('kept'), kept);
  });
});
