// The plan and its argv: only constants and integers, and a plan for root is refused.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { launchChain } from '../../../src/privdrop/chain.js';
import type { Account } from '../../../src/privdrop/identity.js';
import { launcherProgram } from '../../../src/privdrop/launcher-script.js';
import { buildPlan } from '../../../src/privdrop/plan.js';
import type { Tools } from '../../../src/privdrop/tools.js';

const TOOLS: Tools = {
  prlimit: '/usr/bin/prlimit',
  setpriv: '/usr/bin/setpriv',
  sh: '/bin/sh',
  getent: '/usr/bin/getent',
  id: '/usr/bin/id',
  stat: '/usr/bin/stat',
  head: '/usr/bin/head',
  env: '/usr/bin/env',
  mkdir: '/usr/bin/mkdir',
  find: '/usr/bin/find',
  wc: '/usr/bin/wc',
  knowsParentDeathSignal: true,
  pins: [],
};
const ALICE: Account = {
  name: 'alice',
  uid: 1_001,
  gid: 1_002,
  home: '/home/alice',
  groups: [1_002, 1_003],
  hasOwnGroup: false,
  source: 'passwd',
};
const ROOT_MODE = { mode: 'root', noNewPrivileges: true, processes: 256 } as const;

describe('the launch chain', () => {
  it('drops everything, in root mode', () => {
    const { file, args } = launchChain(buildPlan(ALICE, ROOT_MODE), TOOLS, ['/bin/sh', '-c', 'x']);
    assert.equal(file, '/usr/bin/prlimit');
    assert.deepEqual(args, [
      ...['--nofile=1024:1024', '--core=0:0', '--nproc=256:256', '--', '/usr/bin/setpriv'],
      ...['--reuid=1001', '--regid=1002', '--groups=1002,1003', '--bounding-set=-all'],
      ...['--inh-caps=-all', '--no-new-privs', '--pdeathsig=KILL', '--', '/bin/sh', '-c', 'x'],
    ]);
  });

  it('clears the groups where there are none to keep', () => {
    const plan = buildPlan({ ...ALICE, groups: [] }, ROOT_MODE);
    const { args } = launchChain(plan, TOOLS, ['/bin/true']);
    assert.ok(args.includes('--clear-groups'));
    assert.ok(!args.some((arg) => arg.startsWith('--groups')));
  });

  it('asks for nothing that takes privileges, in self mode', () => {
    const plan = buildPlan(ALICE, { ...ROOT_MODE, mode: 'self' });
    const { args } = launchChain(plan, TOOLS, ['/bin/true']);
    const expected = ['--nofile=1024:1024', '--core=0:0', '--', '/usr/bin/setpriv'];
    const rest = ['--inh-caps=-all', '--no-new-privs', '--pdeathsig=KILL', '--', '/bin/true'];
    assert.deepEqual(args, [...expected, ...rest]);
  });

  it('keeps no_new_privs and the parent death signal out where they are not wanted or not known', () => {
    const plan = buildPlan(ALICE, { ...ROOT_MODE, noNewPrivileges: false });
    const { args } = launchChain(plan, { ...TOOLS, knowsParentDeathSignal: false }, ['/bin/true']);
    assert.ok(!args.includes('--no-new-privs'));
    assert.ok(!args.includes('--pdeathsig=KILL'));
  });

  it('limits the size of files where the plan does', () => {
    const plan = buildPlan(ALICE, ROOT_MODE);
    const limited = { ...plan, rlimits: { files: 64, processes: 0, fileBytes: 4_096 } };
    const { args } = launchChain(limited, TOOLS, ['/bin/true']);
    assert.deepEqual(args.slice(0, 4), ['--nofile=64:64', '--core=0:0', '--fsize=4096:4096', '--']);
  });

  it('marks what descends from a worker where the plan says with what', () => {
    const plan = buildPlan(ALICE, { ...ROOT_MODE, mark: 2 ** 52 + 1 });
    const { args } = launchChain(plan, TOOLS, ['/bin/true']);
    assert.ok(args.includes('--locks=4503599627370497:4503599627370497'));
    assert.ok(args.includes('--rttime=4503599627370494:4503599627370494'));
  });

  it('runs a launcher that is the same for everybody', () => {
    const [sh, flag, launcher, name, ...words] = launcherProgram(TOOLS);
    const [inside, constants] = [words.at(-1), words.slice(0, -1)];
    assert.deepEqual([sh, flag, name], ['/bin/sh', '-c', 'launch']);
    assert.deepEqual(constants, [
      ...['/usr/bin/stat', '/usr/bin/head', '/usr/bin/env', '/usr/bin/mkdir', '/bin/sh'],
    ]);
    assert.ok(
      launcher?.endsWith(inside?.slice(inside.indexOf('\n{\n')) ?? '?'),
      'one half of it goes on behind walls',
    );
  });
});

describe('a plan', () => {
  for (const uid of [0, -1, 4_294_967_295, 4_294_967_296, 2_147_483_648, 1.5]) {
    it(`is not made for uid ${uid}`, () => {
      assert.throws(() => buildPlan({ ...ALICE, uid }, ROOT_MODE), { code: 'E_PRIVDROP_VERIFY' });
    });
  }
  it('is not made for gid 0, nor for a group that is no number', () => {
    assert.throws(() => buildPlan({ ...ALICE, gid: 0 }, ROOT_MODE), { code: 'E_PRIVDROP_VERIFY' });
    const groups = [4_294_967_296];
    assert.throws(() => buildPlan({ ...ALICE, groups }, ROOT_MODE), { code: 'E_PRIVDROP_VERIFY' });
  });
});
