// A real php-cgi behind the router: kept connections that are in nobody's way, and requests that nobody waits for any more.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test, type TestContext } from 'node:test';
import { BUILTIN_RUNTIMES } from '../../../src/runtimes/index.js';
import { TEST_RUNTIME } from '../../support/config.js';
import type { FakeApp } from '../../support/fake-supervisor.js';
import type { FrontClient } from '../../support/front-client.js';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { scratchDirectory } from '../../support/scratch.js';
import { waitFor } from '../../support/wait-for.js';

const PHP = '/usr/bin/php-cgi';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

describe(
  'php-cgi, one process',
  { skip: existsSync(PHP) ? false : `${PHP} is not installed` },
  () => {
    const runtime = BUILTIN_RUNTIMES.find(({ name }) => name === 'php') ?? TEST_RUNTIME;
    const environment = Object.entries(runtime.environment).map(
      ([name, value]) => `${name}=${value}`,
    );

    interface PhpStage {
      readonly supervisor: RouterRig['supervisor'];
      readonly connect: () => Promise<FrontClient>;
      readonly params: (query: string) => Map<string, string>;
    }

    async function phpStage(t: TestContext, script: string, app: FakeApp = {}): Promise<PhpStage> {
      const root = scratchDirectory(t);
      const file = join(root, 'alice/blog/index.php');
      mkdirSync(join(root, 'alice/blog'), { recursive: true });
      writeFileSync(file, script);
      const current = await RouterRig.start({
        apps: {
          'alice/blog': {
            ...app,
            program: ['/usr/bin/env', ...environment, ...runtime.command],
            runtime: 'php',
            facts: { limits: { maxWorkersPerApp: 1, ...app.facts?.limits } },
          },
        },
        config: {
          apps: { roots: [`${root}/{user}/{app}`], vhosts: '', prestart: [] },
          runtimes: new Map([['php', runtime]]),
        },
      });
      rig = current;
      const named = { SCRIPT_FILENAME: file, SCRIPT_NAME: '/index.php', PATH_INFO: '' };
      return {
        supervisor: current.supervisor,
        connect: () => current.front(),
        params: (query) => appParams('alice/blog', '/', { ...named, QUERY_STRING: query }),
      };
    }

    test('item 72: answers on a kept connection, with and without bodies that it does not read', async (t) => {
      const { connect, params, supervisor } = await phpStage(
        t,
        '<?php echo $_SERVER["QUERY_STRING"];',
      );
      const front = await connect();
      const body = Buffer.alloc(200_000, 'x');
      for (let i = 0; i < 30; i += 1) {
        const sent = params(`${i}`).set('REQUEST_METHOD', i % 3 === 0 ? 'POST' : 'GET');
        const answer = await front.fetch(sent, i % 3 === 0 ? body : undefined);
        assert.equal(answer.body.toString(), `${i}`);
      }
      assert.equal(supervisor.needs.length, 1);
    });

    test('item 72: a worker that has had nothing but POSTs gets the next one', async (t) => {
      const { connect, params, supervisor } = await phpStage(t, '<?php echo $_GET["n"];');
      const front = await connect();
      for (let i = 0; i < 4; i += 1) {
        const sent = params(`n=${i}`).set('REQUEST_METHOD', 'POST');
        const answer = await front.fetch(sent, Buffer.from('a=b'));
        assert.equal(answer.body.toString(), `${i}`);
      }
      assert.equal(supervisor.needs.length, 1);
    });

    test('item 83: an idle worker sees SIGTERM at once, as its kept connection is closed', async (t) => {
      const { connect, params, supervisor } = await phpStage(t, '<?php echo "x";', {
        maxRequests: 2,
      });
      const front = await connect();
      const exits: unknown[] = [];
      supervisor.stopsGently = true;
      supervisor.onExit = (code) => exits.push(code);
      for (let i = 0; i < 2; i += 1) await front.fetch(params(''));
      await waitFor('exit of php-cgi by itself', () => exits.length === 1);
      assert.deepEqual(exits, [0]);
    });

    test('items 37 and 79: a stream that its client has left ends at the next event, and the worker is free then', async (t) => {
      const stream =
        'while (@ob_end_flush()); while (true) { echo "data: x\n\n"; flush(); usleep(20000); }';
      const script = `<?php if ($_SERVER["QUERY_STRING"] === "stream") { ${stream} } echo getmypid();`;
      const { connect, params, supervisor } = await phpStage(t, script);
      const front = await connect();
      const pid = (await front.fetch(params(''))).body.toString();
      for (let round = 0; round < 3; round += 1) {
        const leaver = await connect();
        leaver.send(1, params('stream'));
        await waitFor('the first events', () => leaver.answer(1).stdout.length > 2);
        leaver.close();
        assert.equal((await front.fetch(params(''))).body.toString(), pid);
      }
      assert.equal(supervisor.needs.length, 1);
      assert.ok(!supervisor.received.some(({ type }) => type === 'retire'));
    });

    test('item 78: one that stays silent after its client has left is given up after first_byte_timeout', async (t) => {
      const script = '<?php if ($_SERVER["QUERY_STRING"] === "hang") sleep(1000); echo getmypid();';
      const facts = { limits: { firstByteTimeoutMs: 1_500 } };
      const { connect, params, supervisor } = await phpStage(t, script, { facts });
      const front = await connect();
      const pid = (await front.fetch(params(''))).body.toString();
      const leaver = await connect();
      leaver.send(1, params('hang'));
      await waitFor('the request at the worker', () => rig?.router.counters.requestsActive === 1);
      leaver.close();
      const second = (await front.fetch(params(''))).body.toString();
      assert.notEqual(second, pid);
      const retired = supervisor.received.filter(({ type }) => type === 'retire');
      assert.deepEqual(
        retired.map((message) => message.type === 'retire' && message.reason),
        ['deadline'],
      );
    });
  },
);
