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
    await router.spawn('alice/victim');
    const escaped = await waitFor('the escape', () => /forked (\d+)/.exec(said())?.[1]);
    await waitFor('the child to be gone', () => !existsSync(`/proc/${escaped}`));
    assert.equal(host.processesOf(UID.alice).length, 2);
  });
});
