import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountDirectory, AccountResult } from '../../../src/privdrop/index.js';
import { IdentityWatch } from '../../../src/spawner/identity-watch.js';

const owner = { user: 'alice', app: 'alice/a', uid: 2_000, gid: 2_000 };
const account = {
  name: 'alice',
  uid: 2_000,
  gid: 2_000,
  home: '/',
  groups: [],
  hasOwnGroup: true,
  source: 'passwd',
} as const;
const finding = { rule: 'account-expired', found: 'expired', expected: '', remedy: '' };

async function look(result: AccountResult): Promise<{ changes: string[]; forgotten: string[] }> {
  const changes: string[] = [];
  const forgotten: string[] = [];
  const accounts = {
    forget: (name: string) => forgotten.push(name),
    lookup: () => Promise.resolve(result),
  } as unknown as AccountDirectory;
  const watch = new IdentityWatch({
    accounts: () => accounts,
    users: () => new Map([['alice', owner]]),
    onChanged: (user, why) => changes.push(`${user} ${why}`),
  });
  await watch.look();
  return { changes, forgotten };
}

describe('the identity watch', () => {
  it('asks anew, and says nothing while the account is the same', async () => {
    const { changes, forgotten } = await look({ ok: true, account });
    assert.deepEqual([changes, forgotten], [[], ['alice']]);
  });

  it('tells a changed uid, a changed group and an account that may not be used any more (T107)', async () => {
    const changes = [
      await look({ ok: true, account: { ...account, uid: 2_001 } }),
      await look({ ok: true, account: { ...account, gid: 2_001 } }),
      await look({ ok: false, code: 'E_ACCESS_REFUSED', finding }),
      await look({ ok: false, code: 'E_APP_UNKNOWN', finding }),
    ].flatMap((each) => each.changes);
    assert.deepEqual(changes, [
      'alice uid 2001 gid 2000',
      'alice uid 2000 gid 2001',
      'alice account-expired: expired',
      'alice account-expired: expired',
    ]);
  });

  it('does not take a look-up that hangs for a change', async () => {
    const { changes } = await look({ ok: false, code: 'E_PRIVDROP_DEADLINE', finding });
    assert.deepEqual(changes, []);
  });
});
