// What was read and passed on: buffers outside V8's heap, which V8 gives back when it collects, and not sooner.
//
// By itself it lets 64 MiB of them come together, and what the allocator of the C library has once had in use stays with the
// process: a body of any size made the router 50 MiB larger. A collection of the young generation takes 0.1 ms.
import { LIMITS } from '../limits.js';

let bytes = 0;

/** So many bytes were read into a buffer that is soon garbage. Collects now and then, if node was started with --expose-gc. */
export function countRead(count: number): void {
  bytes += count;
  if (bytes < LIMITS.readGarbageMaxBytes) return;
  bytes = 0;
  globalThis.gc?.({ type: 'minor' });
}
