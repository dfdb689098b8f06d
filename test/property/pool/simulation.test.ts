// Simulated machines: whatever users, workers and the supervisor do, every bound holds and everybody is answered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Simulation } from '../../support/pool-simulation.js';
import type { World } from '../../support/pool-world.js';

const CALM: World = {
  seed: 1,
  users: 20,
  appsPerUser: 2,
  maxWorkers: 64,
  limits: {
    maxWorkersPerApp: 4,
    minWorkers: 0,
    queueLength: 20,
    queueTimeoutMs: 3000,
    idleTimeoutMs: 2000,
    maxRequests: 0,
    maxWorkersPerUser: 6,
  },
  concurrency: 1,
  arrivalMs: 100,
  launchMs: 10,
  startMs: 40,
  serviceMs: 20,
  stopMs: 10,
  crash: 0,
  failedStart: 0,
  refusal: 0,
  leave: 0,
  unrepeatable: 0,
  dirty: 0,
  disturbMs: 0,
};

const chance = fc.constantFrom(0, 0.01, 0.1, 0.5);
const meanMs = fc.constantFrom(1, 10, 50, 400, 3000);
const world: fc.Arbitrary<World> = fc.record({
  seed: fc.nat(),
  users: fc.integer({ min: 1, max: 30 }),
  appsPerUser: fc.integer({ min: 1, max: 3 }),
  maxWorkers: fc.integer({ min: 1, max: 40 }),
  limits: fc.record({
    maxWorkersPerApp: fc.integer({ min: 1, max: 6 }),
    minWorkers: fc.constant(0),
    queueLength: fc.integer({ min: 0, max: 30 }),
    queueTimeoutMs: fc.constantFrom(50, 1000, 5000),
    idleTimeoutMs: fc.constantFrom(0, 200, 5000),
    maxRequests: fc.constantFrom(0, 1, 7),
    maxWorkersPerUser: fc.integer({ min: 1, max: 8 }),
  }),
  concurrency: fc.constantFrom(1, 1, 2, 10),
  arrivalMs: fc.constantFrom(20, 100, 1000),
  launchMs: meanMs,
  startMs: meanMs,
  serviceMs: meanMs,
  stopMs: meanMs,
  crash: chance,
  failedStart: fc.constantFrom(0, 0.1, 0.5, 1),
  refusal: fc.constantFrom(0, 0, 0.1, 0.9),
  leave: chance,
  unrepeatable: fc.constantFrom(0, 0.5, 1),
  dirty: chance,
  disturbMs: fc.constantFrom(0, 0, 100, 1000),
});

test('every bound holds at every step in any world, and nothing stays behind', () => {
  fc.assert(
    fc.property(world, (chosen) => {
      const simulation = new Simulation(chosen);
      simulation.run(3000);
      simulation.settle();
    }),
    { numRuns: 150 },
  );
});

test('in a calm world nobody is refused', () => {
  const simulation = new Simulation({ ...CALM, limits: { ...CALM.limits, queueLength: 100 } });
  simulation.run(10_000);
  assert.deepEqual([...simulation.outcomes], []);
});

test('hundreds of users on too few slots: all bounds hold and all of them are served alike', () => {
  const simulation = new Simulation({
    ...CALM,
    users: 300,
    appsPerUser: 1,
    maxWorkers: 64,
    arrivalMs: 50,
    limits: { ...CALM.limits, queueTimeoutMs: 30_000 },
  });
  simulation.run(40_000);
  assert.equal(simulation.mostSlots, 64);
  const served = simulation.users.map((user) => user.served);
  const mean = served.reduce((sum, one) => sum + one, 0) / served.length;
  assert.ok(Math.min(...served) > mean / 3, `least ${Math.min(...served)}, mean ${mean}`);
  assert.ok(Math.max(...served) < mean * 3, `most ${Math.max(...served)}, mean ${mean}`);
});

test('thousands of users, eight for each slot: all bounds hold and nobody starves', () => {
  const users = 2_000;
  const simulation = new Simulation({
    ...CALM,
    users,
    appsPerUser: 1,
    maxWorkers: users / 8,
    arrivalMs: 1_000,
    limits: { ...CALM.limits, queueTimeoutMs: 30_000 },
  });
  simulation.run(40_000);
  assert.equal(simulation.mostSlots, users / 8);
  const served = simulation.users.map((user) => user.served);
  const mean = served.reduce((sum, one) => sum + one, 0) / users;
  assert.ok(Math.min(...served) > mean / 3, `least ${Math.min(...served)}, mean ${mean}`);
  assert.ok(Math.max(...served) < mean * 3, `most ${Math.max(...served)}, mean ${mean}`);
});

test('an application that always crashes costs its neighbours nothing', () => {
  const simulation = new Simulation({ ...CALM, users: 50, failedStart: 1, arrivalMs: 20 });
  simulation.run(30_000);
  // Four at once, then one after 1, 2, 4, 8 and 16 s.
  assert.ok(simulation.starts <= 100 * 9, `${simulation.starts} starts`);
  assert.equal(
    simulation.users.every((user) => user.served === 0),
    true,
  );
  simulation.settle();
});
