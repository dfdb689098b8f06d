// A router that is started beside one that serves takes nothing from it: an administrator has typed it twice.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { linkSync, lstatSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { isUsherdError } from '../../../src/errors.js';
import { appParams } from '../../support/router-rig.js';
import { hello, stages } from '../../support/wire-stage.js';

const start = stages();

test('a second router does not start, and the first one keeps its sockets', async () => {
  const { rig } = await start(hello);
  const names = ['run/front/front.sock', 'run/router/log.sock', 'run/router/metrics.sock'];
  const inodes = (): readonly number[] =>
    names.map((name) => lstatSync(`${rig.directory}/${name}`).ino);
  const before = inodes();
  await assert.rejects(rig.secondRouter().start(), (err) => {
    assert.ok(isUsherdError(err) && err.code === 'E_STARTUP_SOCKET', String(err));
    assert.match(err.message, /somebody listens on .*front\.sock/);
    return true;
  });
  assert.deepEqual(inodes(), before);
  const [app = ''] = [...rig.supervisor.apps.keys()];
  assert.equal((await (await rig.front()).fetch(appParams(app))).status, 200);
});

test('a socket that a killed router has left is taken over', async () => {
  const { rig } = await start(hello);
  // As after SIGKILL: the name is there, and nobody listens. (Node itself removes the name by which it has bound.)
  const path = `${rig.directory}/run/front/front.sock`;
  await rig.router.stop();
  const dead = createServer();
  dead.listen(`${path}.staged`);
  await once(dead, 'listening');
  linkSync(`${path}.staged`, path);
  dead.close();
  await once(dead, 'close');
  await rig.restartRouter();
  const [app = ''] = [...rig.supervisor.apps.keys()];
  assert.equal((await (await rig.front()).fetch(appParams(app))).status, 200);
});
