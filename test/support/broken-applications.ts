// Every rule about an application directory, suEXEC's and suPHP's among them: one directory that breaks it, and the exact words.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import type { Finding } from '../../src/errors.js';
import { LIMITS } from '../../src/limits.js';
import { OVERLAY } from './own-mounts.js';
import { A_UID, B_UID, type TenantTree } from './tenants.js';

type Expected = Omit<Finding, 'rule'>;

export interface Broken {
  readonly rule: string;
  /** Makes it, and says what is to be told. */
  readonly make: (tree: TenantTree, app: string) => Expected;
}

const script = (tree: TenantTree, app: string): string =>
  tree.file(A_UID, `${app}/app.fcgi`, '#!/bin/sh\n', 0o755);
const manifest = (tree: TenantTree, app: string, text = ''): string =>
  tree.file(A_UID, `${app}/usherd.toml`, text);
const ownerOf = (path: string, uid: number, wanted = A_UID): Expected => ({
  path,
  found: `owner uid ${uid}`,
  expected: `owner uid ${wanted}`,
  remedy: `chown ${wanted} ${path}`,
});
const modeOf = (path: string, mode: string): Expected => ({
  path,
  found: `mode ${mode}`,
  expected: 'nobody but the owner may write',
  remedy: `chmod go-w ${path}`,
});

export const BROKEN_RULES: readonly Broken[] = [
  {
    rule: 'app-directory-missing',
    make: (_, app) => {
      rmSync(app, { recursive: true });
      const expected = 'the directory of the application';
      return { path: app, found: 'nothing', expected, remedy: `install -d -o ${A_UID} ${app}` };
    },
  },
  {
    rule: 'app-directory-kind',
    make: (tree, app) => {
      rmSync(app, { recursive: true });
      tree.file(A_UID, app, '');
      return {
        path: app,
        found: 'something that is not a directory',
        expected: 'the directory of the application',
        remedy: `put a directory at ${app}`,
      };
    },
  },
  {
    rule: 'app-directory-search',
    make: (_, app) => {
      chownSync(app, 0, 0);
      chmodSync(app, 0o700);
      return {
        path: app,
        found: `uid ${A_UID} may not enter it`,
        expected: 'a directory that the user of the application may enter',
        remedy: `chmod a+x ${app}, or give it to the user`,
      };
    },
  },
  {
    rule: 'app-directory-symlink',
    make: (tree, app) => {
      rmSync(app, { recursive: true });
      const target = tree.app(A_UID, 'elsewhere');
      tree.link(A_UID, target, app);
      return {
        path: app,
        found: `a symbolic link; it leads to ${JSON.stringify(target)}`,
        expected: 'a directory, or a link that root made',
        remedy: 'put the directory itself there',
      };
    },
  },
  {
    rule: 'app-directory-owner',
    make: (_, app) => {
      chownSync(app, B_UID, B_UID);
      return ownerOf(app, B_UID);
    },
  },
  {
    rule: 'app-directory-mode',
    make: (_, app) => {
      chmodSync(app, 0o775);
      return modeOf(app, '0775');
    },
  },
  {
    rule: 'manifest-kind',
    make: (_, app) => {
      mkdirSync(`${app}/usherd.toml`);
      const path = `${app}/usherd.toml`;
      const expected = 'a regular file with one name';
      return { path, found: 'directory', expected, remedy: `replace ${path} by a copy of its own` };
    },
  },
  {
    rule: 'manifest-owner',
    make: (tree, app) => {
      const path = manifest(tree, app);
      chownSync(path, B_UID, B_UID);
      return ownerOf(path, B_UID);
    },
  },
  {
    rule: 'manifest-mode',
    make: (tree, app) => {
      const path = manifest(tree, app);
      chmodSync(path, 0o666);
      return modeOf(path, '0666');
    },
  },
  {
    rule: 'manifest-size',
    make: (tree, app) => {
      const path = manifest(tree, app, '#'.repeat(16_385));
      return {
        path,
        found: '16385 bytes',
        expected: 'at most 16384 bytes',
        remedy: `shorten ${path}`,
      };
    },
  },
  {
    rule: 'entry-owner',
    make: (tree, app) => {
      const path = script(tree, app);
      chownSync(path, B_UID, B_UID);
      return ownerOf(path, B_UID);
    },
  },
  {
    rule: 'entry-mode',
    make: (tree, app) => {
      const path = script(tree, app);
      chmodSync(path, 0o777);
      return modeOf(path, '0777');
    },
  },
  {
    rule: 'entry-set-id',
    make: (tree, app) => {
      const path = script(tree, app);
      chmodSync(path, 0o4755);
      return {
        path,
        found: 'mode 4755, set-user-ID or set-group-ID',
        expected: 'a program without these bits: it runs as its owner anyway',
        remedy: `chmod u-s,g-s ${path}`,
      };
    },
  },
  {
    rule: 'entry-kind',
    make: (_, app) => {
      const path = `${app}/app.fcgi`;
      spawnSync('mkfifo', ['-m', '755', path]);
      chownSync(path, A_UID, A_UID);
      return {
        path,
        found: 'a FIFO, a socket or a device',
        expected: 'a regular file, a directory or a link',
        remedy: `remove ${path}`,
      };
    },
  },
  {
    rule: 'manifest-text',
    make: (tree, app) => {
      const path = `${app}/usherd.toml`;
      tree.file(A_UID, path, Buffer.from([0xff, 0x0a]));
      const expected = 'a text file in UTF-8';
      return { path, found: 'bytes that are not UTF-8', expected, remedy: `save ${path} as UTF-8` };
    },
  },
  {
    rule: 'env-file-kind',
    make: (tree, app) => {
      const path = `${app}/.env`;
      tree.link(A_UID, '/etc/hostname', path);
      const expected = 'a regular file with one name';
      return { path, found: 'link', expected, remedy: `replace ${path} by a copy of its own` };
    },
  },
  {
    rule: 'env-file-owner',
    make: (tree, app) => {
      const path = tree.file(A_UID, `${app}/.env`, '', 0o600);
      chownSync(path, B_UID, B_UID);
      return ownerOf(path, B_UID);
    },
  },
  {
    rule: 'env-file-mode',
    make: (tree, app) => ({
      path: tree.file(A_UID, `${app}/.env`, 'A=1\n', 0o640),
      found: 'mode 0640',
      expected: 'a file that nobody but its owner may read or write',
      remedy: `chmod 600 ${app}/.env`,
    }),
  },
];

