// From files to a configuration, or to everything that is wrong with them.
import assert from 'node:assert/strict';
import { chmod, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigDirectory, load, refusalOf } from '../../support/config-directory.js';

test('an empty file is valid and gives the defaults of the handbook', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('');
  const config = await directory.load();
  assert.equal(config.file, directory.file);
  assert.deepEqual(config.paths, {
    run: '/run/usherd',
    log: '/var/log/usherd',
    state: '/var/lib/usherd',
  });
  assert.deepEqual(config.front.sockets, [
    { path: '/run/usherd/front/front.sock', group: 'www-data' },
  ]);
  assert.deepEqual(config.apps.roots, ['/srv/{user}/apps/{app}']);
  assert.equal(config.identity.minUid, 1_000);
  assert.equal(config.defaults.maxWorkersPerApp, 4);
  assert.equal(config.defaults.maxWorkersPerUser, 8);
  assert.equal(config.defaults.queueTimeoutMs, 30_000);
  assert.equal(config.identity.umask, 0o027);
  const names = 'fastcgi asgi python perl ruby node java jar procfile php cgi';
  assert.deepEqual([...config.runtimes.keys()], names.split(' '));
  assert.ok(config.maxWorkers >= 16 && config.maxWorkers <= 1_024);
});

test('a file that was named must exist', async (t) => {
  const directory = await ConfigDirectory.make(t);
  const err = await directory.refusal();
  assert.equal(err.code, 'E_CONFIG_UNREADABLE');
  assert.equal(err.findings[0]?.path, directory.file);
});

test('every mistake is told at once, in the order of the file, each with its line (T122)', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write(
    [
      '[limits]',
      'queue_timeout = 30',
      'max_body = "64MB"',
      'queue_lenght = 5',
      '[apps]',
      'roots = [',
      '  "relative/{user}/{app}",',
      ']',
      '[log]',
      'level = "loud"',
    ].join('\n'),
  );
  const { code, findings } = await directory.refusal();
  assert.equal(code, 'E_CONFIG_INVALID');
  assert.deepEqual(
    findings.map(({ path }) => path?.replace(`${directory.file}:`, '')),
    ['2', '3', '4', '7', '10'],
  );
  assert.match(findings[0]?.remedy ?? '', /queue_timeout = "30s"/);
  assert.match(findings[1]?.remedy ?? '', /max_body = "64MiB"/);
  assert.equal(findings[2]?.remedy, 'did you mean queue_length?');
});

test('a mistake in one key does not hide a rule between others', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write(
    '[limits]\nunknown = 1\n[apps]\nroots = ["/srv/{user}/{app}", "/srv/{user}/a/{app}"]\n',
  );
  const { findings } = await directory.refusal();
  assert.deepEqual(
    findings.map(({ rule }) => rule),
    ['config-unknown-key', 'config-roots-overlap'],
  );
});

test('a key that was left out for a mistake of its own brings no second mistake', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('[users.alice]\nuid = "x"\ngid = 2001\n');
  const { findings } = await directory.refusal();
  assert.deepEqual(
    findings.map(({ rule }) => rule),
    ['config-value'],
  );
});

test('a place for metrics is a port of this machine itself, and one that there is', async (t) => {
  const directory = await ConfigDirectory.make(t);
  for (const place of ['127.0.0.1:65535', '[::1]:9464', '']) {
    await directory.write(`[metrics]\nlisten = "${place}"\n`);
    assert.equal((await directory.load()).metrics.listen, place);
  }
  for (const place of ['127.0.0.1:65536', '127.0.0.1:99999', '0.0.0.0:9464', '[::]:9464']) {
    await directory.write(`[metrics]\nlisten = "${place}"\n`);
    const { findings } = await directory.refusal();
    assert.deepEqual(
      findings.map(({ rule }) => rule),
      ['config-value'],
      place,
    );
  }
});

test('a key in the wrong table is told where it belongs', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('[identity]\nlevel = "info"\n');
  const { findings } = await directory.refusal();
  assert.match(findings[0]?.remedy ?? '', /\[log\]/);
});

test('a syntax error is told with its line and without the text of the line', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('[limits]\nqueue_length = = 5 # secret\n');
  const { findings } = await directory.refusal();
  assert.equal(findings.length, 1);
  assert.equal(findings[0]?.path, `${directory.file}:2`);
  assert.doesNotMatch(JSON.stringify(findings), /secret/);
});

test('values of environments appear in no message', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('[runtimes.php.environment]\nPASSWORD = "hush\\nhush"\n');
  const err = await directory.refusal();
  assert.doesNotMatch(JSON.stringify(err.findings), /hush/);
});

