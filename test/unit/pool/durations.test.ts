import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Account, Slot } from '../../../src/pool/account.js';
import { Durations } from '../../../src/pool/durations.js';
import { Worker } from '../../../src/pool/worker.js';

const LEAF = new Account({ max: 1 });

/** Asked for at 0. */
function workerBornAt(nowMs: number, isProved: boolean): Worker {
  const slot = new Slot(LEAF, 0, { edition: 0, batch: 0 });
  const facts = { worker: 'w1', pid: 1, protocol: 'fastcgi', concurrency: 9, maxRequests: 0 };
  return new Worker({ facts, slot, nowMs, isProved, random: 0 });
}

function assign(worker: Worker, nowMs: number): void {
  worker.noteAssigned(nowMs);
  worker.step({ kind: 'assigned' });
}

function end(durations: Durations, worker: Worker, nowMs: number, isClean = true): void {
  durations.noteEnded(worker, nowMs, isClean);
  worker.step({ kind: 'ended' });
}

function answer(durations: Durations, worker: Worker, nowMs: number): void {
  durations.noteReady(worker, nowMs);
  worker.isProved = true;
  worker.step({ kind: 'ready' });
}

test('a request is measured from being assigned to its end, without the idle time between', () => {
  const [durations, worker] = [new Durations(), workerBornAt(0, true)];
  assign(worker, 100);
  end(durations, worker, 140);
  assert.equal(durations.serviceMs, 40);
  assign(worker, 10_000);
  end(durations, worker, 10_048);
  assert.equal(durations.serviceMs, 41, 'the newest sample weighs an eighth');
});

test('the first request of a worker includes its start and is not a sample', () => {
  const [durations, worker] = [new Durations(), workerBornAt(10, false)];
  assign(worker, 10);
  answer(durations, worker, 900);
  end(durations, worker, 950);
  assert.equal(durations.serviceMs, undefined);
  assign(worker, 1000);
  end(durations, worker, 1020);
  assert.equal(durations.serviceMs, 20);
});

test('what was cut short is no sample', () => {
  const [durations, worker] = [new Durations(), workerBornAt(0, true)];
  assign(worker, 0);
  end(durations, worker, 5, false);
  assert.equal(durations.serviceMs, undefined);
});

test('several requests at once are each as long as they are in the mean', () => {
  const [durations, worker] = [new Durations(), workerBornAt(0, true)];
  for (let count = 0; count < 4; count += 1) assign(worker, 0);
  for (let nowMs = 25; nowMs <= 100_000; nowMs += 25) {
    end(durations, worker, nowMs);
    assign(worker, nowMs);
  }
  // Four are always there and one ends every 25 ms: each takes 100 ms.
  assert.equal(Math.round(durations.serviceMs ?? 0), 100);
});

test('a start is from the question to the first byte, less the work of one request', () => {
  const durations = new Durations();
  const old = workerBornAt(0, true);
  assign(old, 0);
  end(durations, old, 30);
  const worker = workerBornAt(20, false);
  assign(worker, 20);
  answer(durations, worker, 130);
  assert.equal(durations.startMs, 100);
});

test('a start is never shorter than until the worker was spawned', () => {
  const durations = new Durations();
  const old = workerBornAt(0, true);
  assign(old, 0);
  end(durations, old, 5000);
  const worker = workerBornAt(20, false);
  assign(worker, 20);
  answer(durations, worker, 130);
  assert.equal(durations.startMs, 20);
});

test('a worker that sat unused before its first request says nothing about starts', () => {
  const durations = new Durations();
  const old = workerBornAt(0, true);
  assign(old, 0);
  end(durations, old, 5);
  const worker = workerBornAt(20, false);
  assign(worker, 4000);
  answer(durations, worker, 4006);
  assert.equal(durations.startMs, undefined);
});
