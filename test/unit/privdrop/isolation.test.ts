// The words of bubblewrap: what is shown, in which order, and what is not shown whatever the configuration says.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWiderThanWalls, wallsArgv, type Walls } from '../../../src/privdrop/isolation.js';

const WALLS: Walls = {
  directory: '/srv/alice/apps/shop',
  folders: ['/var/lib/usherd/users/1001/isolated/shop'],
  temporaryDirectory: '/var/lib/usherd/users/1001/isolated/shop',
  home: { path: '/home/alice', isShown: false },
  visible: [],
  hidden: ['/srv', '/home'],
  isThere: () => true,
};

/** Every path that is bound, in order, with how. */
const binds = (walls: Partial<Walls> = {}): readonly string[] => {
  const argv = wallsArgv({ ...WALLS, ...walls });
  return argv.flatMap((word, at) =>
    /^--(?:ro-)?bind(?:-try)?$/.test(word)
      ? [`${word} ${argv[at + 1] ?? ''} ${argv[at + 2] ?? ''}`]
      : [],
  );
};

const isBound = (path: string, walls: Partial<Walls> = {}): boolean =>
  binds(walls).some((bind) => bind.split(' ')[2] === path);

describe('walls', () => {
  it('are of namespaces for users, processes and IPC, and go with the supervisor', () => {
    const argv = wallsArgv(WALLS);
    for (const word of ['--unshare-user', '--unshare-pid', '--unshare-ipc', '--die-with-parent']) {
      assert.ok(argv.includes(word), word);
    }
    assert.deepEqual(argv.slice(-4), ['--remount-ro', '/', '--chdir', WALLS.directory]);
  });

  it('let the application write into itself, its folders and a /tmp of its own, and nowhere else', () => {
    const writable = binds().filter((bind) => bind.startsWith('--bind '));
    const [own = ''] = WALLS.folders;
    assert.deepEqual(writable, [
      `--bind ${own} /tmp`,
      `--bind ${own} /var/tmp`,
      `--bind ${own} ${own}`,
      `--bind ${WALLS.directory} ${WALLS.directory}`,
    ]);
  });

  it('show the home only if asked, and for writing then', () => {
    assert.ok(!isBound('/home/alice'));
    const shown = binds({ home: { path: '/home/alice', isShown: true } });
    assert.ok(shown.includes('--bind /home/alice /home/alice'));
  });

  it('would be down with a home that holds those of others, and are not put up then', () => {
    const hidden = ['/srv', '/home', '/run/usherd', '/var/www/sites'];
    for (const home of [
      '/',
      '//',
      '/srv',
      '/srv/',
      '/home/.',
      '/var/www',
      '/run',
      '/tmp',
      '/dev',
    ]) {
      assert.ok(isWiderThanWalls(home, hidden), home);
    }
    for (const home of ['/srv/alice', '/home/alice', '/var/www/sites/a', '/sr', '/nonexistent']) {
      assert.ok(!isWiderThanWalls(home, hidden), home);
    }
  });

  it('show no directory of users, of usherd’s, nor all of /run, /var or /dev', () => {
    for (const path of ['/', '/home', '/root', '/srv', '/run', '/run/usherd', '/var', '/var/lib']) {
      assert.ok(!isBound(path), path);
    }
    for (const path of ['/dev', '/proc', '/sys', '/run/user', '/run/dbus']) {
      assert.ok(!isBound(path), path);
    }
  });

  it('show the sockets of names and databases, where they are there', () => {
    for (const path of ['/run/mysqld', '/run/postgresql', '/run/systemd/resolve', '/dev/log']) {
      assert.ok(isBound(path), path);
    }
    assert.ok(!isBound('/run/mysqld', { isThere: (path) => path !== '/run/mysqld' }));
  });

  it('cover what is hidden in a directory that is shown, before anything of the application’s', () => {
    const argv = wallsArgv({
      ...WALLS,
      hidden: ['/opt/sites', '/etc/usherd', '/srv', '/optional'],
    });
    const covers = argv.flatMap((word, at) => (word === '--tmpfs' ? [argv[at + 1]] : []));
    assert.deepEqual(covers, ['/etc/usherd', '/opt/sites']);
    assert.ok(argv.lastIndexOf('--tmpfs') < argv.indexOf('--bind'));
    assert.ok(argv.lastIndexOf('--tmpfs') > argv.indexOf('/opt'));
    const gone = { hidden: ['/opt/sites'], isThere: (path: string) => path !== '/opt/sites' };
    assert.ok(!wallsArgv({ ...WALLS, ...gone }).includes('--tmpfs'));
  });

  it('show what the administrator names, read-only, on top of /tmp', () => {
    const argv = binds({ visible: ['/tmp/mysql.sock'] });
    const tmp = argv.findIndex((bind) => bind.endsWith(' /tmp'));
    assert.ok(argv.indexOf('--ro-bind-try /tmp/mysql.sock /tmp/mysql.sock') > tmp);
  });
});
