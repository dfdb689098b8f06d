// Accounts of a real database, and of databases that hang or lie; every account that is made here is removed again.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  AccountDirectory,
  findTools,
  type Account,
  type AccountResult,
  type IdentityRules,
  type Tools,
} from '../../../src/privdrop/index.js';
import type { AccountDirectoryOptions } from '../../../src/privdrop/account-directory.js';
import { AccountFiles, SYSTEM_ACCOUNT_FILES } from '../../../src/privdrop/account-files.js';
import { LOOKUP_ID } from '../../../src/privdrop/identity.js';
import { LIMITS } from '../../../src/limits.js';
import { accountsOf } from '../../../src/spawner/index.js';
import { testConfig } from '../../support/config.js';
import { needsRoot } from '../../support/needs-root.js';
import { waitFor } from '../../support/wait-for.js';

const RULES: IdentityRules = {
  minUid: 1_000,
  maxUid: 60_000,
  denyGroups: ['root', 'shadow', 'usherdt-denied', 'usherdt-there-is-no-such-group'],
  supplementaryGroups: 'account',
  forbiddenUids: new Map([[52_105, 'the router']]),
  forbiddenGids: new Map([[52_106, 'of the router']]),
};

/** A command that a test cannot do without. */
function mustRun(file: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${file} ${args.join(' ')}: ${stderr}`);
}

const noUseradd = existsSync('/usr/sbin/useradd') ? false : 'no useradd(8)';

/** Nobody else runs this on the machine. */
const SLEEPER = '/bin/sleep\0' + '31.4\0';

function directory(tools: Tools, change: Partial<AccountDirectoryOptions> = {}): AccountDirectory {
  return new AccountDirectory({
    mode: 'root',
    tools,
    rules: RULES,
    configured: new Map(),
    ...change,
  });
}

/** Processes whose arguments, each ended by NUL, are these. */
function processesThatRun(argv: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1') === argv;
    } catch {
      return false; // it has ended
    }
  });
}

const ruleOf = (result: AccountResult): string => (result.ok ? 'accepted' : result.finding.rule);
const codeOf = (result: AccountResult): string => (result.ok ? 'accepted' : result.code);

function accountOf(result: AccountResult): Account {
  assert.ok(result.ok, JSON.stringify(result));
  return result.account;
}

describe('accounts of the system', { skip: needsRoot === false ? noUseradd : needsRoot }, () => {
  const users = ['usherdt-a', 'usherdt-b', 'usherdt-c', 'usherdt-d', 'usherdt-e'] as const;
  let tools: Tools;

  const addUser = (name: string, uid: number, ...options: readonly string[]): void =>
    mustRun(
      '/usr/sbin/useradd',
      '-M',
      '-s',
      '/usr/sbin/nologin',
      '-u',
      String(uid),
      ...options,
      name,
    );

  before(() => {
    tools = findTools();
    mustRun('/usr/sbin/groupadd', '-g', '52111', 'usherdt-denied');
    mustRun('/usr/sbin/groupadd', '-g', '52112', 'usherdt-fine');
    addUser('usherdt-a', 52_101, '-U', '-G', 'usherdt-denied,usherdt-fine,shadow');
    addUser('usherdt-b', 52_102, '-g', 'usherdt-denied');
    addUser('usherdt-c', 52_103, '-U', '-e', '1970-01-02');
    addUser('usherdt-d', 52_104, '-g', 'usherdt-fine');
    addUser('usherdt-e', 52_105, '-U');
  });
  after(() => {
    for (const name of users) spawnSync('/usr/sbin/userdel', [name]);
    for (const name of [...users, 'usherdt-denied', 'usherdt-fine']) {
      spawnSync('/usr/sbin/groupdel', [name]);
    }
  });

  it('are accepted with nologin and a locked password, without their denied groups (T28, T33)', async () => {
    const { gid, ...account } = accountOf(await directory(tools).lookup('usherdt-a'));
    assert.deepEqual(account, {
      name: 'usherdt-a',
      uid: 52_101,
      home: '/home/usherdt-a',
      groups: [gid, 52_112],
      hasOwnGroup: true,
      source: 'passwd',
    });
  });

  it('have no supplementary groups if none are wanted', async () => {
    const rules: IdentityRules = { ...RULES, supplementaryGroups: 'none' };
    const result = await directory(tools, { rules }).lookup('usherdt-a');
    assert.deepEqual(accountOf(result).groups, []);
  });

  it('are refused with a denied primary group (T28)', async () => {
    assert.equal(ruleOf(await directory(tools).lookup('usherdt-b')), 'gid-denied');
  });

  it('are in no group that reaches usherd’s own sockets, whatever deny_groups says (T28, T136)', async () => {
    const { identity, front } = testConfig();
    const config = testConfig({
      identity: { ...identity, denyGroups: [], supplementaryGroups: 'account' },
      front: { ...front, sockets: [{ path: '/run/front.sock', group: 'usherdt-fine' }] },
    });
    const parts = { mode: 'root', tools, router: { uid: 52_105, gid: 52_111 } } as const;
    const accounts = accountsOf(parts, config);
    const { groups } = accountOf(await accounts.lookup('usherdt-a'));
    assert.ok(groups.length > 0);
    assert.ok(!groups.includes(52_111) && !groups.includes(52_112), groups.join(' '));
    assert.equal(ruleOf(await accounts.lookup('usherdt-b')), 'gid-denied'); // the router's
    assert.equal(ruleOf(await accounts.lookup('usherdt-d')), 'gid-denied'); // a front socket's
  });

  it('are refused when they expired (T31)', async () => {
    assert.equal(ruleOf(await directory(tools).lookup('usherdt-c')), 'account-expired');
  });

  it('are refused with the uid of the router, and below the range (T29)', async () => {
    assert.equal(ruleOf(await directory(tools).lookup('usherdt-e')), 'uid-reserved');
    assert.equal(ruleOf(await directory(tools).lookup('root')), 'uid-range');
    assert.equal(ruleOf(await directory(tools).lookup('daemon')), 'uid-range');
  });

  it('are refused, both, when they share a uid (T30)', async () => {
    addUser('usherdt-f', 52_104, '-o', '-g', 'usherdt-fine');
    try {
      const accounts = directory(tools);
      assert.equal(ruleOf(await accounts.lookup('usherdt-d')), 'uid-unique');
      assert.equal(ruleOf(await accounts.lookup('usherdt-f')), 'uid-unique');
    } finally {
      mustRun('/usr/sbin/userdel', 'usherdt-f');
    }
    assert.equal(ruleOf(await directory(tools).lookup('usherdt-d')), 'accepted');
  });

  it('are refused when the configuration gives their uid to somebody else', async () => {
    const configured = new Map([['guest', { uid: 52_104, gid: 52_112, home: '/srv/guest' }]]);
    const accounts = directory(tools, { configured });
    assert.equal(ruleOf(await accounts.lookup('usherdt-d')), 'uid-unique');
    assert.equal(ruleOf(await accounts.lookup('guest')), 'uid-unique');
  });

  it('do not exist', async () => {
    const result = await directory(tools).lookup('usherdt-nobody');
    assert.equal(ruleOf(result), 'account-exists');
    assert.equal(codeOf(result), 'E_APP_UNKNOWN');
  });

  it('are remembered until they are forgotten', async () => {
    const accounts = directory(tools);
    const found = await accounts.lookup('usherdt-d');
    assert.equal(accounts.size, 1);
    assert.equal(await accounts.lookup('usherdt-d'), found);
    accounts.forget('usherdt-d');
    assert.notEqual(await accounts.lookup('usherdt-d'), found);
    accounts.forget();
    assert.equal(accounts.size, 0);
  });

  it('are looked up anew when a file of accounts has changed (T31, T106)', async () => {
    const accounts = directory(tools);
    assert.equal(ruleOf(await accounts.lookup('usherdt-d')), 'accepted');
    mustRun('/usr/sbin/usermod', '-e', '1970-01-02', 'usherdt-d');
    assert.equal(ruleOf(await accounts.lookup('usherdt-d')), 'account-expired');
    mustRun('/usr/sbin/userdel', 'usherdt-d');
    assert.equal(ruleOf(await accounts.lookup('usherdt-d')), 'account-exists');
    addUser('usherdt-d', 52_104, '-g', 'usherdt-fine');
    assert.equal(ruleOf(await accounts.lookup('usherdt-d')), 'accepted');
  });

  it('are all refused as long as one of them is a number (T27)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'usherd-passwd-'));
    const passwd = join(folder, 'passwd');
    writeFileSync(passwd, '1001:x:0:0::/root:/bin/sh\n');
    const files = new AccountFiles({ ...SYSTEM_ACCOUNT_FILES, passwd });
    const result = await directory(tools, { files }).lookup('usherdt-a');
    assert.equal(ruleOf(result), 'account-entry');
    assert.match(JSON.stringify(result), /1001/);
    rmSync(folder, { recursive: true });
  });
});

describe('configured accounts', { skip: needsRoot }, () => {
  const withAccount = (uid: number, gid = uid): Promise<AccountResult> => {
    const configured = new Map([['guest', { uid, gid, home: '/srv/guest' }]]);
    return directory(findTools(), { configured }).lookup('guest');
  };

  it('need no entry in any database', async () => {
    assert.deepEqual(accountOf(await withAccount(52_201)), {
      name: 'guest',
      uid: 52_201,
      gid: 52_201,
      home: '/srv/guest',
      groups: [],
      hasOwnGroup: true,
      source: 'config',
    });
  });

  it('pass the same rules', async () => {
    for (const uid of [0, -1, 999, 1e3 - 1, 4_294_967_295, 4_294_967_296, 2_147_483_648]) {
      assert.equal(ruleOf(await withAccount(uid, 52_201)), 'uid-range');
    }
    assert.equal(ruleOf(await withAccount(52_201, 0)), 'gid-denied');
    assert.equal(ruleOf(await withAccount(52_201, 100)), 'gid-range');
  });
});

describe('a database that lies or hangs', { skip: needsRoot }, () => {
  let folder: string;
  let tools: Tools;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'usherd-getent-'));
    chmodSync(folder, 0o777);
    tools = findTools();
  });
  after(() => rmSync(folder, { recursive: true }));

  /** A getent(1) whose answer to `passwd` is this shell text; `group` finds nothing. */
  function withGetent(
    text: string,
    id = 'echo 52301',
    script = `[ "$1" = passwd ] || exit 2\n${text}`,
  ): Tools {
    const write = (name: string, script: string): string => {
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\n${script}\n`);
      chmodSync(path, 0o755);
      return path;
    };
    return { ...tools, getent: write('getent', script), id: write('id', id) };
  }

  const ENTRY = 'alice:x:52301:52301::/home/alice:/bin/sh';
  const ask = async (text: string, id?: string): Promise<string> =>
    ruleOf(await directory(withGetent(text, id)).lookup('alice'));

  it('is believed when it answers properly', async () => {
    assert.equal(await ask(`echo ${ENTRY}`), 'accepted');
  });

  for (const [what, text] of [
    ['two lines', `echo ${ENTRY}; echo ${ENTRY}`],
    ['six fields', 'echo alice:x:52301:52301:/home/alice:/bin/sh'],
    ['another case', `echo ${ENTRY.replace('alice', 'Alice')}`],
    ['uid -1', `echo ${ENTRY.replace('52301', '-1')}`],
    ['uid 4294967296', `echo ${ENTRY.replace('52301', '4294967296')}`],
    ['nothing and success', 'exit 0'],
    // What its author forges is followed by what is true.
    ['the end of its own answer', `echo ${ENTRY}; echo = 0; echo 52301 27; echo = 0`],
    ['a failure in its answer', `echo = 2; echo ${ENTRY}`],
    ['half a line', `printf %s ${ENTRY}`],
  ] as const) {
    it(`is not believed when it answers with ${what} (T34)`, async () => {
      assert.equal(await ask(text), 'account-entry');
    });
  }

  // Not an answer, so nothing is known of the account: running workers are not killed for it.
  for (const [what, text] of [
    ['an entry and a failure', `echo ${ENTRY}; exit 3`],
    ['death', `echo ${ENTRY}; kill -9 $$`],
    ['more than anybody reads', 'exec /usr/bin/head -c 2000000 /dev/zero'],
  ] as const) {
    it(`has not answered when it ends with ${what}`, async () => {
      assert.equal(await ask(text), 'account-lookup-failed');
    });
  }

  it('is not believed about groups either', async () => {
    assert.equal(await ask(`echo ${ENTRY}`, 'echo 1 x'), 'account-entry');
    assert.equal(await ask(`echo ${ENTRY}`, 'exit 1'), 'account-lookup-failed');
  });

  it('has to know the group of the same name for his alone', async () => {
    const group = 'alice:x:52301:';
    const isOwn = async (answer: string): Promise<boolean> => {
      const getent = `case $1:$3 in passwd:*) echo ${ENTRY} ;; group:alice) ${answer} ;; *) exit 2 ;; esac`;
      return accountOf(await directory(withGetent('', 'echo 52301', getent)).lookup('alice'))
        .hasOwnGroup;
    };
    assert.equal(await isOwn(`echo ${group}`), true);
    assert.equal(await isOwn(`echo ${group}alice`), true);
    assert.equal(await isOwn(`echo ${group}bob`), false);
    assert.equal(await isOwn('echo alice:x:52302:'), false);
    assert.equal(await isOwn(`echo ${group}; exit 3`), false);
  });

  it('is asked by who is nobody else, without environment, groups and capabilities', async () => {
    const copy = `cat /proc/self/status >${folder}/status; /usr/bin/env >${folder}/env`;
    await ask(`${copy}; echo ${ENTRY}`);
    const status = readFileSync(join(folder, 'status'), 'latin1');
    for (const field of ['Uid', 'Gid']) {
      const four = Array.from({ length: 4 }, () => LOOKUP_ID).join('\t');
      assert.ok(status.includes(`\n${field}:\t${four}\n`), status);
    }
    assert.match(status, /^Groups:\s*$/m);
    assert.match(status, /^CapBnd:\t0{16}$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.equal(readFileSync(join(folder, 'env'), 'latin1'), `PWD=/\n`);
  });

  it('is asked by processes that a daemon which runs as nobody can neither stop nor look into (T34)', async () => {
    const accounts = directory(withGetent('exec /bin/sleep 31.4'), { lookupDeadlineMs: 5_000 });
    const lookup = accounts.lookup('alice');
    await waitFor('the question', () => processesThatRun(SLEEPER).length === 1);
    const [pid = ''] = processesThatRun(SLEEPER);
    const { setpriv, sh } = findTools();
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--'];
    const can = (script: string): boolean =>
      spawnSync(setpriv, [...nobody, sh, '-c', script]).status === 0;
    assert.equal(can(`kill -0 $$`), true);
    assert.equal(can(`kill -STOP ${pid}`), false);
    assert.equal(can(`exec 3<>/proc/${pid}/mem`), false);
    process.kill(Number(pid), 'SIGKILL');
    assert.equal(ruleOf(await lookup), 'account-lookup-failed');
  });

  it('is not asked about names that are not names', async () => {
    const accounts = directory(withGetent(`echo asked >>${folder}/asked`));
    for (const name of ['a:b', '1001', '-rf', '', 'A', 'a\nb', '..']) {
      assert.equal(ruleOf(await accounts.lookup(name)), 'account-name');
    }
    assert.equal(existsSync(join(folder, 'asked')), false);
  });

  it('is asked once for lookups of one name at one time', async () => {
    const accounts = directory(withGetent(`echo x >>${folder}/once; echo ${ENTRY}`));
    const results = await Promise.all([1, 2, 3].map(() => accounts.lookup('alice')));
    assert.deepEqual(results.map(ruleOf), ['accepted', 'accepted', 'accepted']);
    assert.equal(readFileSync(join(folder, 'once'), 'latin1'), 'x\n');
  });

  it('costs its deadline and no more, asks few at once, and blocks nobody (T34)', async () => {
    const accounts = directory(withGetent('exec /bin/sleep 31.4'), { lookupDeadlineMs: 400 });
    const began = performance.now();
    let turns = 0;
    let atOnce = 0;
    const ticking = setInterval(() => {
      turns += 1;
      atOnce = Math.max(atOnce, processesThatRun(SLEEPER).length);
    }, 5);
    const names = Array.from({ length: 12 }, (_, i) => `alice${i}`);
    const results = await Promise.all(names.map((name) => accounts.lookup(name)));
    clearInterval(ticking);
    const ms = performance.now() - began;
    assert.deepEqual([...new Set(results.map(ruleOf))], ['account-lookup-deadline']);
    assert.deepEqual([...new Set(results.map(codeOf))], ['E_PRIVDROP_DEADLINE']);
    assert.ok(ms >= 390 && ms < 1_500, `${ms} ms`);
    assert.ok(turns > 20, `${turns} turns of the event loop`);
    // Who gets a place just before his own deadline asks too: only how many ask at once is bounded.
    assert.ok(atOnce > 0 && atOnce <= LIMITS.accountLookupsInFlightMaxCount, `${atOnce} at once`);
    await waitFor('nobody to sleep any more', () => processesThatRun(SLEEPER).length === 0);
  });
});
