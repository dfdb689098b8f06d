// A setpriv or prlimit that leaves one thing undone, one by one: found from outside, and no program of the user has run.
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  openSync,
  closeSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findTools, runCanary, type Tools } from '../../../src/privdrop/index.js';
import { closeInheritedDescriptors, launch, type LaunchOutcome } from '../../support/launch.js';
import { needsRoot } from '../../support/needs-root.js';
import { A_UID, planFor, TenantTree } from '../../support/tenants.js';

const plan = planFor(A_UID);

/** What the double does with an option of the real one: leave it out (''), or say something else. */
interface Double {
  readonly tool: 'setpriv' | 'prlimit';
  readonly option: string;
  readonly instead: string;
  /** Shell text that runs as root before. */
  readonly before?: string;
  readonly rules: readonly string[];
}

const DOUBLES: Readonly<Record<string, Double>> = {
  'the uid stays': {
    tool: 'setpriv',
    option: '--reuid=*',
    instead: '',
    rules: ['drop-uid'],
  },
  'the uid is 4294967296, which is root': {
    tool: 'setpriv',
    option: '--reuid=*',
    instead: '--reuid=4294967296',
    rules: ['drop-uid'],
  },
  'only the effective uid changes': {
    tool: 'setpriv',
    option: '--reuid=*',
    instead: '--euid=52001',
    rules: ['drop-uid'],
  },
  'the gid stays': { tool: 'setpriv', option: '--regid=*', instead: '', rules: ['drop-gid'] },
  'one supplementary group stays': {
    tool: 'setpriv',
    option: '--clear-groups',
    instead: '--groups=27',
    rules: ['drop-groups'],
  },
  'the groups stay': {
    tool: 'setpriv',
    option: '--clear-groups',
    instead: '--keep-groups',
    before: 'set -- --groups=0,4 -- "$real" "$@"',
    rules: ['drop-groups'],
  },
  'the bounding set stays': {
    tool: 'setpriv',
    option: '--bounding-set=-all',
    instead: '',
    rules: ['drop-capbnd'],
  },
  'one capability stays in the bounding set': {
    tool: 'setpriv',
    option: '--bounding-set=-all',
    instead: '--bounding-set=-all,+kill',
    rules: ['drop-capbnd'],
  },
  'one capability is inheritable': {
    tool: 'setpriv',
    option: '--inh-caps=-all',
    instead: '',
    before: 'set -- --inh-caps=+kill -- "$real" "$@"',
    rules: ['drop-capinh'],
  },
  'new privileges may be gained': {
    tool: 'setpriv',
    option: '--no-new-privs',
    instead: '',
    rules: ['drop-no-new-privileges'],
  },
  'open files are not limited': {
    tool: 'prlimit',
    option: '--nofile=*',
    instead: '--nofile=1024:4096',
    rules: ['drop-rlimit-files'],
  },
  'core files are not limited': {
    tool: 'prlimit',
    option: '--core=*',
    instead: '--core=0:unlimited',
    rules: ['drop-rlimit-core'],
  },
  'processes are not limited': {
    tool: 'prlimit',
    option: '--nproc=*',
    instead: '--nproc=1000:1000',
    rules: ['drop-rlimit-processes'],
  },
};

describe('a chain that leaves something undone', { skip: needsRoot }, () => {
  let tree: TenantTree;
  let tools: Tools;
  let folder: string;

  before(() => {
    closeInheritedDescriptors();
    tree = new TenantTree();
    tools = findTools();
    folder = mkdtempSync(join(tmpdir(), 'usherd-double-'));
    chmodSync(folder, 0o755);
    tree.app(A_UID, 'app', { 'app.fcgi': '#!/bin/sh\ntouch ran\n' });
  });
  after(() => {
    tree.remove();
    rmSync(folder, { recursive: true });
  });

  function withDouble({ tool, option, instead, before: first = '' }: Double): Tools {
    const path = join(folder, `${tool}-double`);
    const real = tools[tool];
    const replaced = instead === '' ? '' : `set -- "$@" ${instead}`;
    const text = `#!/bin/sh
real=${real}
for word; do
  shift
  case $word in ${option}) ${replaced} ;; *) set -- "$@" "$word" ;; esac
done
${first}
exec "$real" "$@"
`;
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return { ...tools, [tool]: path };
  }

  const start = (
    with_: Tools,
    change: { detached?: boolean; listenFd?: number } = {},
  ): Promise<LaunchOutcome> =>
    launch({
      plan,
      tools: with_,
      directory: tree.path(A_UID, 'app'),
      names: ['app.fcgi'],
      program: { umask: 0o27, environment: [], argv: ['./app.fcgi'] },
      ...change,
    });

  const hasRun = (): boolean => existsSync(join(tree.path(A_UID, 'app'), 'ran'));

  for (const [what, double] of Object.entries(DOUBLES)) {
    it(`is found out when ${what} (T24, T25)`, async () => {
      const outcome = await start(withDouble(double));
      const rules = outcome.faults.map(({ rule }) => rule);
      for (const rule of double.rules)
        assert.ok(rules.includes(rule), `${rule} in ${rules.join()}`);
      assert.equal(outcome.ended, 'silent');
      assert.equal(outcome.signal, 'SIGKILL');
      assert.equal(hasRun(), false);
      await assert.rejects(runCanary(plan, withDouble(double)), (err: unknown) => {
        assert.ok(err instanceof Error && 'code' in err);
        return err.code === 'E_STARTUP_CANARY';
      });
    });
  }

  it('is found out without a session of its own (T25)', async () => {
    const outcome = await start(tools, { detached: false });
    const rules = outcome.faults.map(({ rule }) => rule);
    assert.ok(rules.includes('drop-session') && rules.includes('drop-process-group'));
    assert.equal(hasRun(), false);
  });

  it('is found out with one descriptor more, at any number (T25)', async () => {
    for (const number of [4, 5, 9, 200]) {
      const path = join(folder, 'leaky');
      // A shell may not take redirections above 9; perl may.
      const text = `#!/usr/bin/perl\nuse POSIX; POSIX::dup2(POSIX::open('/dev/null'), ${number});
$^F = 255; exec '${tools.setpriv}', @ARGV;\n`;
      writeFileSync(path, text);
      chmodSync(path, 0o755);
      const outcome = await start({ ...tools, setpriv: path });
      assert.equal(outcome.refusal?.finding.rule, 'drop-descriptors', JSON.stringify(outcome));
      assert.equal(outcome.refusal.code, 'E_PRIVDROP_VERIFY');
      assert.equal(hasRun(), false);
    }
  });

  it('is found out when one descriptor is missing (T25)', async () => {
    const path = join(folder, 'closing');
    writeFileSync(path, `#!/bin/sh\nexec ${tools.setpriv} "$@" 2>&-\n`);
    chmodSync(path, 0o755);
    const outcome = await start({ ...tools, setpriv: path });
    assert.equal(outcome.refusal?.finding.rule, 'drop-descriptors');
    assert.equal(hasRun(), false);
  });

  it('would have run the program, had nothing been left undone', async () => {
    const descriptor = openSync('/dev/null', 'r');
    const outcome = await start(tools, { listenFd: descriptor });
    closeSync(descriptor);
    assert.equal(outcome.ended, 'started');
    assert.equal(hasRun(), true);
  });
});
