// What lines of the log say of a worker.
import type { WorkerProcess } from './worker-process.js';
import type { WorkerExit } from './worker-state.js';

export const idsOf = ({ id, pid, owner }: WorkerProcess): object => ({
  user: owner.user,
  app: owner.app,
  worker: id,
  workerPid: pid,
});

export function exitFields(exit: WorkerExit): object {
  switch (exit.by) {
    case 'code':
      return { exitCode: exit.code };
    case 'signal':
      return { exitSignal: exit.signal };
    case 'memory':
      return { exitCause: 'out of memory: over memory_max, or the machine has none left' };
    case 'lost':
      return {};
  }
}
