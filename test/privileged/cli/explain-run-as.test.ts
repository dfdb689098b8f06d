// What `usherd explain` says is what happens, and what `usherd run-as` runs is what a worker would be.
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needsRoot } from '../../support/needs-root.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_351 };
const noPhp = existsSync('/usr/bin/php-cgi') ? false : 'php-cgi is not installed';

/** Where the descriptors of a process of this uid lead; undefined if there is none, or it is gone meanwhile. */
function descriptorsOf(uid: number): ReadonlySet<string> | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    try {
      const isIts = readFileSync(`/proc/${pid}/status`, 'latin1').includes(`\nUid:\t${uid}\t`);
      if (!isIts) continue;
      const fds = `/proc/${pid}/fd`;
      const links = new Set(readdirSync(fds).map((fd) => readlinkSync(`${fds}/${fd}`)));
      if (links.size > 0) return links; // none: it has ended, and is not reaped
    } catch {
      // It has ended.
    }
  }
  return undefined;
}

describe('explain and run-as', { skip: needsRoot }, () => {
  let usherd: UsherdRun;
  before(async () => {
    usherd = await UsherdRun.start([ALICE], { routerUid: 52_359 });
    usherd.write('alice/site', 'app.py', '');
    usherd.write('alice/site', 'usherd.toml', '[env]\nPASSWORD = "s3cr3t"\nCOLOUR = "red"\n');
    usherd.write('alice/site', '.env', 'TOKEN=t0ken\n', 0o600);
  });
  after(() => usherd.stop());

  test('explain names the runtime, the file that decided, identity, command and environment', async () => {
    const directory = join(usherd.root, 'alice/apps/site');
    const urlPath = '/~alice/apps/site/some/page?x=1';
    const escaped = 'http://a.example/%7Ealice/apps/site/';
    const urls = [urlPath, `http://a.example${urlPath}`, escaped];
    const places = [directory, `${directory}/sub/page`, ...urls];
    for (const argument of ['alice/site', ...places]) {
      const { code, out } = await usherd.command('explain', argument);
      assert.equal(code, 0, out);
      assert.match(out, /is alice\/site, of alice \(uid 52351\)/);
      assert.match(out, /runtime +python \(because of app\.py\)/);
      assert.match(out, /runs as +uid 52351, gid 52351, groups none/);
      assert.match(out, /command +\/usr\/bin\/uwsgi .*--pyargv app\.py/);
      assert.match(out, /environment +PATH=\/usr\/local\/bin/);
      assert.match(out, /PASSWORD=… \(usherd\.toml\)/);
      assert.match(out, /and \.env/);
      assert.doesNotMatch(out, /s3cr3t|t0ken/);
    }
  });

  test('what looks for explain has nothing of the caller’s terminal', async () => {
    const seen = await waitFor('the launcher is seen', async () => {
      const command = usherd.command('explain', 'alice/site');
      const over = command.then(() => true);
      let found: ReadonlySet<string> | undefined;
      const tick = (): Promise<boolean> => new Promise((resolve) => setImmediate(resolve, false));
      while (found === undefined && !(await Promise.race([over, tick()]))) {
        found = descriptorsOf(ALICE.uid);
      }
      await command;
      return found;
    });
    // The caller's are sockets here, three of them; the one is the dialogue, which a shell moves about. What it has open
    // besides, it has opened itself: files of the application, pipes between its own commands.
    const sockets = [...seen].filter((it) => it.startsWith('socket:'));
    assert.ok(sockets.length <= 1, [...seen].join(' '));
    assert.ok(seen.has('/dev/null'), 'descriptors 0 to 2, wherever the shell keeps them');
  });

  test('explain lists every rule that refuses, with what was found and the remedy', async () => {
    usherd.write('alice/bad', 'app.py', '', 0o666);
    usherd.write('alice/bad', '.env', 'A=1\n', 0o644);
    chmodSync(join(usherd.root, 'alice/apps/bad'), 0o777);
    const { code, out } = await usherd.command('explain', 'alice/bad');
    assert.equal(code, 1);
    for (const rule of ['app-directory-mode', 'entry-mode', 'env-file-mode']) {
      assert.ok(out.includes(`(${rule})`), `${rule} in ${out}`);
    }
    assert.match(out, /remedy: +chmod 600 .*\/\.env/);
    const none = await usherd.command('explain', 'alice/nothing');
    assert.equal(none.code, 1);
    assert.match(none.out, /app-directory-missing/);
    const elsewhere = await usherd.command('explain', '/etc');
    assert.equal(elsewhere.code, 100);
    assert.match(elsewhere.out, /\/etc is no application/);
  });

  test('what a tenant has written gives no orders to the terminal of whoever asks', async () => {
    const program = String.raw`./\u001b]0;owned\u0007\u009b2J\u202e`;
    usherd.write('alice/orders', 'usherd.toml', `command = ["${program}"]\n`);
    for (const command of ['explain', 'check', 'config']) {
      const { out } = await usherd.command(command, 'alice/orders');
      assert.ok(out.includes('owned'), `${command}: ${out}`);
      assert.doesNotMatch(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/, command);
    }
  });

  test('explain finds the application of a virtual host, unless the path names another one', async () => {
    usherd.write('alice/home', 'app.py', '');
    mkdirSync(join(usherd.root, 'vhosts'));
    symlinkSync(join(usherd.root, 'alice/apps/home'), join(usherd.root, 'vhosts/home.example'));
    const applicationOf = async (url: string): Promise<string | undefined> =>
      / is (alice\/\w+), of alice/.exec((await usherd.command('explain', url)).out)?.[1];
    assert.equal(await applicationOf('https://home.example/a/page?x=1'), 'alice/home');
    assert.equal(await applicationOf('https://home.example/~alice/'), 'alice/home');
    assert.equal(await applicationOf('https://home.example/~alice/apps/site/'), 'alice/site');
    const { code, out } = await usherd.command('explain', 'https://none.example/a');
    assert.equal(code, 1);
    assert.match(out, /vhosts\/none\.example: no link {2}\(vhost-missing\)/);
    assert.match(out, /remedy: +usherd vhost add none\.example USER\/APP;/);
    assert.doesNotMatch(out, /command line/);
    symlinkSync('elsewhere', join(usherd.root, 'vhosts/bad.example'));
    const bad = await usherd.command('explain', 'https://bad.example/a');
    assert.match(bad.out, /vhosts\/bad\.example: a link that leads [^]*remedy: /);
    assert.doesNotMatch(bad.out, /vhost-missing/);
    const other = await usherd.command('explain', 'https://none.example/a');
    assert.match(other.out, /none\.example: no link/);
    assert.doesNotMatch(other.out, /bad\.example/);
  });

  test(
    'explain says of a URL what it runs, and what is in the way of that',
    { skip: noPhp },
    async () => {
      usherd.write('alice/blog', 'index.php', '');
      usherd.write('alice/blog', 'sub/page.php', '');
      usherd.write('alice/blog', 'secret.php', '', 0);
      usherd.write('alice/blog', 'closed/page.php', '');
      chmodSync(join(usherd.root, 'alice/apps/blog/closed'), 0o600);
      const directory = join(usherd.root, 'alice/apps/blog');
      const of = async (path: string): Promise<{ code: number; url: string; out: string }> => {
        const { code, out } = await usherd.command(
          'explain',
          `http://a.example/~alice/apps${path}`,
        );
        return { code, out, url: /^ {2}this URL +(.*)$/m.exec(out)?.[1] ?? '' };
      };
      const page = await of('/blog/sub/page.php/caf%C3%A9?x=1');
      assert.deepEqual([page.code, page.url], [0, `${directory}/sub/page.php, PATH_INFO /café`]);
      const pretty = await of('/blog/nice/url');
      assert.equal(pretty.code, 0);
      assert.equal(
        pretty.url,
        `${directory}/index.php, PATH_INFO /nice/url, unless it is a file that the web server sends`,
      );
      for (const [path, rule, remedy] of [
        ['none.php', 'script-missing', 'check the URL'],
        ['none/page.php', 'script-missing', 'check the URL'],
        ['secret.php', 'script-mode', `chown alice ${directory}/secret.php && chmod u+r`],
        ['closed/page.php', 'script-directory', `chown alice ${directory}/closed && chmod u+x`],
      ] as const) {
        const { code, url, out } = await of(`/blog/${path}`);
        assert.deepEqual([code, url], [1, `${directory}/${path}`]);
        assert.ok(out.includes(`(${rule})`) && out.includes(remedy), out);
        assert.match(out, /refuses it: the script .* \(E_SCRIPT_MISSING\)/);
      }
      const hidden = await of('/blog/.git/x.php');
      assert.equal(hidden.code, 1);
      assert.match(hidden.out, /hidden files are not run/);
      const program = await of('/site/some/page');
      assert.deepEqual(
        [program.code, program.url],
        [0, "the program, SCRIPT_NAME '/~alice/apps/site', PATH_INFO /some/page"],
      );
    },
  );

  test(
    'explain looks at what a script runs in, where only URLs name scripts',
    { skip: noPhp },
    async () => {
      usherd.write('alice/named', 'page.php', '');
      const { code, out } = await usherd.command('explain', '/~alice/apps/named/page.php');
      assert.equal(code, 0, out);
      assert.match(out, /runtime +php \(because of the script that was asked for\)/);
      assert.equal((await usherd.command('explain', '/~alice/apps/named/')).code, 1);
    },
  );

  test('config shows what an application would start with, before it has ever run', async () => {
    usherd.write('alice/few', 'app.py', '');
    usherd.write('alice/few', 'usherd.toml', '[limits]\nqueue_length = 7\n');
    const { code, out } = await usherd.command('config', 'alice/few');
    assert.equal(code, 0, out);
    assert.match(out, /^queue_length +7 +usherd\.toml of the application$/m);
    assert.match(out, /^runtime +"python" +its files and usherd\.toml$/m);
    assert.match(out, /this is what alice\/few would start with now/);
    assert.match((await usherd.command('config', 'alice/nothing')).out, /would not start/);
  });

  test('explain names the package where the program is missing', async () => {
    const text = await usherd.command('explain', 'alice/site');
    assert.match(text.out, /web root +none; with a directory public\//);
    await usherd.reconfigure(
      (before) =>
        `${before}[runtimes.cobol]\nmarkers = ["main.cob"]\n` +
        'command = ["/usr/bin/no-cobol", "{entry}"]\n',
    );
    usherd.write('alice/old', 'main.cob', '');
    const { code, out } = await usherd.command('explain', 'alice/old');
    assert.equal(code, 1, out);
    assert.match(out, /runtime +cobol/);
    assert.match(out, /\/usr\/bin\/no-cobol[^]*\(program-missing\)/);
  });

  test('run-as runs with a worker’s identity, environment, limits and directory, and gives back its status', async () => {
    const script =
      'id -u; id -G; pwd; umask; ulimit -n; echo "$PASSWORD $TOKEN $USHERD_APP"; exit 7';
    const { code, out } = await usherd.command('run-as', 'alice/site', '--', 'sh', '-c', script);
    assert.equal(code, 7, out);
    assert.deepEqual(out.trim().split('\n'), [
      ...['52351', '52351', join(usherd.root, 'alice/apps/site'), '0027', '1024'],
      's3cr3t t0ken alice/site',
    ]);
    const proof = 'grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status; ls /proc/self/fd';
    const status = await usherd.command('run-as', 'alice/site', '--', 'sh', '-c', proof);
    assert.match(status.out, /CapEff:\t0+\nCapBnd:\t0+\nNoNewPrivs:\t1\n0\n1\n2\n3\n$/); // 3 is ls's own
  });

  test('the umask is what the application says, and never lets others write', async () => {
    usherd.write('alice/open', 'app.py', '');
    usherd.write('alice/open', 'usherd.toml', 'umask = "0022"\n');
    const { out } = await usherd.command('run-as', 'alice/open', '--', 'sh', '-c', 'umask');
    assert.equal(out, '0022\n');
    assert.match((await usherd.command('explain', 'alice/open')).out, /umask 0022$/m);
    const shown = await usherd.command('config', 'alice/open');
    assert.match(shown.out, /^umask +"0022" +usherd\.toml of the application/m);
    usherd.write('alice/open', 'usherd.toml', 'umask = "0002"\n');
    const refused = await usherd.command('explain', 'alice/open');
    assert.match(refused.out, /umask is "0002"[^]*at least the bits 022/);
  });

  test('run-as refuses what a worker would be refused, and runs nothing', async () => {
    const { code, out } = await usherd.command('run-as', 'alice/bad', '--', 'echo', 'ran');
    assert.equal(code, 1);
    assert.match(out, /app-directory-mode/);
    assert.doesNotMatch(out, /^ran$/m);
    const signalled = await usherd.command('run-as', 'alice/site', '--', 'sh', '-c', 'kill -9 $$');
    assert.equal(signalled.code, 137);
  });

  test('run-as is in its user’s cgroup, with his limits, and leaves nothing running', async () => {
    const path = (await usherd.status()).isolation.cgroup.path;
    assert.match(path, /usherd-[0-9a-f]{8}$/);
    const script = 'cat /proc/self/cgroup; sleep 1000 & setsid sleep 1000 &';
    const { code, out } = await usherd.command('run-as', 'alice/site', '--', 'sh', '-c', script);
    assert.equal(code, 0, out);
    assert.match(out, /0::.*\/usherd-[0-9a-f]{8}\/u52351\/a-site\/w[0-9a-f]{16}$/m);
    await waitFor('both of them to end', () => usherd.workerPids().length === 0);
    assert.equal(existsSync(join(path, 'u52351')), false, 'the group went with the command');
  });

  test('run-as takes any words, and looks programs up as the worker does', async () => {
    const odd = ["it's", 'a "b" $HOME `id`', 'two\nlines\n', '', '-n', '*'];
    const argv = ['perl', '-e', 'print join("|", @ARGV)', '--', ...odd];
    const { code, out } = await usherd.command('run-as', 'alice/site', '--', ...argv);
    assert.equal(code, 0, out);
    assert.equal(out, odd.join('|'));
    const missing = await usherd.command('run-as', 'alice/site', '--', 'no-such-program');
    assert.equal(missing.code, 127);
    assert.match(missing.out, /no-such-program: not found/);
  });

  test('run-as runs nothing for a suspended user, and without a running usherd all the same', async () => {
    await usherd.command('suspend', 'alice');
    const refused = await usherd.command('run-as', 'alice/site', '--', 'echo', 'ran');
    assert.equal(refused.code, 1, refused.out);
    assert.match(refused.out, /suspended/);
    await usherd.command('resume', 'alice');
    await usherd.halt();
    const { code, out } = await usherd.command('run-as', 'alice/site', '--', 'id', '-u');
    assert.deepEqual([code, out], [0, '52351\n']);
    await usherd.run();
  });
});
