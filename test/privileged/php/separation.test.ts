// PHP of two users behind a real Apache: what is private, what cannot be lifted, what an application may set, and how it ends.
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Apache, noApache } from '../../support/apache.js';
import { fetchHttp, type HttpAnswer } from '../../support/http.js';
import { needsRoot } from '../../support/needs-root.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_121 };
const BOB = { name: 'bob', uid: 52_122 };

const noPhp = existsSync('/usr/bin/php-cgi') ? false : 'php-cgi is not installed';

const INI = `<?php header('Content-Type: application/json');
echo json_encode(array_map('ini_get', array_combine($n = explode(',', $_GET['names']), $n)));`;

const SESSION = `<?php ini_set('session.use_strict_mode', 0); session_id('abc'); session_start();
$_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; echo $_SESSION['n'];`;

const UPLOAD = `<?php echo $_FILES['f']['tmp_name'], ' ', decoct(fileperms($_FILES['f']['tmp_name']) & 0777), ' ', sys_get_temp_dir();`;

const OPEN = `<?php foreach ([$_GET['file']] as $file) {
  @ini_set('open_basedir', '/'); echo @file_get_contents($file) === false ? 'refused' : 'read'; }`;

describe('PHP of two users', { skip: needsRoot || noApache || noPhp }, () => {
  let usherd: UsherdRun;
  let apache: Apache;
  const get = (path: string): Promise<HttpAnswer> => fetchHttp({ port: apache.port, path });
  const text = async (path: string): Promise<string> => (await get(path)).body.toString();
  const settings = async (app: string, names: string): Promise<Record<string, string>> =>
    JSON.parse(await text(`/~${app}/ini.php?names=${names}`)) as Record<string, string>;
  const folder = (uid: number, ...names: readonly string[]): string =>
    join(usherd.directory, 'state/users', String(uid), ...names);

  before(async () => {
    usherd = await UsherdRun.start([ALICE, BOB], {
      routerUid: 52_129,
      more: '[php.settings]\nuser_agent = "of the administrator"\n',
    });
    apache = await Apache.start({
      directory: join(usherd.directory, 'apache'),
      socketPath: usherd.frontSocket,
      root: usherd.root,
    });
    for (const app of ['alice/blog', 'alice/wiki', 'bob/shop']) {
      usherd.write(app, 'ini.php', INI);
      usherd.write(app, 'session.php', SESSION);
      usherd.write(app, 'upload.php', UPLOAD);
      usherd.write(app, 'open.php', OPEN);
    }
  });
  after(async () => {
    await apache.stop();
    await usherd.stop();
  });

  test('each has directories of his own that nobody else may enter', async () => {
    assert.equal(await text('/~alice/apps/blog/session.php'), '1');
    assert.equal(await text('/~bob/apps/shop/session.php'), '1');
    for (const { uid } of [ALICE, BOB]) {
      const { mode, uid: owner } = lstatSync(folder(uid));
      assert.deepEqual([mode & 0o7777, owner], [0o700, uid]);
    }
    const parent = lstatSync(folder(ALICE.uid, '..'));
    assert.deepEqual([parent.mode & 0o7777, parent.uid], [0o711, 0]);
  });

  test('sessions are of one application, uploads and temporary files of one user', async () => {
    assert.equal(await text('/~alice/apps/blog/session.php'), '2');
    assert.equal(await text('/~alice/apps/wiki/session.php'), '1');
    assert.deepEqual(readdirSync(folder(ALICE.uid, 'sessions/wiki')), ['sess_abc']);
    const boundary = 'xyz';
    const part = `--${boundary}\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nhello\r\n--${boundary}--\r\n`;
    const answer = await fetchHttp({
      port: apache.port,
      path: '/~alice/apps/blog/upload.php',
      method: 'POST',
      headers: {
        'Content-Type': `multipart/form-data; boundary=${boundary}`,
        'Content-Length': part.length,
      },
      body: [Buffer.from(part)],
    });
    const [name = '', mode, temporary] = answer.body.toString().split(' ');
    assert.ok(name.startsWith(folder(ALICE.uid, 'tmp/')), name);
    assert.equal(mode, '600');
    assert.equal(temporary, folder(ALICE.uid, 'tmp'));
  });

  test('the opcode cache is the application’s own', async () => {
    // PHP does not cache what was changed within the last two seconds (opcache.file_update_protection).
    usherd.write('alice/blog', 'old.php', '<?php echo 1;');
    utimesSync(join(usherd.root, 'alice/apps/blog/old.php'), 1_000_000_000, 1_000_000_000);
    assert.equal(await text('/~alice/apps/blog/old.php'), '1');
    const cached = (app: string): readonly string[] =>
      readdirSync(folder(ALICE.uid, 'opcodes', app), { recursive: true }).map(String);
    assert.ok(cached('blog').some((it) => it.endsWith('/apps/blog/old.php.bin')));
    assert.ok(!cached('wiki').some((it) => it.includes('apps/blog')));
  });

  test("a file that everybody may read is still not another user's to open", async () => {
    usherd.write('bob/shop', 'world.txt', 'readable');
    const file = encodeURIComponent(join(usherd.root, 'bob/apps/shop/world.txt'));
    assert.equal(await text(`/~bob/apps/shop/open.php?file=${file}`), 'read');
    assert.equal(await text(`/~alice/apps/blog/open.php?file=${file}`), 'refused');
    assert.equal(await text('/~alice/apps/blog/open.php?file=/etc/passwd'), 'refused');
    const own = encodeURIComponent(join(usherd.root, 'alice/apps/wiki/ini.php'));
    assert.equal(await text(`/~alice/apps/blog/open.php?file=${own}`), 'read');
  });

  test('.user.ini is read, and lifts nothing that keeps users apart', async () => {
    const lines = ['memory_limit = 77M', 'open_basedir = /', 'cgi.fix_pathinfo = 1'];
    const more = ['sys_temp_dir = /tmp', 'upload_tmp_dir = /tmp', 'opcache.file_cache = /tmp'];
    usherd.write('alice/lifter', '.user.ini', [...lines, ...more].join('\n'));
    usherd.write('alice/lifter', 'ini.php', INI);
    usherd.write('alice/lifter', 'open.php', OPEN);
    const names =
      'memory_limit,open_basedir,cgi.fix_pathinfo,sys_temp_dir,upload_tmp_dir,opcache.file_cache';
    const found = await settings('alice/apps/lifter', names);
    assert.equal(found['memory_limit'], '77M');
    assert.ok(found['open_basedir']?.startsWith(`${usherd.root}/alice/:`), found['open_basedir']);
    assert.equal(found['cgi.fix_pathinfo'], '0');
    assert.equal(found['sys_temp_dir'], folder(ALICE.uid, 'tmp'));
    assert.equal(found['upload_tmp_dir'], folder(ALICE.uid, 'tmp'));
    assert.equal(found['opcache.file_cache'], folder(ALICE.uid, 'opcodes/lifter'));
    assert.equal(await text('/~alice/apps/lifter/open.php?file=/etc/passwd'), 'refused');
  });

  test('a php.ini of the application’s own lifts neither that nor what the administrator says', async () => {
    const forged = Array.from({ length: 64 }, (_, index) => `USHERD_PHP_${index} = "/"`);
    const own = ['open_basedir = /', 'user_agent = mine', ...forged, ''].join('\n');
    const directory = join(usherd.root, 'alice/apps/own-ini');
    usherd.write('alice/own-ini', 'php.ini', own);
    usherd.write('alice/own-ini', 'usherd.toml', `[env]\nPHPRC = "${directory}"\n`);
    usherd.write('alice/own-ini', 'ini.php', INI);
    usherd.write('alice/own-ini', 'open.php', OPEN);
    const found = await settings('alice/apps/own-ini', 'open_basedir,user_agent');
    assert.ok(found['open_basedir']?.startsWith(`${usherd.root}/alice/:`), found['open_basedir']);
    assert.equal(found['user_agent'], 'of the administrator');
    assert.equal(await text('/~alice/apps/own-ini/open.php?file=/etc/passwd'), 'refused');
  });

  test('the manifest sets what an application may set, whatever the value', async () => {
    const odd = '"; memory_limit = 1 ${PATH} \\\\ $x';
    const manifest = [
      '[php]',
      'memory_limit = "33M"',
      'display_errors = true',
      'user_agent = "of the application"',
      `error_prepend_string = '${odd}'`,
      'session.gc_maxlifetime = 99',
      'opcache.revalidate_freq = 7',
      'session.name = "none"',
    ];
    usherd.write('alice/sets', 'usherd.toml', manifest.join('\n'));
    usherd.write('alice/sets', 'ini.php', INI);
    const names =
      'memory_limit,display_errors,user_agent,error_prepend_string,session.gc_maxlifetime,opcache.revalidate_freq,session.name';
    assert.deepEqual(await settings('alice/apps/sets', names), {
      memory_limit: '33M',
      display_errors: '1',
      user_agent: 'of the administrator',
      error_prepend_string: odd,
      'session.gc_maxlifetime': '99',
      'opcache.revalidate_freq': '7',
      'session.name': 'none',
    });
  });

  test('a manifest that wants to lift a value of the machine is refused, with the name', async () => {
    usherd.write('alice/greedy', 'usherd.toml', '[php]\nopen_basedir = "/"\n');
    usherd.write('alice/greedy', 'index.php', '<?php echo 1;');
    const answer = await get('/~alice/apps/greedy/index.php');
    assert.ok(answer.status >= 400, String(answer.status));
  });

  test('a file that is no script never becomes one', async () => {
    usherd.write('alice/blog', 'photo.jpg', '<?php echo "RUN";');
    for (const path of ['photo.jpg', 'photo.jpg/x.php', 'photo.jpg%00.php']) {
      const answer = await text(`/~alice/apps/blog/${path}`);
      assert.ok(path === 'photo.jpg' || !answer.includes('RUN'), path);
    }
    const [photo] = [await get('/~alice/apps/blog/photo.jpg')];
    assert.match(photo.body.toString(), /^<\?php/, 'Apache sends it as it is');
  });

  test('errors are in the log of the application', async () => {
    usherd.write('alice/blog', 'err.php', '<?php error_log("told by alice"); trigger_error("x");');
    await text('/~alice/apps/blog/err.php');
    const log = join(usherd.directory, 'log/alice/blog.log');
    await waitFor('the line in the log', () => {
      return existsSync(log) && readFileSync(log, 'utf8').includes('told by alice');
    });
  });

  test('a crash is one answer, and memory that runs out is PHP’s own', async () => {
    usherd.write('alice/blog', 'crash.php', '<?php posix_kill(getmypid(), 11); sleep(9);');
    usherd.write('alice/blog', 'oom.php', '<?php $x = str_repeat("x", 1 << 30); echo "never";');
    usherd.write('alice/blog', 'pid.php', '<?php echo getmypid();');
    const crash = await fetchHttp({
      port: apache.port,
      path: '/~alice/apps/blog/crash.php',
      method: 'POST',
      headers: { 'Content-Length': 0 },
    });
    assert.deepEqual([crash.status, crash.headers['x-usherd-reason']], [502, 'worker-died']);
    const before = await text('/~alice/apps/blog/pid.php');
    assert.match(before, /^[0-9]+$/);
    assert.equal((await get('/~alice/apps/blog/oom.php')).status, 500);
    assert.equal(await text('/~alice/apps/blog/pid.php'), before);
  });

  test('workers that have served their share are replaced without a failed request', async () => {
    const manifest = '[limits]\nmax_requests = 5\nmax_workers_per_app = 2\n';
    usherd.write('alice/few', 'usherd.toml', manifest);
    usherd.write('alice/few', 'pid.php', '<?php echo getmypid();');
    const pids = new Set<string>();
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => get('/~alice/apps/few/pid.php')),
      );
      for (const { status, body } of answers) {
        assert.equal(status, 200, body.toString());
        pids.add(body.toString());
      }
    }
    assert.ok(pids.size >= 8, `${pids.size} workers for 40 requests`);
  });

  test('a worker that waits on the connection that its router keeps ends when it is asked, not when it is killed', async () => {
    usherd.write('bob/stopped', 'index.php', '<?php echo "here";');
    assert.equal(await text('/~bob/apps/stopped/'), 'here');
    assert.equal((await usherd.command('stop', 'bob/stopped')).code, 0);
    const gone = await waitFor(
      'the worker to be gone',
      () =>
        usherd
          .log()
          .split('\n')
          .find((line) => line.includes('"app":"bob/stopped"') && line.includes('"worker gone"')),
      30_000,
    );
    assert.match(gone, /"exitCode":0\b/);
  });
});
