// A connection to a worker that survives its own failed writes: the answer may be there already (wire checklist item 40).
import net from 'node:net';
import { LIMITS } from '../limits.js';
import type { LossKind } from './protocols/exchange.js';

/** Parameters of net.Socket's own `_write` and `_writev`. */
type WriteDone = (err?: Error | null) => void;
type Chunks = { chunk: unknown; encoding: BufferEncoding }[];

/**
 * A worker may answer early, close, and leave the rest of a body unread. The next write then fails with EPIPE, and
 * a stream that has failed delivers nothing more, not even the answer that waits in its receive buffer. Here a failed
 * write never comes back instead: no more is asked for, and the end of the answer, or of the stream, decides.
 */
export class WorkerSocket extends net.Socket {
  #isWriteBroken = false;
  /** Of the write under way; a stream has one at a time. */
  #done: WriteDone = () => undefined;

  /** Nothing more can be sent. */
  get isWriteBroken(): boolean {
    return this.#isWriteBroken;
  }

  override _write(chunk: unknown, encoding: BufferEncoding, done: WriteDone): void {
    if (this.#isWriteBroken) return;
    this.#done = done;
    super._write(chunk, encoding, this.#onWritten);
  }

  override _writev(chunks: Chunks, done: WriteDone): void {
    if (this.#isWriteBroken) return;
    this.#done = done;
    super._writev?.(chunks, this.#onWritten);
  }

  readonly #onWritten = (err?: Error | null): void => {
    if (err && isWriteFailure(err)) this.#isWriteBroken = true;
    else this.#done(err);
  };
}

/** Of this process, or of the machine: nobody else has a part in it. */
const isOutOfDescriptors = (code: string | undefined): boolean =>
  code === 'EMFILE' || code === 'ENFILE';

const isWriteFailure = (err: NodeJS.ErrnoException): boolean =>
  err.code === 'EPIPE' || err.code === 'ECONNRESET';

/** An EOF from the worker must not close our side before the last bytes are read. */
const OPTIONS = { allowHalfOpen: true } as const;

export function connectWorker(path: string): WorkerSocket {
  const socket = new WorkerSocket(OPTIONS);
  socket.connect({ path });
  return socket;
}

/**
 * All workers are read into the same memory, one after the other: nothing is allocated for it, and it is in the processor's
 * cache. What was read is wiped when everybody has had it, so that whoever kept it, and did not copy, finds nothing.
 */
const READ = Buffer.alloc(LIMITS.workerReadBytes);

/** `onBytes` may not keep what it is given. There is no event 'data'. */
export function connectWorkerInto(path: string, onBytes: (bytes: Buffer) => void): WorkerSocket {
  const callback = (count: number): boolean => {
    try {
      onBytes(READ.subarray(0, count));
    } finally {
      READ.fill(0, 0, count);
    }
    return true;
  };
  const options: net.SocketConstructorOpts & net.ConnectOpts = {
    ...OPTIONS,
    onread: { buffer: READ, callback },
  };
  const socket = new WorkerSocket(options);
  socket.connect({ path });
  return socket;
}

/** What became of a request whose connection could not be made, by the code of the error. */
export const lossOnTheWay = (code: string | undefined): LossKind =>
  isOutOfDescriptors(code) ? 'unreachable' : 'undelivered';

export interface FreeWatch {
  stop(): void;
}

/**
 * Tells when a worker that takes one request at a time has ended the one that nobody waits for: it accepts again. What it
 * accepts is a connection without a byte, which every library closes. `isAlive` is false if nobody listens any more.
 */
export function whenFree(path: string, onFree: (isAlive: boolean) => void): FreeWatch {
  let isAlive = true;
  const socket = net.connect({ path, allowHalfOpen: true }, () => socket.end());
  const free = (): void => onFree(isAlive);
  socket.on('error', ({ code }: NodeJS.ErrnoException) => (isAlive = isOutOfDescriptors(code)));
  socket.on('end', () => socket.destroy());
  socket.on('close', free);
  socket.resume();
  return {
    stop: () => {
      socket.removeListener('close', free);
      socket.destroy();
    },
  };
}
