// What the kernel's list of sockets says of a worker's, and how often it is read.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test, type TestContext } from 'node:test';
import { unpublishedName } from '../../../src/ipc/index.js';
import { LIMITS } from '../../../src/limits.js';
import { isAccepted, isInQueue } from '../../../src/router/accept-queue.js';

const bound = (name: string): string => unpublishedName(`/run/usherd/worker/${name}.sock`);
const listening = (name: string): string =>
  `0000000000000000: 00000002 00000000 00010000 0001 01 12345 ${bound(name)}\n`;
const connecting = (name: string): string =>
  `0000000000000000: 00000002 00000000 00000000 0001 02     0 ${bound(name)}\n`;
const HEAD = 'Num       RefCount Protocol Flags    Type St Inode Path\n';
const FOREIGN = '0000000000000000: 00000003 00000000 00000000 0001 03 12345 /run/dbus/bus\n';

/** The list is what `text` says, and long enough for a reading to take time. */
function withTable(t: TestContext, text: () => string): () => number {
  const foreign = FOREIGN.repeat(50_000);
  const { mock } = t.mock.method(fs, 'readFileSync', () => HEAD + foreign + text());
  return () => mock.callCount();
}

test('clients that leave one after the other do not have the list read for each of them', (t) => {
  const readings = withTable(t, () => listening('a1') + connecting('a1'));
  for (let count = 0; count < 1_000; count += 1) {
    assert.equal(isInQueue('/run/usherd/worker/a1.sock'), true);
    assert.equal(isInQueue('/run/usherd/worker/elsewhere.sock'), false);
  }
  assert.ok(readings() < 20, `${readings()} readings`);
});

test('of a worker that is newer than what was read, it is read again', (t) => {
  let text = listening('b1');
  withTable(t, () => text);
  assert.equal(isInQueue('/run/usherd/worker/b1.sock'), false);
  text += listening('b2') + connecting('b2');
  assert.equal(isInQueue('/run/usherd/worker/b2.sock'), true);
});

test('a deadline goes by what is now', (t) => {
  let text = listening('c1') + connecting('c1');
  withTable(t, () => text);
  assert.equal(isInQueue('/run/usherd/worker/c1.sock'), true);
  assert.equal(isAccepted('/run/usherd/worker/c1.sock'), false);
  text = listening('c1');
  assert.equal(isAccepted('/run/usherd/worker/c1.sock'), true);
  assert.equal(isAccepted('/run/usherd/worker/unknown.sock'), false);
});

test('a row that a tenant writes into the name of a socket of his is too short to be one', (t) => {
  const row = connecting('').replace(bound(''), unpublishedName('/r/worker/0123456789abcdef.sock'));
  for (const digits of ['0000000000000000', '00000000']) {
    const forged = row.trimEnd().replace(/^0+/, digits);
    assert.ok(Buffer.byteLength(`\0\n${forged}`) > LIMITS.socketPathMaxBytes, forged);
  }
  const short = `0: 2 0 0 1 02 0 ${bound('d1')}\n`;
  withTable(t, () => listening('d1') + short);
  assert.equal(isAccepted('/run/usherd/worker/d1.sock'), true);
  assert.equal(isInQueue('/run/usherd/worker/d1.sock'), false);
});

test('of a name that somebody else listens on, too, nothing is believed that would be to the loss of its worker', (t) => {
  withTable(t, () => listening('e1') + listening('e1') + connecting('e1'));
  assert.equal(isAccepted('/run/usherd/worker/e1.sock'), true);
  assert.equal(isInQueue('/run/usherd/worker/e1.sock'), false);
});