/** Of these the machine is the cause, or what it keeps for a user. */
export interface BrokenMachine extends Pick<Broken, 'rule'> {
  /** What a shell does first, as root and with mounts that nobody else sees. */
  readonly setup: string;
  readonly make: (tree: TenantTree, app: string, state: string) => Expected;
}

export const BROKEN_MACHINES: readonly BrokenMachine[] = [
  {
    rule: 'private-folder',
    setup: '',
    make: (tree, app, state) => {
      script(tree, app);
      const own = `${state}/users/${A_UID}`;
      mkdirSync(own, { mode: 0o700 });
      chownSync(own, A_UID, A_UID);
      return {
        path: tree.file(A_UID, `${own}/tmp`, ''),
        found: 'no directory, and none that this user can make',
        expected: 'a directory of his own for temporary files',
        remedy: 'see whether his disk quota is used up, or something else lies there',
      };
    },
  },
  {
    rule: 'account-entry',
    setup: `mount -t tmpfs none /mnt && sed '$ a 1001:x:0:0::/root:/bin/sh' /etc/passwd >/mnt/passwd &&
mount --bind /mnt/passwd /etc/passwd`,
    make: (tree, app) => {
      script(tree, app);
      return {
        found: 'accounts or groups whose names are numbers: 1001',
        expected: 'one line of seven fields, for this very name',
        remedy: 'look at `getent passwd a` and `id -G a`',
      };
    },
  },
  {
    rule: 'isolation-program',
    setup: `${OVERLAY} && rm /usr/bin/bwrap`,
    make: (tree, app) => {
      script(tree, app);
      manifest(tree, app, 'isolation = "strict"\n');
      return {
        path: '/usr/bin/bwrap',
        found: 'no bubblewrap',
        expected: 'bubblewrap, which puts up the walls of an isolated application',
        remedy: 'apt-get install bubblewrap',
      };
    },
  },
  {
    rule: 'isolation-home',
    // $4 is the configuration that the command is told of.
    setup: `mount -t tmpfs none /mnt && sed 's|^home = ".*/a"|home = "/home"|; $ a [isolation]\\nhome = true' "$4" >/mnt/usherd.toml &&
chmod 644 /mnt/usherd.toml && mount --bind /mnt/usherd.toml "$4"`,
    make: (tree, app) => {
      script(tree, app);
      manifest(tree, app, 'isolation = "strict"\n');
      return {
        path: '/home',
        found:
          '[isolation] home = true, and the home of this account is /home, in which others have theirs',
        expected: 'a home that holds nothing of others',
        remedy: 'give the account a home of its own, or take home = true away',
      };
    },
  },
  {
    rule: 'private-directory',
    setup: '',
    make: (tree, app, state) => {
      script(tree, app);
      const own = `${state}/users/${A_UID}`;
      mkdirSync(own);
      symlinkSync('former', `${own}.owner`);
      return {
        path: own,
        found: `sessions and temporary files of former, who had uid ${A_UID} before`,
        expected: "a directory of a's",
        remedy: `rm -r ${own} ${own}.owner, and whatever else former has left (find / -xdev -uid ${A_UID}); was former renamed: ln -sfn a ${own}.owner`,
      };
    },
  },
  {
    rule: 'runtime-incomplete',
    setup: '[ ! -d /usr/share/tomcat10 ] || mount -t tmpfs none /usr/share/tomcat10',
    make: (tree, app) => {
      tree.file(A_UID, `${app}/WEB-INF/web.xml`, '');
      return {
        path: '/usr/share/tomcat10/bin/bootstrap.jar',
        found: 'no Tomcat 10',
        expected: 'it there',
        remedy: 'apt-get install tomcat10',
      };
    },
  },
  {
    rule: 'isolation-walls',
    setup: `${OVERLAY} && printf '#!/bin/sh\nexit 1\n' >/usr/bin/bwrap && chmod 755 /usr/bin/bwrap`,
    make: (tree, app) => {
      script(tree, app);
      manifest(tree, app, 'isolation = "strict"\n');
      return {
        found: 'bubblewrap ended before the program ran',
        expected: 'namespaces of its own for mounts, processes and IPC',
        remedy: 'read what bubblewrap says in the log of the application',
      };
    },
  },
];

