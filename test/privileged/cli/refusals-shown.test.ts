// Every rule that refuses an application, as `usherd check` and `usherd explain` tell an administrator of it: all of it, word for word.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Finding } from '../../../src/errors.js';
import { brokenAccountsOf } from '../../support/broken-accounts.js';
import {
  BROKEN_MACHINES,
  BROKEN_PROGRAMS,
  BROKEN_RULES,
} from '../../support/broken-applications.js';
import { BROKEN_RUNTIMES } from '../../support/broken-manifests.js';
import { needsRoot } from '../../support/needs-root.js';
import { needsMounts } from '../../support/own-mounts.js';
import { A_UID, B_UID, TenantTree } from '../../support/tenants.js';
import { UsherdRun } from '../../support/usherd-run.js';

const ROUTER_UID = 52_449;

describe('an administrator is told', { skip: needsRoot }, () => {
  let usherd: UsherdRun;
  let tree: TenantTree;
  before(async () => {
    const users = [
      { name: 'a', uid: A_UID },
      { name: 'b', uid: B_UID },
    ];
    usherd = await UsherdRun.start(users, { routerUid: ROUTER_UID });
  });
  after(() => usherd.stop());
  beforeEach(async () => {
    tree = new TenantTree();
    const roots = `roots = ["${tree.root}/{user}/apps/{app}"]`;
    await usherd.reconfigure((text) => text.replace(/^roots = .*$/m, roots));
  });
  afterEach(() => {
    tree.remove();
    const own = join(usherd.directory, 'state/users', String(A_UID));
    for (const path of [own, `${own}.owner`]) rmSync(path, { recursive: true, force: true });
  });

  /** What both commands say, and that both of them say no. */
  async function told(app: string, setup = ''): Promise<readonly string[]> {
    const said: string[] = [];
    for (const command of ['check', 'explain']) {
      const { code, out } = await usherd.commandAfter(setup, command, app);
      assert.equal(code, 1, out);
      said.push(out);
    }
    return said;
  }

  const inWords = (
    rule: string,
    { path, found, expected, remedy }: Omit<Finding, 'rule'>,
  ): string =>
    `${path === undefined ? '' : `${path}: `}${found}  (${rule})\n    expected: ${expected}\n    remedy:   ${remedy}\n`;

  for (const { rule, make } of [...BROKEN_RULES, ...BROKEN_RUNTIMES, ...BROKEN_PROGRAMS]) {
    test(`of ${rule}: where, what was found, what is expected, what to do`, async () => {
      const words = inWords(rule, make(tree, tree.app(A_UID, 'blog')));
      for (const out of await told('a/blog')) assert.ok(out.includes(words), out);
    });
  }

  for (const { rule, setup, make } of BROKEN_MACHINES) {
    const skip = setup !== '' && needsMounts;
    test(`of ${rule}, where the machine is the cause: in so many words`, { skip }, async () => {
      const state = join(usherd.directory, 'state');
      const words = inWords(rule, make(tree, tree.app(A_UID, 'blog'), state));
      for (const out of await told('a/blog', setup)) assert.ok(out.includes(words), out);
    });
  }

  test('of private-directory no longer, when the link says whose it is', async () => {
    tree.app(A_UID, 'blog', { 'app.fcgi': '#!/bin/sh\n' });
    const own = join(usherd.directory, 'state/users', String(A_UID));
    mkdirSync(own);
    symlinkSync('a', `${own}.owner`);
    assert.equal((await usherd.command('check', 'a/blog')).code, 0);
  });

  for (const [account, finding] of Object.entries(brokenAccountsOf(ROUTER_UID))) {
    test(`of ${finding.rule}: of which account, in so many words`, async () => {
      for (const out of await told(`${account}/blog`)) {
        assert.ok(out.includes(inWords(finding.rule, finding)), out);
      }
    });
  }
});
