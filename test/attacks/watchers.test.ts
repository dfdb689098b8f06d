// Another user looks at every process of the machine while workers with secrets start (T45), again and again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { HostileHost } from '../support/hostile-host.js';
import { needsRoot } from '../support/needs-root.js';
import { perlWorker } from '../support/perl-worker.js';
import { waitFor } from '../support/wait-for.js';

const SECRET = 'correct-horse-battery-staple';
const STARTS_COUNT = 24;

/** Reads argv and environment of everything until its input ends; says how many it saw, and how often the secret. */
const WATCH = `
$| = 1; print "watching\\n"; fcntl STDIN, 4, 2048;
my ($seen, $hits, $launchers) = (0, 0, 0);
until (defined(my $read = sysread STDIN, my $byte, 1)) {
  for my $pid (map { m{(\\d+)} } glob '/proc/[0-9]*') {
    for my $file ('cmdline', 'environ') {
      open my $in, '<', "/proc/$pid/$file" or next; local $/; my $text = <$in> // ''; $seen++;
      $hits++ if index($text, $ARGV[0]) >= 0 && $pid != $$; $launchers++ if $text =~ /setpriv|launch/;
    }
  }
}
print "seen $seen launchers $launchers hits $hits\\n";`;

describe('another user who watches /proc', { skip: needsRoot }, () => {
  let host: HostileHost;
  before(async () => {
    host = await HostileHost.start(52_311);
  });
  after(() => host.usherd.stop());

  test('sees workers start and none of their secrets (T45)', async (t) => {
    const uid = host.uidOf('mallory');
    const drop = [
      `--reuid=${uid}`,
      `--regid=${uid}`,
      '--clear-groups',
      '--',
      'perl',
      '-e',
      WATCH,
      SECRET,
    ];
    const watcher = spawn('setpriv', drop, { stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    watcher.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await waitFor('the watcher', () => said.includes('watching'));
    for (let i = 0; i < STARTS_COUNT; i += 1) {
      const app = `alice/secret${i}`;
      host.usherd.write(app, 'usherd.toml', `[env]\nPASSWORD = "${SECRET}"\n`, 0o600);
      host.usherd.write(app, 'app.fcgi', perlWorker('return $ENV{PASSWORD}'), 0o755);
      assert.equal(await host.text(app), SECRET);
      await host.usherd.command('stop', app);
    }
    watcher.stdin.end();
    await once(watcher, 'close');
    t.diagnostic(said.trim().split('\n').at(-1) ?? '');
    assert.match(said, /seen [1-9]\d* launchers [1-9]\d* hits 0$/m);
    await host.isUnharmed();
  });
});
