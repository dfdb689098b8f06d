// Whatever root starts as a user is looked at by the supervisor itself before it goes on: a launch, a command of run-as, a cleaner.
// The chain works as far as the canary could see, and leaves one thing undone.
import assert from 'node:assert/strict';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { findTools, type Tools } from '../../../src/privdrop/index.js';
import { Cleaning } from '../../../src/spawner/cleaning.js';
import { visit } from '../../../src/spawner/index.js';
import { Launch } from '../../../src/spawner/launch.js';
import type { LaunchGround, LaunchRequest } from '../../../src/spawner/launch-ground.js';
import { runPaths } from '../../../src/spawner/paths.js';
import { testConfig } from '../../support/config.js';
import { FakeLogSink } from '../../support/fake-router.js';
import { closeInheritedDescriptors } from '../../support/launch.js';
import { needsRoot } from '../../support/needs-root.js';
import { scratchDirectory } from '../../support/scratch.js';
import { A_UID, accountOf, B_UID, TenantTree } from '../../support/tenants.js';
import { waitFor } from '../../support/wait-for.js';

/** What setpriv(1) is not told, or is told instead; and the rule that finds it. */
const UNDONE = [
  { option: '--no-new-privs', instead: '', rule: 'drop-no-new-privileges' },
  { option: '--reuid=*', instead: `--reuid=${B_UID}`, rule: 'drop-uid' },
  { option: '--clear-groups', instead: `--groups=${B_UID}`, rule: 'drop-groups' },
] as const;

/** As it is in a machine of its own; the tenant's part of it must not be reached. */
class Ground implements LaunchGround {
  readonly mode = 'root';
  readonly routerUid = 0;
  readonly logDirectories = undefined;
  readonly cgroups = undefined;
  readonly marks = undefined;
  readonly paths: LaunchGround['paths'];
  readonly steps: string[] = [];
  readonly alarms: string[] = [];
  endedCount = 0;
  readonly log = {
    fatal: (_fields: object, message: string) => void this.alarms.push(message),
    error: () => undefined,
    warn: () => undefined,
    info: () => undefined,
    debug: () => undefined,
  };

  constructor(run: string) {
    this.paths = runPaths(run);
  }

  readonly describe = (): never => assert.fail('an application was described');
  readonly markNames = (): readonly string[] => ['app.fcgi'];
  readonly now = (): number => performance.now();
  readonly onSpawned = (): void => undefined;
  readonly onEnd = (): void => void (this.endedCount += 1);
  readonly onDescribed = (): void => undefined;
  readonly onStep = (step: string): void => void this.steps.push(step);
}

describe('a process that is not what was planned', { skip: needsRoot }, () => {
  let tree: TenantTree;
  let real: Tools;
  before(() => {
    closeInheritedDescriptors();
    tree = new TenantTree();
    real = findTools();
  });
  after(() => tree.remove());

  function toolsWithout({ option, instead }: (typeof UNDONE)[number], directory: string): Tools {
    const setpriv = join(directory, 'setpriv');
    const replaced = instead === '' ? ':' : `set -- "$@" ${instead}`;
    writeFileSync(
      setpriv,
      `#!/bin/sh
for word; do
  shift
  case $word in ${option}) ${replaced} ;; *) set -- "$@" "$word" ;; esac
done
exec ${real.setpriv} "$@"
`,
    );
    chmodSync(setpriv, 0o755);
    return { ...real, setpriv };
  }

  function request(t: TestContext, undone: (typeof UNDONE)[number]): LaunchRequest {
    const directory = scratchDirectory(t);
    chmodSync(directory, 0o755);
    const users = join(directory, 'users');
    mkdirSync(users);
    return {
      user: 'alice',
      app: 'alice/app',
      account: accountOf(A_UID),
      directory: tree.app(A_UID, 'app', { 'app.fcgi': '#!/bin/sh\ntouch ran\n' }),
      wantedRuntime: '',
      config: testConfig({ usersDirectory: users }),
      tools: toolsWithout(undone, directory),
    };
  }

  for (const undone of UNDONE) {
    it(`starts no worker: ${undone.rule} (T24, T25)`, async (t) => {
      const run = scratchDirectory(t);
      for (const name of ['worker', 'router']) mkdirSync(join(run, name));
      const ground = new Ground(run);
      const sink = new FakeLogSink();
      sink.server.listen(ground.paths.log);
      t.after(() => sink.close());
      await waitFor('the log', () => sink.server.listening);
      const asked = request(t, undone);
      const outcome = await new Launch(ground, asked).run();
      assert.ok(!outcome.ok);
      assert.deepEqual([outcome.code, outcome.rule], ['E_PRIVDROP_VERIFY', undone.rule]);
      assert.deepEqual(ground.steps, ['spawned', 'descriptors']);
      assert.deepEqual(ground.alarms, ['privilege drop not proved']);
      await waitFor('its end', () => ground.endedCount === 1);
      assert.equal(existsSync(join(asked.directory, 'ran')), false);
    });

    it(`runs no command: ${undone.rule} (T24, T25)`, async (t) => {
      const nowhere = openSync('/dev/null', 'r+');
      t.after(() => closeSync(nowhere));
      const asked = request(t, undone);
      const outcome = await visit({
        ...asked,
        mode: 'root',
        describe: () => assert.fail('an application was described'),
        markNames: () => ['app.fcgi'],
        descriptors: [nowhere, nowhere, nowhere],
        command: ['/usr/bin/touch', 'ran'],
      });
      assert.ok(!outcome.ok);
      assert.equal(outcome.code, 'E_PRIVDROP_VERIFY');
      assert.equal(outcome.findings[0]?.rule, undone.rule);
      assert.equal(existsSync(join(asked.directory, 'ran')), false);
    });

    it(`cleans nothing: ${undone.rule} (T24, T25)`, async (t) => {
      const ground = new Ground(scratchDirectory(t));
      const asked = request(t, undone);
      const outcome = await new Cleaning(ground, { ...asked, oldestWorkerMs: 0 }).run();
      assert.ok(typeof outcome === 'object' && 'code' in outcome, JSON.stringify(outcome));
      assert.deepEqual([outcome.code, outcome.rule], ['E_PRIVDROP_VERIFY', undone.rule]);
      assert.deepEqual(ground.steps, ['spawned']);
    });
  }
});
