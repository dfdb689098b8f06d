// The proof from /proc: each single thing that may be left behind is found, and named.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MARK_SUM, type DropPlan } from '../../../src/privdrop/plan.js';
import { findDropFaults, verifyDrop } from '../../../src/privdrop/verify.js';

const PLAN: DropPlan = {
  mode: 'root',
  uid: 1_001,
  gid: 1_002,
  groups: [1_003, 1_002],
  noNewPrivileges: true,
  mark: 0,
  rlimits: { files: 1_024, processes: 256, fileBytes: 4_096 },
};

const STATUS = `Name:\tsh (evil) Uid:\t0
State:\tS (sleeping)
Uid:\t1001\t1001\t1001\t1001
Gid:\t1002\t1002\t1002\t1002
Groups:\t1002 1003 
CapInh:\t0000000000000000
CapPrm:\t0000000000000000
CapEff:\t0000000000000000
CapBnd:\t0000000000000000
CapAmb:\t0000000000000000
NoNewPrivs:\t1
`;
const LIMITS_TEXT = `Limit                     Soft Limit           Hard Limit           Units     
Max file size             4096                 4096                 bytes     
Max core file size        0                    0                    bytes     
Max processes             256                  256                  processes 
Max open files            1024                 1024                 files     
`;
const STAT = '77 (s) h) R 1 (x) S 42 77 77 0 -1 4194304 121 0\n';

function faults(change: { status?: string; limits?: string; stat?: string; plan?: DropPlan }) {
  const texts = { status: STATUS, limits: LIMITS_TEXT, stat: STAT, ...change };
  const found = findDropFaults(texts, { pid: 77, parentPid: 42, plan: change.plan ?? PLAN });
  return found.map(({ rule }) => rule);
}

const status = (from: string, to: string): string[] => {
  assert.ok(STATUS.includes(from));
  return faults({ status: STATUS.replace(from, to) });
};
const limits = (from: RegExp, to: string): string[] => {
  assert.match(LIMITS_TEXT, from);
  return faults({ limits: LIMITS_TEXT.replace(from, to) });
};