test('users come from [users.NAME] and from users.d, key by key, and the file of their own wins', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write(
    '[limits]\nqueue_length = 10\n' +
      '[users.alice]\nsuspended = true\n[users.alice.limits]\nqueue_length = 20\npids_max = 30\n' +
      '[users.carol]\nuid = 2003\ngid = 2003\n',
  );
  await directory.write(
    'suspended = false\n[limits]\nqueue_length = 40\n',
    join('users.d', 'alice.toml'),
  );
  await directory.write(
    'uid = 2002\ngid = 2002\nhome = "/home/bob"\n',
    join('users.d', 'bob.toml'),
  );
  const { users, defaults } = await directory.load();
  assert.equal(defaults.queueLength, 10);
  assert.equal(users.get('alice')?.suspended, false);
  assert.equal(users.get('alice')?.limits.queueLength, 40);
  assert.equal(users.get('alice')?.limits.pidsMax, 30);
  assert.equal(users.get('alice')?.account, undefined);
  assert.deepEqual(users.get('bob')?.account, { uid: 2002, gid: 2002, home: '/home/bob' });
  assert.equal(users.get('bob')?.limits.queueLength, 10);
  assert.deepEqual(users.get('carol')?.account, { uid: 2003, gid: 2003, home: '/srv/carol' });
});

test('an account may be called like something that every object has', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('');
  await directory.write('suspended = true\n', join('users.d', 'constructor.toml'));
  await directory.write('suspended = true\n', join('users.d', '__proto__.toml'));
  const { users } = await directory.load();
  assert.equal(users.get('constructor')?.suspended, true);
  assert.equal(users.get('__proto__')?.suspended, true);
  assert.equal(users.get('constructor')?.limits.maxWorkersPerApp, 4);
});

test('one uid for two users is refused, across files (T30)', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('[users.alice]\nuid = 2001\ngid = 2001\n');
  const file = await directory.write('uid = 2001\ngid = 2002\n', join('users.d', 'bob.toml'));
  const { findings } = await directory.refusal();
  assert.deepEqual(
    findings.map(({ rule, path }) => [rule, path]),
    [['config-uid-twice', `${file}:1`]],
  );
});

test('where others are to be spared, what is wrong with one user is his alone', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('[users.alice]\nuid = 2001\ngid = 2001\n');
  const users = {
    bob: 'uid = 2001\ngid = 2002\n',
    carol: '[limits]\nqueue_length = = 5\n',
    dave: 'suspended = 1\nuid = 2004\ngid = 2004\n',
    erin: '[limits]\nmin_workers = 9\n',
    frank: '[limits]\nqueue_length = 7\n',
    'Not A User': '',
  };
  for (const [user, text] of Object.entries(users)) {
    await directory.write(text, join('users.d', `${user}.toml`));
  }
  const open = await directory.write('', join('users.d', 'grace.toml'));
  await chmod(open, 0o666);
  assert.equal((await directory.refusal()).findings.length, 6);
  const config = await directory.loadSparingOthers();
  const blamed = Array.from(config.brokenUsers, ([user, findings]) => [
    user,
    ...findings.map(({ rule }) => rule),
  ]);
  assert.deepEqual(blamed.sort(), [
    ['Not A User', 'config-file'],
    ['bob', 'config-uid-twice'],
    ['carol', 'config-syntax'],
    ['dave', 'config-value'],
    ['erin', 'config-min-workers'],
    ['grace', 'path-mode'],
  ]);
  assert.equal(config.users.get('frank')?.limits.queueLength, 7);
  assert.equal(config.users.get('dave')?.account?.uid, 2004, 'his uid is not free for others');
});

test('nobody is spared a mistake of usherd.toml, nor a users.d that others could have written', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('[limits]\nunknown = 1\n');
  await directory.write('uid = 1\n', join('users.d', 'bob.toml'));
  const rules = async (): Promise<readonly string[]> =>
    (await refusalOf(directory.loadSparingOthers())).findings.map(({ rule }) => rule);
  assert.deepEqual(await rules(), ['config-unknown-key']);
  await directory.write('');
  await chmod(join(directory.path, 'users.d'), 0o777);
  assert.deepEqual(await rules(), ['path-mode']);
});

test('leavings of editors in users.d are ignored, a bad name is not', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('');
  for (const name of ['alice.toml~', '.alice.toml', 'README', 'alice.toml.dpkg-old']) {
    await directory.write('not = toml = at all', join('users.d', name));
  }
  assert.equal((await directory.load()).users.size, 0);
  await directory.write('', join('users.d', 'Not A User.toml'));
  assert.equal((await directory.refusal()).findings.length, 1);
});

test('users.d may be missing', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('');
  await rm(join(directory.path, 'users.d'), { recursive: true });
  assert.equal((await directory.load()).users.size, 0);
});

test('a file or directory that others could have written is refused (T121)', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('');
  for (const mode of [0o664, 0o646, 0o666]) {
    await chmod(directory.file, mode);
    const err = await directory.refusal();
    assert.equal(err.code, 'E_CONFIG_UNSAFE');
    assert.equal(err.findings[0]?.rule, 'path-mode');
  }
  await chmod(directory.file, 0o600);
  await directory.load();
  await chmod(directory.path, 0o775);
  const err = await directory.refusal();
  assert.equal(err.code, 'E_CONFIG_UNSAFE');
  assert.ok(err.findings.every(({ path }) => path === directory.path));
  await chmod(directory.path, 0o755);
});

