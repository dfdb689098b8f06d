// The tree on plain directories: which groups are made and what is written. Killing needs a kernel and is tried as root.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CgroupTree, openCgroups } from '../../../src/spawner/cgroup.js';

const NO_LIMITS = {
  memoryMaxBytes: 0,
  memoryHighBytes: 0,
  pidsMax: 0,
  cpuWeight: 100,
  ioWeight: 100,
};
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
    const leaf = new CgroupTree(base, []).leaf(OWNER, 'f00', NO_LIMITS);
    assert.equal(leaf?.path, join(base, 'u2000', 'a-cgroup.procs', 'wf00'));
    assert.ok(existsSync(leaf.path));
  });

  /** What the kernel shows in a group: the controllers that it passes on. */
  const offer = (below: string, controllers: string): void => {
    mkdirSync(join(base, below), { recursive: true });
    writeFileSync(join(base, below, 'cgroup.subtree_control'), controllers);
  };

  it('limits the application where the controllers are there, and only there', () => {
    const limits = {
      ...NO_LIMITS,
      memoryMaxBytes: 1_048_576,
      memoryHighBytes: 524_288,
      pidsMax: 50,
    };
    offer('u2000', 'memory pids');
    new CgroupTree(base, ['memory', 'pids']).leaf(OWNER, 'f00', limits);
    const app = 'u2000/a-cgroup.procs';
    assert.equal(written('u2000/pids.max'), '50');
    assert.equal(written(`${app}/pids.max`), '50');
    assert.equal(written(`${app}/memory.max`), '1048576');
    assert.equal(written(`${app}/memory.high`), '524288');
    new CgroupTree(base, []).leaf({ ...OWNER, uid: 2_001 }, 'f00', limits);
    assert.ok(!existsSync(join(base, 'u2001/a-cgroup.procs/pids.max')));
  });

  it('writes no limit as max', () => {
    offer('u2000', 'pids');
    new CgroupTree(base, ['pids']).leaf(OWNER, 'f00', NO_LIMITS);
    assert.equal(written('u2000/a-cgroup.procs/pids.max'), 'max');
  });

  it('lowers the limits of an application that asks for less, and not those of its user', () => {
    offer('u2000', 'pids');
    const leaf = new CgroupTree(base, ['pids']).leaf(OWNER, 'f00', { ...NO_LIMITS, pidsMax: 50 });
    assert.equal(leaf?.limit({ ...NO_LIMITS, pidsMax: 8 }), true);
    assert.equal(written('u2000/a-cgroup.procs/pids.max'), '8');
    assert.equal(written('u2000/pids.max'), '50');
  });

  it('weighs users against each other', () => {
    const limits = { ...NO_LIMITS, cpuWeight: 25, ioWeight: 300 };
    offer('u2000', '');
    writeFileSync(join(base, 'u2000/io.weight'), '');
    new CgroupTree(base, ['cpu', 'io']).leaf(OWNER, 'f00', limits);
    assert.equal(written('u2000/cpu.weight'), '25');
    assert.equal(written('u2000/io.weight'), 'default 300');
  });

  it('is not there for a worker whose limit the kernel does not take', () => {
    offer('u2000', 'memory pids');
    mkdirSync(join(base, 'u2000/pids.max')); // cannot be written
    const tree = new CgroupTree(base, ['memory', 'pids']);
    assert.equal(tree.leaf(OWNER, 'f00', { ...NO_LIMITS, pidsMax: 50 }), undefined);
    assert.equal(
      new CgroupTree(base, ['memory']).leaf({ ...OWNER, uid: 7 }, 'f00', NO_LIMITS),
      undefined,
    );
  });

  it('tells an application that ran out of memory from one that was killed', () => {
    offer('u2000', 'memory');
    const app = join(base, 'u2000/a-cgroup.procs');
    mkdirSync(app);
    const events = (count: number): void =>
      writeFileSync(
        join(app, 'memory.events'),
        `low 0\noom 9\noom_kill ${count}\noom_group_kill 1\n`,
      );
    events(3);
    const leaf = new CgroupTree(base, ['memory']).leaf(OWNER, 'f00', NO_LIMITS);
    assert.equal(leaf?.hasRunOutOfMemory, false);
    events(4);
    assert.equal(leaf.hasRunOutOfMemory, true);
  });

  it('takes the groups above along with the last worker', async () => {
    const tree = new CgroupTree(base, []);
    const limits = NO_LIMITS;
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
