// What is measured: a web server with something behind it that runs PHP as its owner, ready on a port of the loopback.
import type { BenchUser } from './site.js';

export interface Peer {
  readonly name: string;
  /** What stands behind the name, for the table's foot. */
  readonly title: string;
  readonly port: number;
  /** Path of the page without a body. */
  readonly hello: string;
  /** Scenarios that make no sense for it. */
  readonly leavesOut: ReadonlySet<string>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The processes that belong to it, its workers among them. */
  pids(): readonly number[];
  /** Of one user's workers, those that would answer the next request. */
  workersOf(user: BenchUser): readonly number[];
}
