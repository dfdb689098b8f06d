// Whose share of the spool a body takes: names that nobody has looked for have one for all of them.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { RecordType } from '../../../src/fcgi-protocol/index.js';
import { LIMITS } from '../../../src/limits.js';
import { STRANGERS } from '../../../src/router/spool-budget.js';
import { type FrontClient, parseCgi } from '../../support/front-client.js';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

const BODY = Buffer.alloc(LIMITS.bodyMemoryMaxBytes + 1, 97);
const KNOWN = 'alice/blog';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

async function start(): Promise<RouterRig> {
  const worker = {
    onRequest: (request: { reply: (text: string) => void }): void =>
      request.reply('Status: 200\r\n\r\nstored'),
  };
  rig = await RouterRig.start({ apps: { [KNOWN]: { worker } } });
  await (await rig.front()).fetch(appParams(KNOWN));
  return rig;
}

/** All of a body but its end. */
async function begin(running: RouterRig, app: string): Promise<FrontClient> {
  const front = await running.front();
  front.head(2, appParams(app, '/', { REQUEST_METHOD: 'POST' }));
  front.encoder.stream(RecordType.STDIN, 2, BODY);
  return front;
}

test('names that anybody can make up have one share for all of them', async () => {
  const running = await start();
  const { spoolBudget } = running.router;
  for (const app of ['mallory1/blog', 'mallory2/blog', KNOWN]) await begin(running, app);
  await waitFor('all of it', () => spoolBudget.diskBytes === 3 * BODY.length);
  assert.equal(spoolBudget.userDiskBytes(STRANGERS), 2 * BODY.length);
  assert.equal(spoolBudget.userDiskBytes('alice'), BODY.length);
});

test('where it is used up, an application that is known has its own', async () => {
  const running = await start();
  const { spoolBudget } = running.router;
  assert.ok(spoolBudget.takeDisk(STRANGERS, LIMITS.spoolPerUserMaxBytes));
  const refused = await (await begin(running, 'mallory/blog')).ended(2);
  assert.equal(parseCgi(refused).headers.get('x-usherd-reason'), 'spool-full');
  const front = await begin(running, KNOWN);
  front.encoder.endStream(RecordType.STDIN, 2);
  assert.equal(parseCgi(await front.ended(2)).body.toString(), 'stored');
});
