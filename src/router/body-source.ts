// The body of a request as a worker protocol reads it, whether it waits somewhere or comes as it is read.
import type { UsherdError } from '../errors.js';

/** `bytes` null: the end. Bytes stay valid until the next read, and are not to be changed. */
export type BodyRead = (err: UsherdError | null, bytes: Buffer | null) => void;

/** Neither none nor some. */
export const UNKNOWN_LENGTH = -1;

export interface BodySource {
  /** Of all of it; UNKNOWN_LENGTH while nobody can say it. */
  readonly length: number;
  /** Nothing of it is gone: it can be read from its beginning again. */
  readonly isWhole: boolean;
  /** The end has come, and everything before it was read. */
  readonly isAtEnd: boolean;
  /** The next bytes, at most maxBytes; one read at a time. Waits while there are none; may answer inside the call. */
  read(maxBytes: number, done: BodyRead): void;
  /** What was read is not used any more, and the next read is not near: memory is for others. No read is under way. */
  release(): void;
  /** To the beginning; only while it is whole. A read under way is forgotten. */
  rewind(): void;
}

/** The body of a request that has none, or none yet. */
export const NO_BODY: BodySource = {
  length: 0,
  isWhole: true,
  isAtEnd: true,
  read: (_maxBytes, done) => done(null, null),
  release: () => undefined,
  rewind: () => undefined,
};
