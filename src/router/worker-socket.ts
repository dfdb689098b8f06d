// A connection to a worker that survives its own failed writes: the answer may be there already (wire checklist item 40).
import net from 'node:net';

/**
 * A worker may answer early, close, and leave the rest of a body unread. The next write then fails with
 * EPIPE, and `net.Socket` would destroy itself together with the answer that waits in its receive buffer.
 * This socket keeps reading: the end of the answer, or the end of the stream, decides.
 */
export class WorkerSocket extends net.Socket {
  /** True once a write has failed: nothing more can be sent. */
  isWriteBroken = false;

  override destroy(err?: Error): this {
    if (err !== undefined && !this.connecting && !this.readableEnded && isWriteFailure(err)) {
      this.isWriteBroken = true;
      return this;
    }
    return super.destroy(err);
  }
}

const isWriteFailure = (err: NodeJS.ErrnoException): boolean =>
  err.syscall === 'write' && (err.code === 'EPIPE' || err.code === 'ECONNRESET');

export function connectWorker(path: string): WorkerSocket {
  // allowHalfOpen: an EOF from the worker must not close our side before the last bytes are read.
  const socket = new WorkerSocket({ allowHalfOpen: true });
  socket.connect({ path });
  return socket;
}
