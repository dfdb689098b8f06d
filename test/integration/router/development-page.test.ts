// The page of a failure in development mode: it has what the program said last, however late the router looks.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { appParams, RouterRig } from '../../support/router-rig.js';

/** Connects, says all of its second argument, and ends. */
const SAY = `require('node:net').connect(process.argv[1]).end(process.argv[2], () => process.exit());`;

for (const mode of ['development', 'production'] as const) {
  test(`last words that wait in a connection not yet accepted, in ${mode}`, async (t) => {
    const rig = await RouterRig.start({
      apps: {
        'alice/blog': {
          facts: { mode },
          worker: {
            onRequest: ({ socket }) => {
              const label = { worker: '0123456789abcdef', app: 'alice/blog', runtime: 'x' };
              const text = `${JSON.stringify(label)}\nthe reason\n`;
              // The router has its turn when all of this has happened, as on a busy machine.
              const log = `${rig.directory}/run/router/log.sock`;
              execFileSync(process.execPath, ['-e', SAY, log, text]);
              socket.destroy();
            },
          },
        },
      },
    });
    t.after(() => rig.stop());
    const front = await rig.front();
    // Nobody repeats a POST: the first page is the page.
    const params = appParams('alice/blog', '/', { REQUEST_METHOD: 'POST' });
    const { status, body } = await front.fetch(params);
    assert.equal(status, 502);
    assert.equal(body.includes('<pre>the reason</pre>'), mode === 'development');
  });
}
