// Whether anybody is behind a unix socket: a file that is there proves nothing.
import { connect } from 'node:net';
import { LIMITS } from '../limits.js';

/** Undefined where the system does not let us find out: EACCES is no proof of death. */
export function isListenedOn(path: string): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    const settle = (isLiving: boolean | undefined): void => {
      probe.destroy();
      resolve(isLiving);
    };
    probe.once('connect', () => settle(true));
    probe.once('error', (err: NodeJS.ErrnoException) => settle(verdictOf(err.code)));
    probe.setTimeout(LIMITS.livingCheckDeadlineMs, () => settle(true)); // full backlog: somebody lives
  });
}

function verdictOf(code: string | undefined): boolean | undefined {
  // Nothing there, nobody behind it, or not a socket.
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK') return false;
  return code === 'EAGAIN' ? true : undefined; // a full backlog again
}
