// Life and death of one worker process as root sees it: states x events, pure; effects are data.
import { LIMITS } from '../limits.js';

/** How it ended. `lost`: it survived KILL for so long that nobody waits for it any more. */
export type WorkerExit =
  | { readonly by: 'code'; readonly code: number }
  | { readonly by: 'signal'; readonly signal: string }
  | { readonly by: 'memory' } // killed by the kernel: its application had more than it may
  | { readonly by: 'lost' };

export type WorkerState =
  | { readonly kind: 'launching' } // the process exists, the tenant's program does not run yet
  | { readonly kind: 'running' }
  | { readonly kind: 'terminating' } // asked to end, grace runs
  | { readonly kind: 'killing' }
  | { readonly kind: 'gone' };

export type WorkerEvent =
  | { readonly kind: 'started' } // the launcher's last descriptor is closed: exec
  | { readonly kind: 'terminate'; readonly signal: NodeJS.Signals; readonly graceMs: number }
  | { readonly kind: 'kill' }
  | { readonly kind: 'deadline' } // of what `arm` armed
  | { readonly kind: 'exit'; readonly exit: WorkerExit };

export type WorkerEffect =
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'kill' } // everything in its cgroup and its process group
  | { readonly kind: 'arm'; readonly afterMs: number }
  | { readonly kind: 'disarm' }
  | { readonly kind: 'sweep' } // what it left behind
  | { readonly kind: 'end'; readonly exit: WorkerExit; readonly wanted: boolean };

export interface WorkerStep {
  readonly state: WorkerState;
  readonly effects: readonly WorkerEffect[];
}

type EventOf<K extends WorkerEvent['kind']> = Extract<WorkerEvent, { kind: K }>;
/** `stay`: nothing to do; `impossible`: a bug in the caller. */
type Cell<E extends WorkerEvent['kind']> = 'stay' | 'impossible' | ((e: EventOf<E>) => WorkerStep);
type Table = Readonly<
  Record<WorkerState['kind'], { readonly [E in WorkerEvent['kind']]: Cell<E> }>
>;

const kill = (): WorkerStep => ({
  state: { kind: 'killing' },
  effects: [{ kind: 'kill' }, { kind: 'arm', afterMs: LIMITS.workerLostAfterKillMs }],
});

const terminate = (event: EventOf<'terminate'>): WorkerStep => ({
  state: { kind: 'terminating' },
  effects: [
    { kind: 'signal', signal: event.signal },
    { kind: 'arm', afterMs: event.graceMs },
  ],
});

const end =
  (wanted: boolean) =>
  (event: EventOf<'exit'>): WorkerStep => ({
    state: { kind: 'gone' },
    effects: [{ kind: 'disarm' }, { kind: 'sweep' }, { kind: 'end', exit: event.exit, wanted }],
  });

const lose = (): WorkerStep => ({
  state: { kind: 'gone' },
  effects: [{ kind: 'disarm' }, { kind: 'end', exit: { by: 'lost' }, wanted: true }],
});

export const WORKER_TABLE: Table = {
  launching: {
    started: () => ({ state: { kind: 'running' }, effects: [] }),
    terminate: kill, // there is no program yet that could end by itself
    kill,
    deadline: 'impossible', // the deadline of a launch belongs to the launch
    exit: end(false),
  },
  running: {
    started: 'impossible',
    terminate,
    kill,
    deadline: 'impossible', // none is armed
    exit: end(false),
  },
  terminating: {
    started: 'impossible',
    terminate: 'stay', // the grace that runs is the one that counts
    kill,
    deadline: kill,
    exit: end(true),
  },
  killing: {
    started: 'stay', // killed between the last word of the launch and its end of file
    terminate: 'stay',
    kill: 'stay',
    deadline: lose,
    exit: end(true),
  },
  gone: {
    started: 'stay', // the exit may be seen before the end of file
    terminate: 'stay',
    kill: 'stay',
    deadline: 'impossible',
    exit: () => ({ state: { kind: 'gone' }, effects: [{ kind: 'sweep' }] }), // was lost, is now dead
  },
};

/** @throws Error where the table says that the event cannot come: a bug in the caller. */
export function stepWorker(state: WorkerState, event: WorkerEvent): WorkerStep {
  // The compiler cannot correlate the two lookups: the cell belongs to the kind of this very event.
  const cell = WORKER_TABLE[state.kind][event.kind] as Cell<typeof event.kind>;
  if (cell === 'stay') return { state, effects: [] };
  if (cell === 'impossible') throw new Error(`worker ${state.kind}: impossible ${event.kind}`);
  return cell(event);
}
