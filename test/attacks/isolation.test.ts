// What a tenant's code tries from behind the walls of `isolation = "strict"`: to see, to signal, to mount, to get out.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HostileHost } from '../support/hostile-host.js';
import { needsWalls } from '../support/bubblewrap.js';
import { perlWorker } from '../support/perl-worker.js';

const STRICT = 'isolation = "strict"\n';
const SECRET = 'everybody outside may read this';

/** Perl: every place where the text `$secret` can be found from here, however it is reached. */
const SEARCH = `
  my @found;
  my @doors = ('', map({ ("$_/root", "$_/cwd") } glob '/proc/[0-9]*'), glob('/proc/[0-9]*/fd/*'),
               glob('/proc/[0-9]*/task/*/root'), map { "$_/.." x 1 } glob '/proc/[0-9]*/cwd');
  for my $door (@doors) {
    for my $up ('', '/..', '/../..', '/../../../../../../..') {
      open my $file, '<', "$door$up$path" or next;
      push @found, "$door$up" if join('', <$file>) =~ /everybody outside/;
    }
  }
  return "found [@found]";`;

describe('code of a tenant behind walls', { skip: needsWalls }, () => {
  let host: HostileHost;
  const secretPath = (): string => join(host.usherd.root, 'bob/apps/open/secret.txt');

  before(async () => {
    host = await HostileHost.start(52_401);
    // As open as a careless neighbour leaves it.
    host.usherd.write('bob/open', 'secret.txt', SECRET, 0o644);
    for (const directory of ['bob', 'bob/apps', 'bob/apps/open', 'alice', 'alice/apps']) {
      chmodSync(join(host.usherd.root, directory), 0o755);
    }
    host.usherd.write('alice/other', 'app.fcgi', perlWorker(`return $$`), 0o755);
    host.usherd.write('alice/other', 'secret.txt', SECRET, 0o644);
  });
  after(() => host.usherd.stop());

  /** Runs the attempt as an application of alice's, with or without walls, and returns what it says about it. */
  async function attempt(app: string, perl: string, manifest = STRICT): Promise<string> {
    host.usherd.write(`alice/${app}`, 'usherd.toml', manifest, 0o600);
    host.usherd.write(`alice/${app}`, 'app.fcgi', perlWorker(perl), 0o755);
    const said = await host.text(`alice/${app}`);
    await host.isUnharmed();
    return said;
  }

  test('finds no file of another user or application, by path, link, /proc or descriptor (T127, T130)', async () => {
    const other = join(host.usherd.root, 'alice/apps/other/secret.txt');
    for (const [app, path] of [
      ['files', secretPath()],
      ['files2', other],
    ] as const) {
      const perl = `my $path = '${path}'; ${SEARCH}`;
      assert.match(await attempt(`open-${app}`, perl, ''), /^found \[ ?(?!\])/, 'without walls');
      assert.equal(await attempt(app, perl), 'found []');
    }
    const link = join(host.usherd.root, 'alice/apps/link');
    mkdirSync(link);
    symlinkSync(join(secretPath(), '..'), join(link, 'bobs'));
    assert.equal(
      await attempt(
        'link',
        `return -e 'bobs/secret.txt' ? 'seen' : -l 'bobs' ? 'hidden' : 'no link'`,
      ),
      'hidden',
    );
  });

  test('holds its socket and its log, and no descriptor that leads out (T130)', async () => {
    const said = await attempt(
      'descriptors',
      `
      my @own = grep { m{^/} && !m{^/proc/|app.fcgi$} } map { readlink // () } glob '/proc/self/fd/*';
      # bubblewrap's own process inside: its descriptors are ours for the asking, so they may not lead anywhere.
      my @first = grep { defined && m{^/} && !m{^/dev/null} } map { readlink } glob '/proc/1/fd/*';
      return "own @own first @first";`,
    );
    assert.equal(said, 'own  first ');
  });

  test('sees its own processes and no others, and none can be signalled or traced (T128)', async () => {
    const outside = await host.text('alice/other');
    const look = `
      my @pids = map { m{(\\d+)} } glob '/proc/[0-9]*';
      my $others = '';
      for my $pid (@pids) {
        open my $file, '<', "/proc/$pid/comm" or next;
        my $name = <$file>; $others .= $name if $name !~ /^(?:bwrap|app\\.fcgi|perl)/;
      }
      my $signalled = kill 0, ${outside};
      my $swept = kill 'KILL', grep { $_ > 5 } @pids;
      return 'pids ' . (@pids > 3 ? 'many' : 'few') . " others [$others] signalled $signalled swept $swept";`;
    assert.match(await attempt('open-processes', `return kill 0, ${outside}`, ''), /^1$/);
    assert.equal(await attempt('processes', look), 'pids few others [] signalled 0 swept 0');
    assert.equal(await host.text('alice/other'), outside, 'the other application lives');
  });

  test('shares no memory and no semaphore with the user’s other programs (T128)', async () => {
    // Twice the same program: the first makes a segment that anybody may use, the second looks for it.
    const shares = `
      my $made = shmget(4711, 64, 01666);
      my $shm = open(my $f, '>', '/dev/shm/usherd-attack') ? 'wrote' : 'could not write';
      return (defined $made ? 'segment' : 'none') . " $shm";`;
    const looks = `
      my $found = shmget(4711, 64, 0);
      return (defined $found ? 'segment' : 'none') . (-e '/dev/shm/usherd-attack' ? ' file' : ' nothing');`;
    try {
      assert.equal(await attempt('open-shares', shares, ''), 'segment wrote');
      assert.equal(await attempt('open-looks', looks, ''), 'segment file', 'without walls');
      assert.equal(await attempt('looks', looks), 'none nothing');
    } finally {
      execFileSync('/bin/sh', ['-c', 'ipcrm -M 4711; rm -f /dev/shm/usherd-attack']);
    }
  });

  test('writes nothing outside, mounts nothing, and makes no namespace and no capability (T129)', async () => {
    const said = await attempt(
      'mounts',
      `
      my @said;
      for my $path ('/usr', '/etc', '/', '/opt', '/sys', '/proc/sys/kernel') {
        push @said, "wrote $path" if open my $file, '>', "$path/usherd-attack";
      }
      for my $command ('mount -o remount,rw /usr', 'mount -o remount,rw,bind /etc', 'mount -t tmpfs none /tmp',
                       'umount /tmp', 'umount -l /proc', 'unshare -U true', 'unshare -r true', 'unshare -m true',
                       'chroot / true', 'hostname evil') {
        push @said, $command if system("/bin/sh -c '$command' >/dev/null 2>&1") == 0;
      }
      open my $status, '<', '/proc/self/status';
      push @said, grep { /^(?:Cap\\w+:\\s*0*[1-9a-f]|NoNewPrivs:\\s*0)/ } <$status>;
      return "said [@said]";`,
    );
    assert.equal(said, 'said []');
    assert.equal(existsSync('/usr/usherd-attack') || existsSync('/etc/usherd-attack'), false);
  });

  test('finds no socket of usherd, of another user or of a service that is not named (T131)', async () => {
    const run = join(host.usherd.directory, 'run');
    const sockets = [
      ...['control.sock', 'supervisor.sock', 'router/log.sock', 'front/front.sock'].map((name) =>
        join(run, name),
      ),
      ...readdirSync(join(run, 'worker')).map((name) => join(run, 'worker', name)),
    ];
    assert.ok(sockets.length > 4);
    const said = await attempt(
      'sockets',
      `my @seen = grep { -e } qw(${sockets.join(' ')} ${run} /run/dbus /run/user /run/usherd /var/run/docker.sock);
       return "seen [@seen]";`,
    );
    assert.equal(said, 'seen []');
  });

  test('keeps the walls that the administrator put up, whatever the manifest says (T132)', async () => {
    const look = `return -e '${secretPath()}' ? 'seen' : 'hidden'`;
    assert.equal(await attempt('asks-none', look, 'isolation = "none"\n'), 'seen');
    await host.usherd.reconfigure((text) => `${text}\n[isolation]\nmode = "strict"\n`);
    try {
      assert.equal(await attempt('asks-nothing', look, ''), 'hidden');
      assert.equal(await attempt('still-asks-none', look, 'isolation = "none"\n'), 'hidden');
    } finally {
      await host.usherd.reconfigure((text) => text.replace('\n[isolation]\nmode = "strict"\n', ''));
    }
  });

  test('runs nothing of its own before the walls stand, by way of its environment (T132)', async () => {
    // What a library of the tenant's would do in bubblewrap itself: the dynamic linker says what it was asked to load.
    const said = await attempt(
      'preload',
      `
      my @early;
      for my $pid (map { m{(\\d+)} } glob '/proc/[0-9]*') {
        open my $file, '<', "/proc/$pid/environ" or next;
        local $/; my $text = <$file> // '';
        push @early, $pid if $pid == 1 && $text =~ /LD_PRELOAD|SECRET/;
      }
      return "$ENV{SECRET} early [@early] log " . (-s '/tmp/debug' // 0);`,
      `${STRICT}[env]\nSECRET = "s"\nLD_PRELOAD = "/nonexistent.so"\n`,
    );
    assert.match(said, /^s early \[\] log 0$/);
  });
});