test('a user file that others could have written is refused, and still all the rest is told', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('[limits]\nunknown = 1\n');
  await chmod(await directory.write('', join('users.d', 'bob.toml')), 0o666);
  const err = await directory.refusal();
  assert.equal(err.code, 'E_CONFIG_UNSAFE');
  assert.deepEqual(
    err.findings.map(({ rule }) => rule),
    ['config-unknown-key', 'path-mode'],
  );
});

test('the file itself may not be a symbolic link, a directory on the way may (T121)', async (t) => {
  const directory = await ConfigDirectory.make(t);
  const real = await directory.write('', 'real.toml');
  await symlink(real, directory.file);
  const err = await directory.refusal();
  assert.equal(err.code, 'E_CONFIG_UNSAFE');
  assert.equal(err.findings[0]?.rule, 'path-link');
  await rm(directory.file);
  await mkdir(join(directory.path, 'etc'), { mode: 0o755 });
  await rename(real, join(directory.path, 'etc', 'usherd.toml'));
  await symlink('etc', join(directory.path, 'link'));
  await load(join(directory.path, 'link', 'usherd.toml'));
});

test('a symbolic link is followed to where it leads: a directory there has to be safe as well', async (t) => {
  const directory = await ConfigDirectory.make(t);
  const open = join(directory.path, 'open');
  await mkdir(open);
  await directory.write('', join('open', 'usherd.toml'));
  await chmod(open, 0o777);
  await symlink('open', join(directory.path, 'link'));
  const err = await refusalOf(load(join(directory.path, 'link', 'usherd.toml')));
  assert.equal(err.code, 'E_CONFIG_UNSAFE');
  assert.ok(err.findings.some(({ path }) => path === open));
});

test('symbolic links in a circle end', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await symlink('b', join(directory.path, 'a'));
  await symlink('a', join(directory.path, 'b'));
  const err = await refusalOf(load(join(directory.path, 'a', 'usherd.toml')));
  assert.equal(err.code, 'E_CONFIG_UNSAFE');
});

test('what is not a file, not UTF-8 or too long is refused', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await mkdir(directory.file);
  assert.equal((await directory.refusal()).code, 'E_CONFIG_UNREADABLE');
  await rm(directory.file, { recursive: true });
  await directory.write('#'.repeat(1_048_577));
  assert.equal((await directory.refusal()).code, 'E_CONFIG_UNREADABLE');
  await directory.write('#'.repeat(1_048_576));
  await directory.load();
});

test('isolated applications are shown nothing that holds others’ applications or usherd’s own', async (t) => {
  const directory = await ConfigDirectory.make(t);
  const wrong = ['/srv', '/home', '/run', '/run/usherd', '/run/usherd/worker', '/var', '/proc'];
  for (const path of wrong) {
    await directory.write(`[isolation]\nvisible = ["/run/redis", "${path}"]\n`);
    const { findings } = await directory.refusal();
    assert.deepEqual(
      findings.map(({ rule }) => rule),
      ['config-visible'],
      path,
    );
    assert.match(findings[0]?.path ?? '', /:2$/);
  }
  await directory.write(
    '[isolation]\nvisible = ["/run/redis.sock", "/data/fonts", "/srv/shared"]\n',
  );
  assert.deepEqual((await load(directory.file)).isolation.visible.length, 3);
  const many = Array.from({ length: 33 }, (_, i) => `"/data/${i}"`).join(', ');
  await directory.write(`[isolation]\nvisible = [${many}]\n`);
  const { findings } = await directory.refusal();
  assert.match(findings[0]?.expected ?? '', /at most 32/);
});

test('who has read the same texts has the same digest, whatever else', async (t) => {
  const [one, other] = [await ConfigDirectory.make(t), await ConfigDirectory.make(t)];
  const digests = async (): Promise<readonly [string, string]> => {
    const [first, second] = [await one.load(), await other.load()];
    return [first.digest, second.digest];
  };
  const isSame = async (): Promise<boolean> => new Set(await digests()).size === 1;
  for (const directory of [one, other]) {
    await directory.write('[limits]\nqueue_length = 7\n');
    await directory.write('suspended = true\n', 'users.d/alice.toml');
  }
  assert.ok(await isSame());
  assert.match((await digests())[0], /^[0-9a-f]{64}$/);
  await other.write('[limits]\nqueue_length =  7\n');
  assert.ok(!(await isSame()), 'a space');
  await other.write('[limits]\nqueue_length = 7\n');
  assert.ok(await isSame());
  await other.write('suspended = true\n', 'users.d/bob.toml');
  assert.ok(!(await isSame()), 'another user');
  await one.write('suspended = false\n', 'users.d/bob.toml');
  assert.ok(!(await isSame()), 'another text of that user');
});
