// `usherd check USER/APP`, as root: says which rules refuse an application, each with its remedy, and starts nothing.
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HostileHost } from '../../support/hostile-host.js';
import { needsRoot } from '../../support/needs-root.js';
import { perlWorker } from '../../support/perl-worker.js';

describe('usherd check USER/APP', { skip: needsRoot }, () => {
  let host: HostileHost;
  before(async () => {
    host = await HostileHost.start(52_341);
  });
  after(() => host.usherd.stop());

  test('says as whom and as what a sound application runs, and does not run it', async () => {
    host.usherd.write('alice/sound', 'app.fcgi', perlWorker('return "x"'), 0o755);
    const before = host.usherd.workerPids().length;
    const { code, out } = await host.usherd.command('check', 'alice/sound');
    assert.equal(code, 0, out);
    assert.match(out, /runs as uid 52341, runtime fastcgi: no rule refuses it/);
    assert.equal(host.usherd.workerPids().length, before);
  });

  test('prints every rule that refuses it, with path and remedy', async () => {
    host.usherd.write('alice/open', 'app.fcgi', perlWorker('return "x"'), 0o4777);
    host.usherd.write('alice/open', 'usherd.toml', '', 0o666);
    const directory = join(host.usherd.root, 'alice/apps/open');
    chmodSync(directory, 0o777);
    const { code, out } = await host.usherd.command('check', 'alice/open');
    assert.notEqual(code, 0);
    for (const rule of ['app-directory-mode', 'manifest-mode', 'entry-mode']) {
      assert.match(out, new RegExp(`\\(${rule}\\)`));
    }
    assert.match(out, new RegExp(`chmod go-w ${directory}/usherd.toml`));
    assert.doesNotMatch(out, / at .*\.js:/);
  });

  test('names the directory that the web server may not enter, as `usherd explain` does', async () => {
    host.usherd.write('alice/sound', 'app.fcgi', perlWorker('return "x"'), 0o755);
    const home = join(host.usherd.root, 'alice');
    for (const [mode, isTold] of [
      [0o755, false],
      [0o711, false],
      [0o700, true],
    ] as const) {
      chmodSync(home, mode);
      for (const command of ['check', 'explain']) {
        const { code, out } = await host.usherd.command(command, 'alice/sound');
        assert.equal(code, 0, out);
        assert.equal(
          out.includes(`${home}: a directory that the account www-data may not enter`),
          isTold,
          out,
        );
        assert.equal(out.includes(`chmod o+x ${home}, or`), isTold, out);
      }
    }
    chmodSync(home, 0o755);
  });

  test('knows what is not there, and what is no name', async () => {
    const missing = await host.usherd.command('check', 'alice/nothing');
    assert.match(missing.out, /app-directory-missing/);
    const nobody = await host.usherd.command('check', 'nosuchaccount/blog');
    assert.match(nobody.out, /account-exists/);
    const unnamed = await host.usherd.command('check', '../etc');
    assert.match(unnamed.out, /is no application/);
    for (const { code } of [missing, nobody, unnamed]) assert.notEqual(code, 0);
  });
});