/** Of these the launcher hears when it is to start a program. */
export const BROKEN_PROGRAMS: readonly Broken[] = [
  {
    rule: 'runtime-incomplete', // an environment that has gone with an upgrade of the machine
    make: (tree, app) => {
      tree.file(A_UID, `${app}/asgi.py`, '');
      tree.file(A_UID, `${app}/venv/bin/uvicorn`, '#!/bin/sh\n');
      tree.link(A_UID, '/usr/bin/python2.4', `${app}/venv/bin/python`);
      return {
        path: `${app}/venv/bin/python`,
        found: 'no Python of the virtual environment venv/',
        expected: 'it there',
        remedy:
          'make venv/ anew: python3 -m venv --clear venv, then venv/bin/pip install -r requirements.txt',
      };
    },
  },
  {
    rule: 'env-file-size',
    make: (tree, app) => {
      script(tree, app);
      const text = `A=${'x'.repeat(LIMITS.environmentFileMaxBytes - 2)}\n`; // one byte too long
      return {
        path: tree.file(A_UID, `${app}/.env`, text, 0o600),
        found: 'a file that cannot be read, or a longer one',
        expected: `at most ${LIMITS.environmentFileMaxBytes} bytes that the owner can read`,
        remedy: 'shorten it, or chmod 600 it',
      };
    },
  },
  {
    rule: 'program-path',
    make: (tree, app) => {
      manifest(tree, app, 'command = ["./a=b"]\n');
      return {
        found: '"./a=b"',
        expected: 'an absolute path, or ./ and a path below the application, without .. and =',
        remedy: 'rename the program, and name it so in `command`',
      };
    },
  },
  {
    rule: 'env-file-line',
    make: (tree, app) => {
      script(tree, app);
      tree.file(A_UID, `${app}/.env`, 'A=1\nLD PRELOAD=x\n', 0o600);
      return {
        path: `${app}/.env:2`,
        found: 'a line that sets no variable, or one that usherd or the shell keeps for itself',
        expected: 'NAME=value, a comment that begins with #, or nothing',
        remedy: 'mend the line; a value has one line, and nothing in it is expanded',
      };
    },
  },
  {
    rule: 'program-missing',
    make: (tree, app) => {
      manifest(tree, app, 'command = ["./serve"]\n');
      return {
        path: `${app}/serve`,
        found: 'no program that this user may run',
        expected: 'an executable file',
        remedy: `put it there; if it is there: chmod u+x ${app}/serve`,
      };
    },
  },
  {
    rule: 'program-interpreter',
    make: (tree, app) => {
      tree.file(A_UID, `${app}/app.fcgi`, '#!/usr/bin/nosuchlanguage\n', 0o755);
      return {
        path: `${app}/app.fcgi`,
        found:
          'a first line that begins with #! and names /usr/bin/nosuchlanguage, which is not there',
        expected: 'the path of an interpreter that this user can run',
        remedy: `install it (often the Debian package nosuchlanguage), or mend the first line of ${app}/app.fcgi`,
      };
    },
  },
];
