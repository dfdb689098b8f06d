// A tenant traces launchers of his own while they start, and makes them leave a child where no stop would find it.
import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { compile, noCompiler } from '../support/compile.js';
import type { FakeRouter } from '../support/fake-router.js';
import { needsRoot } from '../support/needs-root.js';
import { SupervisorHost, UID } from '../support/supervisor-host.js';
import { waitFor } from '../support/wait-for.js';

const notHere = process.arch === 'x64' ? false : `written for x64, not ${process.arch}`;
const noCgroups = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].some((path) =>
  existsSync(join(path, 'cgroup.procs')),
)
  ? false
  : 'no cgroup v2';

const TRIES_MAX = 10;
const WORKER_GROUP = /^0::\/.*\/u\d+\/a-[^/]+\/w[0-9a-f]{16}$/m;

/** '' for a process that is gone, or dead and not reaped. */
function groupOf(pid: number): string {
  try {
    const isDead = /^State:\t[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return isDead ? '' : readFileSync(`/proc/${pid}/cgroup`, 'latin1');
  } catch {
    return '';
  }
}

/** ptrace(2): with Yama only ancestors may trace. */
function noTracing(): string | false {
  try {
    const scope = readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'latin1').trim();
    return scope === '0' ? false : `ptrace_scope is ${scope}: users cannot trace their own`;
  } catch {
    return false;
  }
}

const skip = needsRoot || noCompiler || notHere || noCgroups || noTracing();

describe('a user who traces launchers of his own', { skip }, () => {
  let host: SupervisorHost;
  let router: FakeRouter;

  before(async () => {
    host = new SupervisorHost();
    await host.start();
    router = await host.router();
  });
  after(async () => {
    router.close();
    await host.close();
  });

  test('leaves no child outside of the groups of his workers (T105)', async () => {
    const directory = join(host.root, 'alice', 'tracer');
    mkdirSync(directory, { mode: 0o755 });
    compile('attackers/trace-launcher.c', join(directory, 'app.fcgi'));
    for (const path of [directory, join(directory, 'app.fcgi')]) {
      chownSync(path, UID.alice, UID.alice);
    }
    host.makeApp('alice', 'victim', 'sleeps');
    const { worker } = await router.spawn('alice/tracer');
    const said = (): string => host.sink.of(worker)?.text ?? '';
    await waitFor('the tracer', () => said().includes('armed'));

    // The moment that he needs, as long as he needs it: the launcher is the user, and not yet in its group.
    host.change({ hold: { step: 'descriptors', until: join(directory, 'done') } });
    const forked = (): string | undefined => /forked (\d+)/.exec(said())?.[1];
    // Traced too early a launcher dies of it, which hurts nobody but him; he has more of them.
    for (let tries = 0; tries < TRIES_MAX && forked() === undefined; tries += 1) {
      await router.need('alice/victim');
    }
    const escaped = await waitFor('the escape', forked);
    // Gone, or, where he was late, in the group of a worker, where every stop finds it.
    await waitFor('the child to be nowhere else', () => {
      const group = groupOf(Number(escaped));
      return group === '' || WORKER_GROUP.test(group);
    });
    const elsewhere = (pid: number): boolean =>
      groupOf(pid) !== '' && !WORKER_GROUP.test(groupOf(pid));
    assert.deepEqual(host.processesOf(UID.alice).filter(elsewhere), []);
  });
});
