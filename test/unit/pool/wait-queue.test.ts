import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitQueue } from '../../../src/pool/index.js';
import type { TicketIndex } from '../../../src/pool/wait-queue.js';
import { VirtualClock } from '../../support/virtual-clock.js';

interface Request {
  readonly name: string;
}

function setUp(lengthMax = 3, timeoutMs = 1000) {
  const clock = new VirtualClock();
  const late: string[] = [];
  let withdrawn = 0;
  const tickets: TicketIndex<Request> = new Map();
  const queue = new WaitQueue<Request>({
    clock,
    tickets,
    lengthMax,
    timeoutMs,
    onWithdrawn: () => {
      withdrawn += 1;
    },
    onDeadline: ({ name }) => late.push(`${name} at ${clock.now()}`),
  });
  return { clock, late, queue, tickets, withdrawn: () => withdrawn };
}

const request = (name: string): Request => ({ name });

test('requests leave in the order in which they came', () => {
  const { queue, tickets } = setUp();
  for (const name of ['a', 'b', 'c']) assert.ok(queue.submit(request(name)));
  assert.deepEqual(
    [queue.take(), queue.take(), queue.take(), queue.take()].map((one) => one?.name),
    ['a', 'b', 'c', undefined],
  );
  assert.equal(tickets.size, 0);
});

test('the queue takes as many as its length and not one more', () => {
  const { queue } = setUp(3);
  for (const name of ['a', 'b', 'c']) assert.ok(queue.submit(request(name)));
  assert.equal(queue.submit(request('d')), false);
  assert.equal(queue.length, 3);
  queue.take();
  assert.equal(queue.submit(request('e')), true);
});

test('a queue of length 0 takes nothing', () => {
  assert.equal(setUp(0).queue.submit(request('a')), false);
});

test('a retried request goes ahead of the others, even of a full queue', () => {
  const { queue } = setUp(1);
  queue.submit(request('fresh'));
  queue.resubmit(request('again'));
  queue.resubmit(request('again 2'));
  assert.equal(queue.length, 3);
  assert.deepEqual(
    [queue.take(), queue.take(), queue.take()].map((one) => one?.name),
    ['again', 'again 2', 'fresh'],
  );
});

test('a withdrawn request is never taken and makes room', () => {
  const { queue, withdrawn } = setUp(2);
  const [a, b] = [request('a'), request('b')];
  queue.submit(a);
  queue.submit(b);
  assert.equal(queue.withdraw(a), true);
  assert.equal(queue.withdraw(a), false);
  assert.equal(withdrawn(), 1);
  assert.ok(queue.submit(request('c')));
  assert.equal(queue.take(), b);
  assert.equal(queue.withdraw(b), false);
});

test('a request of another queue is not withdrawn', () => {
  const one = setUp();
  const a = request('a');
  const other = new WaitQueue<Request>({
    clock: one.clock,
    tickets: one.tickets,
    lengthMax: 1,
    timeoutMs: 1,
    onWithdrawn: () => undefined,
    onDeadline: () => undefined,
  });
  one.queue.submit(a);
  assert.equal(other.withdraw(a), false);
  assert.equal(one.queue.length, 1);
});

test('each request has its own deadline, kept by one timer', () => {
  const { clock, late, queue } = setUp(10, 1000);
  queue.submit(request('a'));
  clock.advance(300);
  queue.submit(request('b'));
  queue.submit(request('c'));
  assert.equal(clock.armed, 1);
  clock.advance(699);
  assert.deepEqual(late, []);
  clock.advance(1);
  assert.deepEqual(late, ['a at 1000']);
  assert.equal(clock.armed, 1);
  clock.advance(300);
  assert.deepEqual(late, ['a at 1000', 'b at 1300', 'c at 1300']);
  assert.equal(clock.armed, 0);
  assert.equal(queue.length, 0);
});

test('requests that are taken in time cost no timer each', () => {
  const { clock, late, queue } = setUp(10, 1000);
  for (let count = 0; count < 100; count += 1) {
    queue.submit(request('a'));
    queue.take();
    clock.advance(3);
  }
  assert.equal(clock.scheduled, 1);
  clock.advance(2000);
  assert.equal(clock.armed, 0);
  assert.deepEqual(late, []);
});

test('a retried request has a full timeout although it is first', () => {
  const { clock, late, queue } = setUp(10, 1000);
  queue.submit(request('fresh'));
  clock.advance(600);
  queue.resubmit(request('again'));
  clock.advance(400);
  assert.deepEqual(late, ['fresh at 1000']);
  clock.advance(600);
  assert.deepEqual(late, ['fresh at 1000', 'again at 1600']);
});

test('a shorter timeout holds for those that wait already', () => {
  const { clock, late, queue } = setUp(10, 1000);
  queue.submit(request('a'));
  clock.advance(300);
  queue.submit(request('b'));
  queue.configure(10, 200);
  clock.advance(0);
  assert.deepEqual(late, ['a at 300']);
  clock.advance(200);
  assert.deepEqual(late, ['a at 300', 'b at 500']);
});

test('a longer timeout holds for those that wait already', () => {
  const { clock, late, queue } = setUp(10, 1000);
  queue.submit(request('a'));
  clock.advance(900);
  queue.configure(10, 3000);
  clock.advance(2099);
  assert.deepEqual(late, []);
  clock.advance(1);
  assert.deepEqual(late, ['a at 3000']);
});

test('a shorter length sends nobody away and lets nobody in', () => {
  const { queue } = setUp(3);
  for (const name of ['a', 'b', 'c']) queue.submit(request(name));
  queue.configure(1, 1000);
  assert.equal(queue.length, 3);
  queue.take();
  queue.take();
  assert.equal(queue.submit(request('d')), false);
  queue.take();
  assert.equal(queue.submit(request('d')), true);
});

test('the oldest wait is told over both lines', () => {
  const { clock, queue } = setUp();
  assert.equal(queue.oldestWaitMs(clock.now()), 0);
  queue.submit(request('a'));
  clock.advance(40);
  queue.resubmit(request('b'));
  assert.equal(queue.oldestWaitMs(clock.now()), 40);
});
