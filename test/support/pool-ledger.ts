// The supervisor's own count of workers in a simulated machine: asserts every limit at the moment a worker is asked for.
import assert from 'node:assert/strict';
import type { PoolLimits } from '../../src/pool/index.js';
import type { App } from './pool-world.js';

export class Ledger {
  maxWorkers: number;
  /** Workers asked for, living or being stopped. */
  slots = 0;
  mostSlots = 0;
  readonly #limits: PoolLimits;

  constructor(maxWorkers: number, limits: PoolLimits) {
    this.maxWorkers = maxWorkers;
    this.#limits = limits;
  }

  take(app: App): void {
    const reserve = app.user.slots > 0 ? Math.max(1, Math.floor(this.maxWorkers / 8)) : 0;
    this.#add(app, 1);
    assert.ok(app.slots <= this.#limits.maxWorkersPerApp, 'the cap of the application holds');
    assert.ok(app.user.slots <= this.#limits.maxWorkersPerUser, 'the cap of the user holds');
    assert.ok(this.slots <= this.maxWorkers - reserve, 'the total and its reserve hold');
    this.mostSlots = Math.max(this.mostSlots, this.slots);
  }

  give(app: App): void {
    this.#add(app, -1);
  }

  #add(app: App, count: 1 | -1): void {
    app.slots += count;
    app.user.slots += count;
    this.slots += count;
  }
}
