// Whole account files: shared uids, names that are numbers, expiry, and noticing that a file is another one.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { AccountFiles } from '../../../src/privdrop/account-files.js';
import { assertAccountDatabase } from '../../../src/privdrop/startup.js';

const folder = mkdtempSync(join(tmpdir(), 'usherd-accounts-'));
after(() => rmSync(folder, { recursive: true }));

const PASSWD = 'root:x:0:0::/root:/bin/sh\nalice:x:1001:1001::/h:/s\nbob:x:1001:1001::/h:/s\n';

let serial = 0;
function filesWith(texts: { passwd?: string; group?: string; shadow?: string }): {
  files: AccountFiles;
  passwd: string;
  shadow: string;
} {
  serial += 1;
  const path = (name: string): string => join(folder, `${name}-${serial}`);
  const paths = { passwd: path('passwd'), group: path('group'), shadow: path('shadow') };
  writeFileSync(paths.passwd, texts.passwd ?? PASSWD);
  writeFileSync(paths.group, texts.group ?? 'root:x:0:\n');
  if (texts.shadow !== undefined) writeFileSync(paths.shadow, texts.shadow);
  return { files: new AccountFiles(paths), ...paths };
}

describe('account files', () => {
  it('name the other account of a uid, from both sides', () => {
    const { files } = filesWith({});
    assert.equal(files.sharesUidWith('alice', 1_001), 'bob');
    assert.equal(files.sharesUidWith('bob', 1_001), 'alice');
    assert.equal(files.sharesUidWith('root', 0), undefined);
    assert.equal(files.sharesUidWith('carol', 4_711), undefined);
  });

  it('name the other group of a number', () => {
    const { files } = filesWith({ group: 'alice:x:1001:\nstaff:x:1001:bob\nbob:x:1002:\n' });
    assert.equal(files.sharesGidWith('alice', 1_001), 'staff');
    assert.equal(files.sharesGidWith('bob', 1_002), undefined);
  });

  it('do not take an account that is written twice for two accounts', () => {
    const { files } = filesWith({ passwd: 'a:x:1001:1::/h:/s\na:x:1001:1::/h:/s\n' });
    assert.equal(files.sharesUidWith('a', 1_001), undefined);
  });

  it('find users and groups whose names setpriv would take for other ids', async () => {
    const { files } = filesWith({
      passwd: '1001:x:0:0::/h:/s\n',
      group: '42:x:0:\n-7:x:1:\na1:x:2:\n',
    });
    assert.deepEqual(files.numericNames(), ['1001', '42', '-7']);
    await assert.rejects(assertAccountDatabase(files), { code: 'E_STARTUP_ACCOUNTS' });
    await assertAccountDatabase(filesWith({}).files);
  });

  it('know when an account expires, and nothing where they may not look', () => {
    const shadow = 'alice:$6$x:19000:0:99999:7::19500:\nbob:*:19000:0:99999:7:::\n';
    const { files } = filesWith({ shadow });
    assert.equal(files.expiryDay('alice'), 19_500);
    assert.equal(files.expiryDay('bob'), undefined);
    assert.equal(filesWith({}).files.expiryDay('alice'), undefined);
  });

  it('are read again when they change, and not otherwise', () => {
    const { files, passwd } = filesWith({});
    assert.equal(files.sharesUidWith('alice', 1_001), 'bob');
    writeFileSync(passwd, 'alice:x:1001:1001::/h:/s\ncarol:x:1001:1001::/h:/s\n');
    assert.equal(files.sharesUidWith('alice', 1_001), 'carol');
    chmodSync(passwd, 0o600);
    assert.equal(files.sharesUidWith('alice', 1_001), 'carol');
  });

  it('are refused when they are larger than anybody has', () => {
    const { files, passwd } = filesWith({});
    truncateSync(passwd, LIMITS.accountFileMaxBytes + 1);
    assert.throws(() => files.numericNames(), { code: 'E_STARTUP_ACCOUNTS' });
  });
});
