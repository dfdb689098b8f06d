// Turns for lookups: so many at once, the rest in order, the impatient and the surplus sent away.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LookupSlots } from '../../../src/privdrop/lookup-slots.js';

const patient = new AbortController().signal;

describe('lookup slots', () => {
  it('let as many in as there are, and the next when one leaves, in order', async () => {
    const slots = new LookupSlots(2, 8);
    assert.equal(await slots.enter(patient), true);
    assert.equal(await slots.enter(patient), true);
    const order: number[] = [];
    const third = slots.enter(patient).then(() => order.push(3));
    const fourth = slots.enter(patient).then(() => order.push(4));
    slots.leave();
    await third;
    assert.deepEqual(order, [3]);
    slots.leave();
    await fourth;
    assert.deepEqual(order, [3, 4]);
  });

  it('send away whoever comes when the queue is full', async () => {
    const slots = new LookupSlots(1, 1);
    await slots.enter(patient);
    const waiting = slots.enter(patient);
    assert.equal(await slots.enter(patient), false);
    slots.leave();
    assert.equal(await waiting, true);
  });

  it('send away whoever runs out of time, without losing the slot', async () => {
    const slots = new LookupSlots(1, 8);
    await slots.enter(patient);
    const impatient = new AbortController();
    const waiting = slots.enter(impatient.signal);
    impatient.abort();
    assert.equal(await waiting, false);
    assert.equal(await slots.enter(AbortSignal.abort()), false);
    slots.leave();
    assert.equal(await slots.enter(patient), true);
  });
});
