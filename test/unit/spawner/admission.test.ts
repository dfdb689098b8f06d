// From a need to a launch: what is decided while a need waits for something counts.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import type { Account, Tools } from '../../../src/privdrop/index.js';
import { Admission, type AdmissionParts } from '../../../src/spawner/admission.js';
import { testConfig } from '../../support/config.js';

const NEED = { type: 'need', app: 'alice/blog', ticket: 1, runtime: '', connection: 1 } as const;
const ACCOUNT: Account = {
  ...{ name: 'alice', uid: 1_234, gid: 1_234, home: '/nonexistent/alice', groups: [] },
  hasOwnGroup: true,
  source: 'passwd',
};

/** The tools have to be proved anew, as after an upgrade; that lasts until the test gives them. */
class Stage extends EventEmitter<{ asked: []; refused: [code: string] }> {
  readonly admission: Admission;
  isSuspended = false;
  onPrepare: () => void = () => undefined;
  giveTools: (tools: Tools) => void = () => assert.fail('nobody has asked for them');

  constructor() {
    super();
    this.admission = new Admission({
      ground: this.#ground(),
      tools: { current: () => this.#proveTools() },
      config: () => testConfig(),
      accounts: () => ({ lookup: () => Promise.resolve({ ok: true, account: ACCOUNT }) }),
      isSuspended: () => this.isSuspended,
      isUidHeld: () => false,
      onLaunched: () => assert.fail('nothing is launched here'),
      onRefused: (_, { code }) => this.emit('refused', code),
    });
  }

  /** A launch begins with its mark. */
  #ground(): AdmissionParts['ground'] {
    const marks = { issue: () => this.onPrepare() };
    return { now: () => 0, marks } as unknown as AdmissionParts['ground'];
  }

  #proveTools(): Promise<Tools> {
    return new Promise((resolve) => {
      this.giveTools = resolve;
      this.emit('asked');
    });
  }
}

/** The code with which a need is refused during whose launch that happens. */
async function refusedAfter(stage: Stage, what: () => void): Promise<unknown> {
  const asked = once(stage, 'asked');
  void stage.admission.ask(NEED);
  await asked;
  what();
  const refused = once(stage, 'refused');
  stage.giveTools({} as Tools);
  return (await refused)[0];
}

test('a user who is suspended while the tools are proved gets no launch', async () => {
  const stage = new Stage();
  const code = await refusedAfter(stage, () => {
    stage.isSuspended = true;
    stage.admission.cancelUser('alice');
  });
  assert.equal(code, 'E_SUSPENDED');
  assert.equal(stage.admission.workerCount, 0);
});

test('a supervisor that stops while the tools are proved launches nothing', async () => {
  const stage = new Stage();
  assert.equal(await refusedAfter(stage, () => stage.admission.stop()), 'E_SHUTDOWN');
});

test('a launch that is called off says why: the user is suspended, or not who he was', async () => {
  const stage = new Stage();
  stage.onPrepare = () => stage.admission.cancelUser('alice');
  assert.equal(await refusedAfter(stage, () => undefined), 'E_SHUTDOWN');
  stage.onPrepare = () => {
    stage.isSuspended = true;
    stage.admission.cancelUser('alice');
  };
  assert.equal(await refusedAfter(stage, () => undefined), 'E_SUSPENDED');
});