describe('the proof of a drop', () => {
  it('holds for what the plan says', () => assert.deepEqual(faults({}), []));

  for (const [i, kind] of ['real', 'effective', 'saved', 'file system'].entries()) {
    it(`finds a ${kind} uid and gid that stayed behind (T25)`, () => {
      const uids = [1_001, 1_001, 1_001, 1_001].with(i, 0).join('\t');
      assert.deepEqual(status('1001\t1001\t1001\t1001', uids), ['drop-uid']);
      const gids = [1_002, 1_002, 1_002, 1_002].with(i, 0).join('\t');
      assert.deepEqual(status('1002\t1002\t1002\t1002', gids), ['drop-gid']);
    });
  }

  it('finds a group too many, a group too few, another group, and no list at all', () => {
    assert.deepEqual(status('Groups:\t1002 1003 ', 'Groups:\t0 1002 1003 '), ['drop-groups']);
    assert.deepEqual(status('Groups:\t1002 1003 ', 'Groups:\t1002 '), ['drop-groups']);
    assert.deepEqual(status('Groups:\t1002 1003 ', 'Groups:\t1002 1004 '), ['drop-groups']);
    assert.deepEqual(status('Groups:', 'Troups:'), ['drop-groups']);
    assert.deepEqual(faults({ plan: { ...PLAN, groups: [] } }), ['drop-groups']);
  });

  it('tells an empty list of groups from group 0', () => {
    const plan = { ...PLAN, groups: [] };
    const empty = STATUS.replace('1002 1003 ', ' ');
    assert.deepEqual(faults({ plan, status: empty }), []);
    assert.deepEqual(faults({ plan, status: STATUS.replace('1002 1003 ', '0 ') }), ['drop-groups']);
  });

  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
    it(`finds one capability in ${set}, and ${set} missing`, () => {
      const rule = `drop-${set.toLowerCase()}`;
      assert.deepEqual(status(`${set}:\t0000000000000000`, `${set}:\t0000000000000080`), [rule]);
      assert.deepEqual(status(`${set}:\t0000000000000000\n`, ''), [rule]);
    });
  }

  it('does not ask for an empty bounding set in self mode, but for all the others', () => {
    const full = STATUS.replace('CapBnd:\t0000000000000000', 'CapBnd:\t000001ffffffffff');
    const plan: DropPlan = { ...PLAN, mode: 'self' };
    assert.deepEqual(faults({ plan, status: full }), []);
    const ambient = full.replace('CapAmb:\t0000000000000000', 'CapAmb:\t0000000000000400');
    assert.deepEqual(faults({ plan, status: ambient }), ['drop-capamb']);
  });

  it('finds that new privileges may be gained', () => {
    assert.deepEqual(status('NoNewPrivs:\t1', 'NoNewPrivs:\t0'), ['drop-no-new-privileges']);
    assert.deepEqual(status('NoNewPrivs:\t1\n', ''), ['drop-no-new-privileges']);
    assert.deepEqual(faults({ plan: { ...PLAN, noNewPrivileges: false } }), []);
  });

  it('finds each limit that is not set, soft or hard', () => {
    assert.deepEqual(limits(/1024 {17}1024/, '1024                 4096'), ['drop-rlimit-files']);
    assert.deepEqual(limits(/1024 {17}1024/, '512                  1024'), ['drop-rlimit-files']);
    assert.deepEqual(limits(/0 {20}0/, '0                    unlimited'), ['drop-rlimit-core']);
    assert.deepEqual(limits(/256 {18}256/, '256 unlimited'), ['drop-rlimit-processes']);
    assert.deepEqual(limits(/4096 {17}4096/, 'unlimited unlimited'), ['drop-rlimit-file-size']);
    assert.deepEqual(limits(/^Max open.*\n/m, ''), ['drop-rlimit-files']);
  });

  it('asks for no limit that the plan does not have', () => {
    const plan = { ...PLAN, rlimits: { files: 1_024, processes: 0, fileBytes: 0 } };
    const unlimited = LIMITS_TEXT.replace('256  ', '9999 ').replace('4096  ', 'unlimited ');
    assert.deepEqual(faults({ plan, limits: unlimited }), []);
  });

  it('finds a mark that is not there, or another one', () => {
    const plan = { ...PLAN, mark: 77 };
    const marked = (mark: string, seal = String(MARK_SUM - 77)): string =>
      `${LIMITS_TEXT}Max file locks            ${mark}   ${mark}   locks
Max realtime timeout      ${seal}   ${seal}   us
`;
    assert.deepEqual(faults({ plan, limits: marked('77') }), []);
    assert.deepEqual(faults({ plan, limits: marked('unlimited') }), ['drop-mark']);
    assert.deepEqual(faults({ plan, limits: marked('76') }), ['drop-mark']);
    assert.deepEqual(faults({ plan, limits: marked('77', '7') }), ['drop-mark-seal']);
    assert.deepEqual(faults({ plan, limits: LIMITS_TEXT }), ['drop-mark', 'drop-mark-seal']);
  });

  it('finds another parent, group, session or a terminal, whatever the program is called (T25)', () => {
    const stat = (fields: string): string[] => faults({ stat: `77 (s) h) R 1 (x) S ${fields}\n` });
    assert.deepEqual(stat('1 77 77 0 -1'), ['drop-parent']);
    assert.deepEqual(stat('42 76 77 0 -1'), ['drop-process-group']);
    assert.deepEqual(stat('42 77 76 0 -1'), ['drop-session']);
    assert.deepEqual(stat('42 77 77 34816 34816'), ['drop-terminal']);
    assert.deepEqual(faults({ stat: STAT.replace('77 (', '78 (') }), ['drop-process']);
  });

  it('fails on empty texts in every single claim', () => {
    assert.equal(faults({ status: '', limits: '', stat: '' }).length, 18);
  });

  it('is a fault when there is no such process', () => {
    assert.deepEqual(verifyDrop(0, PLAN, 1).map(({ rule }) => rule), ['drop-process']); // prettier-ignore
  });
});
