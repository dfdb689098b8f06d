import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { routerMessage, type RouterMessage } from '../../../src/ipc/index.js';
import { MONITOR, answerRouter, type Monitored } from '../../../src/spawner/monitor.js';

const ONE_OF_EACH: readonly RouterMessage[] = [
  { type: 'hello', protocol: 1 },
  { type: 'need', ticket: 1, app: 'alice/blog', runtime: '' },
  { type: 'retire', worker: '0123456789abcdef', reason: 'idle' },
  { type: 'check', app: 'alice/blog' },
  { type: 'usage', serial: 1 },
  { type: 'reportEnd', serial: 1 },
  { type: 'reloaded', digest: '0'.repeat(64), detail: '' },
];

function recorder(): { monitored: Monitored; calls: string[] } {
  const calls: string[] = [];
  const note = (name: string) => (): void => {
    calls.push(name);
  };
  const monitored = {
    greet: note('greet'),
    need: note('need'),
    retire: note('retire'),
    check: note('check'),
    usage: note('usage'),
    reported: note('reported'),
    reloaded: note('reloaded'),
  };
  return { monitored, calls };
}

describe('the monitor', () => {
  it('has a row for every message of the schema and for nothing else', () => {
    const types = routerMessage.options.map((option) => option.shape.type.value);
    assert.deepEqual(Object.keys(MONITOR).sort(), [...types].sort());
  });

  it('lets a router greet first, and do nothing before', () => {
    const { monitored, calls } = recorder();
    const permitted = ONE_OF_EACH.map((message) => answerRouter('greeting', monitored, message));
    assert.deepEqual(permitted, [true, false, false, false, false, false, false]);
    assert.deepEqual(calls, ['greet']);
  });

  it('lets a router that has greeted do the rest, and not greet again', () => {
    const { monitored, calls } = recorder();
    const permitted = ONE_OF_EACH.map((message) => answerRouter('serving', monitored, message));
    assert.deepEqual(permitted, [false, true, true, true, true, true, true]);
    assert.deepEqual(calls, ['need', 'retire', 'check', 'usage', 'reported', 'reloaded']);
  });
});
