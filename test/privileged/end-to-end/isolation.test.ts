// Applications behind walls as an administrator has them: languages behind Apache, status, run-as, check, and machines that cannot.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { needsWalls } from '../../support/bubblewrap.js';
import { HostileHost } from '../../support/hostile-host.js';
import { testLanguage } from '../../support/languages/matrix.js';
import { perlWorker } from '../../support/perl-worker.js';
import { waitFor } from '../../support/wait-for.js';

const STRICT = '[isolation]\nmode = "strict"\n';
const BIN = join(import.meta.dirname, '../../../../bin/usherd');

if (needsWalls === false) {
  for (const name of ['node', 'perl', 'php', 'python']) testLanguage(name, STRICT);
}

/** What a command says where the machine is as the shell lines make it, in mounts of its own. */
async function inMachine(lines: string, command: readonly string[]): Promise<string> {
  const script = `set -e; mount --make-rprivate /; ${lines}`;
  const args = ['--mount', '/bin/sh', '-c', script, 'machine', ...command];
  const { stdout, stderr } = await promisify(execFile)('/usr/bin/unshare', args).catch(
    (err: unknown) => err as { stdout: string; stderr: string },
  );
  return stdout + stderr;
}

describe('an application behind walls', { skip: needsWalls }, () => {
  let host: HostileHost;
  before(async () => {
    host = await HostileHost.start(52_411);
  });
  after(() => host.usherd.stop());

  const deploy = (app: string, perl: string, manifest = 'isolation = "strict"\n'): void => {
    host.usherd.write(`alice/${app}`, 'usherd.toml', manifest, 0o600);
    host.usherd.write(`alice/${app}`, 'app.fcgi', perlWorker(perl), 0o755);
  };

  test('finds names, time zones, certificates and accounts', async () => {
    deploy(
      'system',
      `
      use Socket; my @said;
      push @said, 'name ' . (gethostbyname('localhost') ? 'yes' : 'no');
      $ENV{TZ} = 'Asia/Tokyo'; POSIX::tzset(); push @said, 'zone ' . POSIX::strftime('%Z', localtime 0);
      push @said, 'account ' . (getpwuid(0))[0];
      push @said, 'certificates ' . (-d '/etc/ssl/certs' ? 'yes' : 'no');
      push @said, 'resolver ' . (-r '/etc/resolv.conf' || !-e '/etc/resolv.conf' ? 'yes' : 'no');
      push @said, 'null ' . (open(my $null, '>', '/dev/null') ? 'yes' : 'no');
      for my $place ('/tmp', '/var/tmp', '/dev/shm', $ENV{TMPDIR}, '.') {
        push @said, "writes $place" if !open my $file, '>', "$place/usherd-test";
      }
      push @said, 'same' if -e "$ENV{TMPDIR}/usherd-test" && -e '/tmp/usherd-test';
      return join '; ', @said;`,
    );
    const expected =
      'name yes; zone JST; account root; certificates yes; resolver yes; null yes; same';
    assert.equal(await host.text('alice/system'), expected);
  });

  test('reaches a service whose socket the administrator shows, and only that', async () => {
    const services = ['shown', 'other'].map((name) => {
      const path = join(host.usherd.directory, `${name}.sock`);
      return { path, server: createServer((peer) => peer.end(name)).listen(path) };
    });
    const [shown, other] = services;
    const connects = services.map(
      ({ path }) => `
        socket(my $s, PF_UNIX, SOCK_STREAM, 0);
        push @said, connect($s, pack_sockaddr_un('${path}')) ? scalar <$s> : 'none';`,
    );
    deploy('service', `my @said; { ${connects.join('} {')} } return "@said";`);
    for (const { path } of services) chmodSync(path, 0o666);
    await host.usherd.reconfigure(
      (text) => `${text}\n[isolation]\nvisible = ["${shown?.path ?? ''}"]\n`,
    );
    assert.equal(await host.text('alice/service'), 'shown none');
    await host.usherd.reconfigure((text) => text.slice(0, text.indexOf('\n[isolation]')));
    for (const { server } of [shown, other].filter((it) => it !== undefined)) server.close();
  });

  test('is told from others by status, explain, config and run-as, and its memory counts', async () => {
    deploy('told', `return 'x' x 10`);
    deploy('plain', `return 'x' x 10`, '');
    await host.text('alice/told');
    await host.text('alice/plain');
    const { apps } = await host.usherd.status();
    const rows = apps.filter(({ app }) => /told|plain/.test(app)) as unknown as {
      app: string;
      isolation: string;
      workers: { rssBytes: number }[];
    }[];
    const [plain, told] = rows;
    assert.deepEqual([plain?.isolation, told?.isolation], ['none', 'strict']);
    // The same program: bubblewrap alone would have a fifth of it.
    assert.ok((told?.workers[0]?.rssBytes ?? 0) > (plain?.workers[0]?.rssBytes ?? 0) / 2);
    assert.match((await host.usherd.command('status')).out, /^isolated: .*alice\/told/m);
    assert.match((await host.usherd.command('explain', 'alice/told')).out, /isolation +strict/);
    assert.match((await host.usherd.command('explain', 'alice/plain')).out, /isolation +none/);
    assert.match((await host.usherd.command('config', 'alice')).out, /isolation +"none" +default/);
    const command = ['/bin/sh', '-c', 'echo $$; ls /proc | grep -c "^[0-9]"; exit 7'];
    const { code, out } = await host.usherd.command('run-as', 'alice/told', '--', ...command);
    assert.equal(code, 7);
    const [own, count] = out.trim().split('\n').map(Number);
    assert.ok(own === 2 && (count ?? 0) <= 5, out);
    assert.equal((await host.usherd.command('check', 'alice/told')).code, 0);
  });

  test('does not start with a home that holds those of others, and everybody says why (T133)', async () => {
    deploy('wide', `return 'ran'`);
    let before = '';
    await host.usherd.reconfigure((text) => {
      before = text;
      return `${text}\n[isolation]\nhome = true\n`.replace(
        /(\[users\.alice\][^[]*home = ").*(")/,
        `$1${host.usherd.root}$2`,
      );
    });
    try {
      const answer = await host.fetch('alice/wide');
      assert.equal(answer.status, 503);
      assert.equal(answer.headers.get('x-usherd-reason'), 'isolation-failed');
      const { out, code } = await host.usherd.command('check', 'alice/wide');
      assert.equal(code, 1);
      const found = `the home of this account is ${host.usherd.root}, in which others have theirs`;
      for (const text of [found, 'isolation-home', 'give the account a home of its own']) {
        assert.ok(out.includes(text), out);
      }
      assert.match((await host.usherd.command('explain', 'alice/wide')).out, /isolation-home/);
      assert.match((await host.usherd.command('status')).out, /isolation-home|isolation-failed/);
      await host.isUnharmed();
    } finally {
      await host.usherd.reconfigure(() => before);
    }
    assert.equal(await host.text('alice/wide'), 'ran', 'a mended setting shows at once');
  });

  test('does not start where bubblewrap is missing or no user may make namespaces, and says why (T133)', async () => {
    deploy('cannot', `return 'ran'`);
    const check = [BIN, 'check', '--config', host.usherd.configFile, 'alice/cannot'];
    const without = await inMachine('mount --bind /dev/null /usr/bin/bwrap; exec "$@"', check);
    assert.match(without, /E_ISOLATION_FAILED/);
    assert.match(without, /bwrap: owner 0, mode 666/);
    // Of a process whose root is not that of its mounts, clone(2) makes no user namespace: as a kernel where they are off.
    const jail = join(host.usherd.directory, 'jail');
    const off = await inMachine(
      `mkdir ${jail}; mount --rbind / ${jail}; exec /usr/sbin/chroot ${jail} "$@"`,
      check,
    );
    assert.match(off, /E_ISOLATION_FAILED/);
    assert.match(off, /isolation-walls/);
  });

  test('is answered with 503 where its walls do not stand, and its neighbour is served (T133)', async () => {
    deploy('walls', `return 'ran'`);
    await host.usherd.reconfigure((text) =>
      `${text}\n[isolation]\nhome = true\n`.replace(
        /(\[users\.alice\][^[]*home = ").*(")/,
        '$1/nonexistent/alice$2',
      ),
    );
    const answer = await host.fetch('alice/walls');
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('x-usherd-reason'), 'isolation-failed');
    // Two ways into the log: the program's own words, and what usherd says of it.
    await waitFor('the words of bubblewrap, and the rule', () => {
      const text = readFileSync(join(host.usherd.directory, 'log/alice/walls.log'), 'utf8');
      return text.includes('bwrap: ') && text.includes('isolation-walls');
    });
    const { out } = await host.usherd.command('status');
    assert.match(out, /isolat/);
    await host.isUnharmed();
  });
});
