// How many lines may be written about one kind of thing: a storm of them is a few lines and a number.
import { LIMITS } from '../limits.js';
import { TokenBucket, type Rate } from './token-bucket.js';

const RATE: Rate = { burst: LIMITS.failureLogBurstCount, perS: LIMITS.failureLogPerS };

interface Kind {
  readonly bucket: TokenBucket;
  omitted: number;
}

export class KindRate {
  /** In the order of their last line. */
  readonly #kinds = new Map<string, Kind>();

  /** How many like this one were left out since the last; undefined if this one is, too. */
  admit(key: string): number | undefined {
    const nowMs = performance.now();
    const kind = this.#kinds.get(key) ?? { bucket: new TokenBucket(RATE, nowMs), omitted: 0 };
    this.#kinds.delete(key);
    this.#kinds.set(key, kind);
    if (this.#kinds.size > LIMITS.failureLogKindsMaxCount) {
      const [oldest] = this.#kinds.keys();
      if (oldest !== undefined) this.#kinds.delete(oldest);
    }
    if (!kind.bucket.take(1, nowMs)) {
      kind.omitted += 1;
      return undefined;
    }
    const { omitted } = kind;
    kind.omitted = 0;
    return omitted;
  }
}
