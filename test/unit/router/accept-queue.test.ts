// What the kernel's list of sockets says of a worker's, and how often it is read.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test, type TestContext } from 'node:test';
import { unpublishedName } from '../../../src/ipc/index.js';
import { LIMITS } from '../../../src/limits.js';
import { AcceptTable } from '../../../src/router/accept-queue.js';

const bound = (name: string): string => unpublishedName(`/run/usherd/worker/${name}.sock`);
const listening = (name: string): string =>
  `0000000000000000: 00000002 00000000 00010000 0001 01 12345 ${bound(name)}\n`;
const connecting = (name: string): string =>
  `0000000000000000: 00000002 00000000 00000000 0001 02     0 ${bound(name)}\n`;
const HEAD = 'Num       RefCount Protocol Flags    Type St Inode Path\n';
/** seq_file of the kernel. */
const PAGE_BYTES = 4_096;
const FOREIGN = '0000000000000000: 00000003 00000000 00000000 0001 03 12345 /run/dbus/bus\n';

interface Reading {
  readonly rows: () => string;
  /** Of other programs' sockets, in front of them; each page of the list takes so long. */
  readonly foreignRows?: number;
  readonly pageMs?: number;
}

/** What the kernel's list says, page by page. Counts how often it is read. */
function withTable(t: TestContext, { rows, foreignRows = 0, pageMs = 0 }: Reading): () => number {
  let text = '';
  const opened = t.mock.method(fs, 'openSync', () => {
    text = HEAD + FOREIGN.repeat(foreignRows) + rows();
    return 0;
  });
  t.mock.method(fs, 'closeSync', () => undefined);
  t.mock.method(fs, 'readSync', (_: number, page: Buffer) => {
    const endMs = performance.now() + pageMs;
    while (performance.now() < endMs);
    const count = page.write(text.slice(0, PAGE_BYTES), 'latin1');
    text = text.slice(count);
    return count;
  });
  return () => opened.mock.callCount();
}

test('clients that leave one after the other do not have the list read for each of them', (t) => {
  const table = new AcceptTable();
  const rows = (): string => listening('a1') + connecting('a1');
  const readings = withTable(t, { rows, pageMs: 5 });
  for (let count = 0; count < 1_000; count += 1) {
    assert.equal(table.isInQueue('/run/usherd/worker/a1.sock'), true);
    assert.equal(table.isInQueue('/run/usherd/worker/elsewhere.sock'), false);
  }
  assert.ok(readings() < 20, `${readings()} readings`);
});

test('deadlines that pass all at once do not have the list read for each of them', (t) => {
  const table = new AcceptTable();
  const readings = withTable(t, { rows: () => listening('f1'), pageMs: 5 });
  for (let count = 0; count < 1_000; count += 1) {
    assert.equal(table.isAccepted('/run/usherd/worker/f1.sock'), true);
  }
  assert.ok(readings() < 20, `${readings()} readings`);
});

test('workers that are newer than what was read do not, either', (t) => {
  const table = new AcceptTable();
  const readings = withTable(t, { rows: () => '', pageMs: 5 });
  for (let count = 0; count < 1_000; count += 1) {
    assert.equal(table.isInQueue(`/run/usherd/worker/f${count}.sock`), false);
  }
  assert.ok(readings() < 20, `${readings()} readings`);
});

test('a list that takes too long is given up, and what is in it is not known', (t) => {
  const table = new AcceptTable();
  const rows = (): string => listening('g1') + connecting('g1');
  const pageMs = LIMITS.acceptReadMaxMs / 4;
  withTable(t, { rows, foreignRows: 1_000, pageMs });
  const startedMs = performance.now();
  assert.equal(table.isInQueue('/run/usherd/worker/g1.sock'), false);
  assert.ok(performance.now() - startedMs < 1_000 * pageMs * 0.5);
  assert.equal(table.isAccepted('/run/usherd/worker/g1.sock'), false);
});

test('of a worker that is newer than what was read, it is read again', (t) => {
  const table = new AcceptTable();
  let text = listening('b1');
  withTable(t, { rows: () => text });
  assert.equal(table.isInQueue('/run/usherd/worker/b1.sock'), false);
  text += listening('b2') + connecting('b2');
  assert.equal(table.isInQueue('/run/usherd/worker/b2.sock'), true);
});

test('a deadline goes by what is now', (t) => {
  const table = new AcceptTable();
  let text = listening('c1') + connecting('c1');
  withTable(t, { rows: () => text });
  assert.equal(table.isInQueue('/run/usherd/worker/c1.sock'), true);
  assert.equal(table.isAccepted('/run/usherd/worker/c1.sock'), false);
  text = listening('c1');
  assert.equal(table.isAccepted('/run/usherd/worker/c1.sock'), true);
  assert.equal(table.isAccepted('/run/usherd/worker/unknown.sock'), false);
});

test('a row that a tenant writes into the name of a socket of his is too short to be one', (t) => {
  const row = connecting('').replace(bound(''), unpublishedName('/r/worker/0123456789abcdef.sock'));
  for (const digits of ['0000000000000000', '00000000']) {
    const forged = row.trimEnd().replace(/^0+/, digits);
    assert.ok(Buffer.byteLength(`\0\n${forged}`) > LIMITS.socketPathMaxBytes, forged);
  }
  const short = `0: 2 0 0 1 02 0 ${bound('d1')}\n`;
  const table = new AcceptTable();
  withTable(t, { rows: () => listening('d1') + short });
  assert.equal(table.isAccepted('/run/usherd/worker/d1.sock'), true);
  assert.equal(table.isInQueue('/run/usherd/worker/d1.sock'), false);
});

test('of a name that somebody else listens on, too, nothing is believed that would be to the loss of its worker', (t) => {
  const table = new AcceptTable();
  withTable(t, { rows: () => listening('e1') + listening('e1') + connecting('e1') });
  assert.equal(table.isAccepted('/run/usherd/worker/e1.sock'), true);
  assert.equal(table.isInQueue('/run/usherd/worker/e1.sock'), false);
});
