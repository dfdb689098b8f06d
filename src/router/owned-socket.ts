// Connects to a socket that a tenant named: only if it is his, and to the very one that was looked at.
import fs from 'node:fs';
import type { Exchange, ExchangeSink, LossKind } from './protocols/exchange.js';
import { lossOnTheWay } from './worker-socket.js';

export interface OwnedPath {
  readonly path: string;
  readonly uid: number;
}

/** <fcntl.h>; node:fs has no name for it. A socket cannot be opened in any other way. */
const O_PATH = 0o10_000_000;

/**
 * The router may connect to sockets that the tenant may not: those of other users' workers, the supervisor's, its own.
 * So a name is not enough. What it leads to is opened without following a last link, looked at, and connected to through
 * its descriptor: nothing that is done to the name meanwhile changes where the request goes.
 */
export function connectOwned(
  { path, uid }: OwnedPath,
  sink: ExchangeSink,
  open: (path: string) => Exchange,
): Exchange {
  let fd: number;
  try {
    fd = fs.openSync(path, O_PATH | fs.constants.O_NOFOLLOW);
  } catch (err) {
    const { code } = err as NodeJS.ErrnoException;
    if (lossOnTheWay(code) === 'unreachable') return nowhere(sink, code ?? '', 'unreachable');
    return nowhere(sink, 'there is no such socket, or it is not for us to reach');
  }
  try {
    const status = fs.fstatSync(fd);
    if (!status.isSocket() || status.uid !== uid) {
      return nowhere(sink, 'that is no socket of this user');
    }
    // connect(2) happens inside the call, so the descriptor is not needed after it.
    return open(`/proc/self/fd/${fd}`);
  } finally {
    fs.closeSync(fd);
  }
}

/** An exchange that never was; the loss is told as every other one is, after this returns. */
function nowhere(sink: ExchangeSink, detail: string, kind: LossKind = 'undelivered'): Exchange {
  let isOver = false;
  process.nextTick(() => {
    if (!isOver) sink.lost(kind, detail);
    isOver = true;
  });
  const nothing = (): void => undefined;
  return { pause: nothing, resume: nothing, drop: () => void (isOver = true) };
}
