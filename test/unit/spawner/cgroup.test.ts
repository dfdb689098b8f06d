// The tree on plain directories: which groups are made and what is written. Killing needs a kernel and is tried as root.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CgroupTree, openCgroups } from '../../../src/spawner/cgroup.js';

const OWNER = { uid: 2_000, app: 'alice/cgroup.procs' };

describe('a cgroup tree', () => {
  let base: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'cgroup-'));
  });
  afterEach(() => {
    rmSync(base, { recursive: true });
  });
  const written = (below: string): string => readFileSync(join(base, below), 'utf8');

  it('has a group for each worker, below its application, below its user', () => {
    const leaf = new CgroupTree(base, []).leaf(OWNER, 'f00', { memoryMaxBytes: 0, pidsMax: 0 });
    assert.equal(leaf?.path, join(base, 'u2000', 'a-cgroup.procs', 'wf00'));
    assert.ok(existsSync(leaf.path));
  });

  it('limits the application where the controllers are there, and only there', () => {
    const limits = { memoryMaxBytes: 1_000_000, pidsMax: 50 };
    new CgroupTree(base, ['memory', 'pids']).leaf(OWNER, 'f00', limits);
    assert.equal(written('u2000/a-cgroup.procs/pids.max'), '50');
    assert.equal(written('u2000/a-cgroup.procs/memory.max'), '1000000');
    assert.equal(written('u2000/a-cgroup.procs/memory.oom.group'), '1');
    new CgroupTree(base, []).leaf({ ...OWNER, uid: 2_001 }, 'f00', limits);
    assert.ok(!existsSync(join(base, 'u2001/a-cgroup.procs/pids.max')));
  });

  it('writes no limit as max', () => {
    new CgroupTree(base, ['pids']).leaf(OWNER, 'f00', { memoryMaxBytes: 0, pidsMax: 0 });
    assert.equal(written('u2000/a-cgroup.procs/pids.max'), 'max');
  });

  it('takes the groups above along with the last worker', async () => {
    const tree = new CgroupTree(base, []);
    const limits = { memoryMaxBytes: 0, pidsMax: 0 };
    const first = tree.leaf(OWNER, 'f00', limits);
    const second = tree.leaf(OWNER, 'f01', limits);
    assert.equal(await first?.remove(), true);
    assert.ok(existsSync(join(base, 'u2000')));
    assert.equal(await second?.remove(), true);
    assert.ok(!existsSync(join(base, 'u2000')));
  });

  it('is not opened where there is no cgroup file system', async () => {
    assert.equal(await openCgroups('/run/usherd', base), undefined);
  });
});
