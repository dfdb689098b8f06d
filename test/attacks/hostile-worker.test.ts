// What a tenant's own code tries from inside a worker, against root, the router, the log and other users.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HostileHost } from '../support/hostile-host.js';
import { shellAs } from '../support/as-uid.js';
import { needsRoot } from '../support/needs-root.js';
import { perlWorker } from '../support/perl-worker.js';
import { waitFor } from '../support/wait-for.js';

const noPhp = existsSync('/usr/bin/php-cgi') ? false : 'php-cgi is not installed';
const SECRET = 'only root may know';

describe('code of a tenant', { skip: needsRoot }, () => {
  let host: HostileHost;
  before(async () => {
    host = await HostileHost.start(52_301);
    writeFileSync(join(host.usherd.directory, 'secret'), SECRET, { mode: 0o600 });
  });
  after(() => host.usherd.stop());

  /** Runs the attempt as an application of alice's and returns what it says about it. */
  async function attempt(app: string, perl: string, first = ''): Promise<string> {
    host.usherd.write(`alice/${app}`, 'app.fcgi', perlWorker(perl, first), 0o755);
    const said = await host.text(`alice/${app}`);
    await host.isUnharmed();
    return said;
  }

  const logOf = (app: string): string => {
    const file = join(host.usherd.directory, 'log/alice', `${app}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };

  test('in twelve applications of a user with eight places: each is served in its turn (T96)', async () => {
    for (let i = 0; i < 12; i += 1) {
      host.usherd.write(`mallory/app${i}`, 'app.fcgi', perlWorker(`return "app ${i}"`), 0o755);
      assert.equal(await host.text(`mallory/app${i}`), `app ${i}`);
    }
    await host.isUnharmed();
  });

  test('becomes neither root nor anybody else, and gains no group (T36)', async () => {
    const said = await attempt(
      'becomes',
      `
      my @said;
      push @said, 'uid ' . (POSIX::setuid(0) // 'no');
      push @said, 'gid ' . (POSIX::setgid(0) // 'no');
      $) = "0 0"; push @said, "groups $)";
      $> = 0; push @said, "euid $>";
      $< = ${host.uidOf('bob')}; push @said, "ruid $<";
      return join "\\n", @said;`,
    );
    const uid = host.uidOf('alice');
    const groups = `${uid}(?: ${uid})*`;
    assert.match(
      said,
      new RegExp(`^uid no\\ngid no\\ngroups ${groups}\\neuid ${uid}\\nruid ${uid}$`),
    );
  });

  test('reads nothing of root’s from a user namespace either (T36)', async () => {
    const secret = join(host.usherd.directory, 'secret');
    const said = await attempt(
      'namespace',
      `my $said = join '', map { \`/usr/bin/unshare $_ /bin/sh -c 'id -u; cat ${secret}; mount -t tmpfs none /srv && echo mounted' 2>&1\` } '-r', '-rm';
       $said .= -e '${host.usherd.root}/alice' ? 'still there' : 'gone';
       return $said;`,
    );
    assert.doesNotMatch(said, new RegExp(SECRET));
    assert.match(said, /still there$/);
  });

  test('finds three descriptors, and does no harm through any of them (T49, T50)', async () => {
    const said = await attempt(
      'descriptors',
      `
      my %to = map { s{.*/}{}r => readlink() // '' } glob '/proc/self/fd/*';
      # perl's own: the script that it reads; the one that it listed them from is closed by now.
      my @fds = sort grep { $to{$_} !~ m{^$|/app[.]fcgi$} } keys %to;
      my @own = grep { $_ <= 2 || $to{$_} !~ /^socket:/ } @fds;
      my $sockets = grep { $to{$_} =~ /^socket:/ } @fds; # and the connection that asks
      syswrite STDOUT, "before\\n";
      my @harm;
      for my $fd (0, 1, 2) {
        open my $handle, '+<&=', $fd or next;
        push @harm, "truncated $fd" if truncate $handle, 0;
        push @harm, "sought $fd" if sysseek $handle, 0, 0;
        push @harm, "opened $fd" if open my $again, '<', "/proc/self/fd/$fd";
        push @harm, "opened $fd to write" if open my $again, '>', "/proc/self/fd/$fd";
        fcntl $handle, 4, 2048; fcntl $handle, 4, 0; fcntl $handle, 1031, 4096;
        chmod 0777, "/proc/self/fd/$fd";
        if ($fd > 0) { syswrite $handle, "line of $fd\\n" }
      }
      syswrite STDOUT, "after\\n";
      return "own @own sockets $sockets\\nharm @harm";`,
    );
    assert.equal(said, 'own 0 1 2 sockets 4\nharm ');
    const lines = await waitFor('the log', () => {
      const text = logOf('descriptors');
      return text.includes('after') ? text : undefined;
    });
    for (const line of ['before', 'line of 1', 'line of 2', 'after']) {
      assert.match(lines, new RegExp(`${line}$`, 'm'));
    }
  });

  test('sends descriptors to the router and costs it none (T51)', async () => {
    const sends = readFileSync(
      join(import.meta.dirname, '../../../test/fixtures/workers/passes-descriptors'),
      'utf8',
    );
    host.usherd.write('alice/sends', 'app.fcgi', sends, 0o755);
    const asked = host.fetch('alice/sends');
    asked.catch(() => undefined); // it never answers; it is stopped below
    await waitFor('the burst', () => /sent [1-9]/.test(logOf('sends')));
    await host.isUnharmed();
    await host.usherd.command('stop', 'alice/sends');
  });

  test('finds no abstract socket of usherd to sit on, and none that listens to it (T61)', async () => {
    const said = await attempt(
      'abstract',
      `
      socket my $own, PF_UNIX, SOCK_STREAM, 0; bind $own, pack('S', 1) . "\\0usherd/supervisor.sock"; listen $own, 5;
      open my $table, '<', '/proc/net/unix'; my @names = map { / (@\\S+)$/ ? $1 : () } <$table>;
      return join ' ', grep { /usherd/ && $_ ne '@usherd/supervisor.sock' } @names;`,
    );
    assert.equal(said, '');
    host.usherd.write('alice/after', 'app.fcgi', perlWorker('return "served"'), 0o755);
    assert.equal(await host.text('alice/after'), 'served');
  });

  test('reaches no socket of usherd but its own (T54, T55)', async () => {
    const run = join(host.usherd.directory, 'run');
    const said = await attempt(
      'connects',
      `
      my @reached;
      for my $path ('${run}/control.sock', '${run}/supervisor.sock', '${run}/front/front.sock', '${run}/router/log.sock', glob('${run}/worker/*')) {
        socket my $to, PF_UNIX, SOCK_STREAM, 0;
        push @reached, $path if connect $to, sockaddr_un($path);
      }
      return "reached @reached";`,
    );
    assert.equal(said, 'reached ');
  });

  test('does not see what front sockets there are, nor does anybody else (T57)', async () => {
    const front = join(host.usherd.directory, 'run/front');
    assert.equal(await attempt('lists', `return join ' ', glob '${front}/*'`), '');
    for (const uid of [host.uidOf('bob'), 33]) {
      assert.match(shellAs(uid, `ls ${front}`), /Permission denied/, `uid ${uid}`);
    }
    assert.match(shellAs(0, `ls ${front}`), /front[.]sock/);
  });

  test('is started as the account whatever group its directory has (T38)', async () => {
    host.usherd.write('alice/group', 'app.fcgi', perlWorker('return "$< $("'), 0o755);
    chownSync(join(host.usherd.root, 'alice/apps/group'), host.uidOf('alice'), 0);
    const uid = host.uidOf('alice');
    assert.equal((await host.text('alice/group')).replace(/ .*/, ''), String(uid));
    assert.doesNotMatch(await host.text('alice/group'), / 0\b/);
  });

  test(
    'a link in its web root leads nowhere that its user may not go (T69)',
    { skip: noPhp },
    async () => {
      host.usherd.write('bob/private', 'secret.php', `<?php echo "${SECRET}";`, 0o600);
      chmodSync(join(host.usherd.root, 'bob/apps/private'), 0o700);
      host.usherd.write('alice/links', 'index.php', '<?php echo "own";');
      symlinkSync(
        join(host.usherd.root, 'bob/apps/private/secret.php'),
        join(host.usherd.root, 'alice/apps/links/other.php'),
      );
      assert.equal(await host.text('alice/links', '/index.php'), 'own');
      assert.doesNotMatch(await host.text('alice/links', '/other.php'), new RegExp(SECRET));
      await host.isUnharmed();
    },
  );

  test(
    'php.ini and .user.ini of one user change nothing for another (T22)',
    { skip: noPhp },
    async () => {
      const show = '<?php echo ini_get("user_agent"), "|", ini_get("memory_limit");';
      const ini = 'user_agent = "mine"\nmemory_limit = 17M\n';
      for (const name of ['.user.ini', 'php.ini']) host.usherd.write('alice/ini', name, ini);
      for (const app of ['alice/ini', 'bob/ini']) host.usherd.write(app, 'index.php', show);
      const own = await host.text('alice/ini', '/index.php');
      const other = await host.text('bob/ini', '/index.php');
      assert.doesNotMatch(other, /mine|17M/);
      assert.equal(own, 'mine|17M', 'they do something at all');
      await host.isUnharmed();
    },
  );
});
