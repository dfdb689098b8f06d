// Where the supervisor's sockets are, below `paths.run`.
import { join } from 'node:path';
import { LIMITS } from '../limits.js';
import { UsherdError } from '../errors.js';

export interface RunPaths {
  readonly run: string;
  readonly workers: string;
  readonly router: string;
  readonly log: string;
  readonly supervisor: string;
  readonly control: string;
}

export const runPaths = (run: string): RunPaths => ({
  run,
  workers: join(run, 'worker'),
  router: join(run, 'router'),
  log: join(run, 'router', 'log.sock'),
  supervisor: join(run, 'supervisor.sock'),
  control: join(run, 'control.sock'),
});

/**
 * libuv binds the first 107 bytes of a longer path without a word, which is another file.
 * @throws E_STARTUP_SOCKET
 */
export function assertSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= LIMITS.socketPathMaxBytes) return;
  throw new UsherdError('E_STARTUP_SOCKET', `${path} has ${bytes} bytes`, {
    findings: [
      {
        rule: 'socket-path',
        path,
        found: `${bytes} bytes`,
        expected: `at most ${LIMITS.socketPathMaxBytes} bytes`,
        remedy: 'use a shorter paths.run',
      },
    ],
  });
}
