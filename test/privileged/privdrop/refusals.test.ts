// The rules about an application directory, as the launcher sees it and the supervisor judges what it saw.
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Finding } from '../../../src/errors.js';
import { findTools } from '../../../src/privdrop/index.js';
import { BROKEN_RULES } from '../../support/broken-applications.js';
import { closeInheritedDescriptors, launch } from '../../support/launch.js';
import { needsRoot } from '../../support/needs-root.js';
import { A_UID, planFor, TenantTree } from '../../support/tenants.js';

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
      names: ['app.fcgi', '.env'],
      program: { umask: 0o27, environment: [], argv: ['/bin/true'] },
    });
    return refusal === undefined ? [] : [refusal.finding, ...refusal.others];
  };

  for (const { rule, make } of BROKEN_RULES) {
    it(`${rule}, in so many words`, async () => {
      const app = tree.app(A_UID, 'blog');
      assert.deepEqual(await findingsFor(app), []);
      const expected = make(tree, app);
      assert.deepEqual(await findingsFor(app), [{ rule, ...expected }]);
    });
  }

  it('every rule that it breaks, when it breaks several', async () => {
    const app = tree.app(A_UID, 'blog');
    tree.file(A_UID, `${app}/app.fcgi`, '', 0o777);
    tree.file(A_UID, `${app}/usherd.toml`, '', 0o666);
    chmodSync(app, 0o777);
    const rules = (await findingsFor(app)).map(({ rule }) => rule);
    assert.deepEqual(rules, ['app-directory-mode', 'manifest-mode', 'entry-mode']);
  });
});
