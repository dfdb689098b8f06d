// Nobody else's sockets are taken away: a second usherd in the same run directory waits for the end of the first, or gives up.
import { setTimeout as pause } from 'node:timers/promises';
import { UsherdError } from '../errors.js';
import { isListenedOn } from '../ipc/index.js';

export interface Patience {
  readonly waitMs: number;
  readonly pollMs: number;
  /** Once, if there is somebody to wait for. */
  readonly onWaiting: () => void;
}

/** @throws UsherdError E_STARTUP_SOCKET if somebody still answers then */
export async function untilAlone(
  controlSocket: string,
  { waitMs, pollMs, onWaiting }: Patience,
): Promise<void> {
  const giveUpMs = performance.now() + waitMs;
  let isTold = false;
  while ((await isListenedOn(controlSocket)) === true) {
    if (!isTold) onWaiting();
    isTold = true;
    if (performance.now() >= giveUpMs) {
      const detail = `usherd runs already: its supervisor listens on ${controlSocket}`;
      throw new UsherdError('E_STARTUP_SOCKET', detail);
    }
    await pause(pollMs);
  }
}
