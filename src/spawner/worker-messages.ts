// How a worker looks in a message to the router.
import type { SupervisorMessage } from '../ipc/index.js';
import type { WorkerExit } from './worker-state.js';
import type { RunningWorker } from './workers.js';

type Message<T extends SupervisorMessage['type']> = Extract<SupervisorMessage, { type: T }>;

export function livingMessage({ process, blueprint }: RunningWorker): Message<'living'> {
  const { runtime, protocol, connect, concurrency, maxRequests } = blueprint;
  return {
    type: 'living',
    app: process.owner.app,
    runtime,
    worker: process.id,
    pid: process.pid,
    protocol,
    connect,
    uid: process.owner.uid,
    concurrency,
    maxRequests,
  };
}

/** Of workers that ran: a launch that failed is told as a refusal. */
export function exitMessage(
  { process, blueprint }: RunningWorker,
  exit: WorkerExit,
  wanted: boolean,
): Message<'exited'> {
  return {
    type: 'exited',
    worker: process.id,
    app: process.owner.app,
    runtime: blueprint.runtime,
    phase: 'run',
    by: exit.by,
    exitCode: exit.by === 'code' ? exit.code : 0,
    signal: exit.by === 'signal' ? exit.signal : exit.by === 'memory' ? 'SIGKILL' : '',
    wanted,
  };
}
