// Every rule that refuses an application, as `usherd check` and `usherd explain` tell an administrator of it: all of it, word for word.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { BROKEN_PROGRAMS, BROKEN_RULES } from '../../support/broken-applications.js';
import { needsRoot } from '../../support/needs-root.js';
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
  afterEach(() => tree.remove());

  /** What both commands say, and that both of them say no. */
  async function told(app: string): Promise<readonly string[]> {
    const said: string[] = [];
    for (const command of ['check', 'explain']) {
      const { code, out } = await usherd.command(command, app);
      assert.equal(code, 1, out);
      said.push(out);
    }
    return said;
  }

  for (const { rule, make } of [...BROKEN_RULES, ...BROKEN_PROGRAMS]) {
    test(`of ${rule}: where, what was found, what is expected, what to do`, async () => {
      const { path = '', found, expected, remedy } = make(tree, tree.app(A_UID, 'blog'));
      const words = `${path}: ${found}  (${rule})\n    expected: ${expected}\n    remedy:   ${remedy}\n`;
      for (const out of await told('a/blog')) assert.ok(out.includes(words), out);
    });
  }

  test('of private-directory: that it was of an account that is gone', async () => {
    tree.app(A_UID, 'blog', { 'app.fcgi': '#!/bin/sh\n' });
    const own = join(usherd.directory, 'state/users', String(A_UID));
    mkdirSync(own);
    symlinkSync('former', `${own}.owner`);
    const words = `${own}: sessions and temporary files of former, who had uid ${A_UID} before  (private-directory)`;
    for (const out of await told('a/blog')) assert.ok(out.includes(words), out);
    rmSync(`${own}.owner`);
    symlinkSync('a', `${own}.owner`);
    assert.equal((await usherd.command('check', 'a/blog')).code, 0);
  });

  const ACCOUNTS: Readonly<Record<string, readonly [rule: string, words: string]>> = {
    nosuchaccount: ['account-exists', 'adduser nosuchaccount'],
    daemon: ['uid-range', 'uid 1  '],
    'e2e-router': ['uid-reserved', `uid ${ROUTER_UID}, which belongs to the router`],
  };
  for (const [account, [rule, words]] of Object.entries(ACCOUNTS)) {
    test(`of ${rule}`, async () => {
      const { code, out } = await usherd.command('check', `${account}/blog`);
      assert.equal(code, 1, out);
      assert.ok(out.includes(`(${rule})`) && out.includes(words), out);
    });
  }
});
