// Every rule about an application directory, suEXEC's and suPHP's among them: one directory that breaks it, and the exact words.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Finding } from '../../../src/errors.js';
import { findTools } from '../../../src/privdrop/index.js';
import { closeInheritedDescriptors, launch } from '../../support/launch.js';
import { needsRoot } from '../../support/needs-root.js';
import { A_UID, B_UID, planFor, TenantTree } from '../../support/tenants.js';

type Expected = Omit<Finding, 'rule'>;

interface Broken {
  readonly rule: string;
  /** Makes it, and says what is to be told. */
  readonly make: (tree: TenantTree, app: string) => Expected;
}

const script = (tree: TenantTree, app: string): string =>
  tree.file(A_UID, `${app}/app.fcgi`, '#!/bin/sh\n');
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

const RULES: readonly Broken[] = [
  {
    rule: 'app-directory-missing',
    make: (_, app) => {
      rmSync(app, { recursive: true });
      const expected = 'the directory of the application';
      return { path: app, found: 'nothing', expected, remedy: `mkdir ${app}` };
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
];

describe('an application is refused by', { skip: needsRoot }, () => {
  let tree: TenantTree;
  beforeEach(() => {
    closeInheritedDescriptors();
    tree = new TenantTree();
  });
  afterEach(() => tree.remove());

  const findingsFor = async (directory: string): Promise<readonly Finding[]> => {
    const { refusal } = await launch({
      plan: planFor(A_UID),
      tools: findTools(),
      directory,
      names: ['app.fcgi'],
      program: { umask: 0o27, environment: [], argv: ['/bin/true'] },
    });
    return refusal === undefined ? [] : [refusal.finding, ...refusal.others];
  };

  for (const { rule, make } of RULES) {
    it(`${rule}, in so many words`, async () => {
      const app = tree.app(A_UID, 'blog');
      assert.deepEqual(await findingsFor(app), []);
      const expected = make(tree, app);
      assert.deepEqual(await findingsFor(app), [{ rule, ...expected }]);
    });
  }

  it('every rule that it breaks, when it breaks several', async () => {
    const app = tree.app(A_UID, 'blog');
    chmodSync(script(tree, app), 0o777);
    chmodSync(manifest(tree, app), 0o666);
    chmodSync(app, 0o777);
    const rules = (await findingsFor(app)).map(({ rule }) => rule);
    assert.deepEqual(rules, ['app-directory-mode', 'manifest-mode', 'entry-mode']);
  });
});
