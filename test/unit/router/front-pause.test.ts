// When a front connection is read: only while every body on it has room, because several requests may share it.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import type { RouterContext } from '../../../src/router/context.js';
import { FrontConnection } from '../../../src/router/connection.js';
import { WriteBudget } from '../../../src/router/write-budget.js';

function connection(): { socket: net.Socket; front: FrontConnection } {
  const socket = new net.Socket();
  const context = { writeBudget: new WriteBudget() } as Partial<RouterContext> as RouterContext;
  const bounds = { user: undefined, authorizer: undefined };
  return { socket, front: new FrontConnection(socket, context, bounds) };
}

test('a body that has room again does not open the connection for another one that has none', () => {
  const { socket, front } = connection();
  front.pauseReading();
  front.pauseReading();
  front.resumeReading();
  assert.equal(socket.isPaused(), true);
  assert.equal(front.isReadingPaused, true, 'nobody blames the client for it');
  front.resumeReading();
  assert.equal(socket.isPaused(), false);
  assert.equal(front.isReadingPaused, false);
});
