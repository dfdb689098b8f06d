// Every rule about an application directory, suEXEC's and suPHP's among them: one directory that breaks it, and the exact words.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import type { Finding } from '../../src/errors.js';
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

/** Of these the launcher hears when it is to start a program. */
export const BROKEN_PROGRAMS: readonly Broken[] = [
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
        path: './serve',
        found: 'no program that this user may run',
        expected: 'an executable file ./serve',
        remedy: 'install it, or make it executable',
      };
    },
  },
  {
    rule: 'program-interpreter',
    make: (tree, app) => {
      tree.file(A_UID, `${app}/app.fcgi`, '#!/usr/bin/nosuchlanguage\n', 0o755);
      return {
        path: './app.fcgi',
        found:
          'a first line that begins with #! and names /usr/bin/nosuchlanguage, which is not there',
        expected: 'a program that is there',
        remedy:
          'install it (often the Debian package nosuchlanguage), or mend the first line of ./app.fcgi',
      };
    },
  },
];
