// What the admin may have the supervisor do: one row a command.
import type { Socket } from 'node:net';
import { UsherdError } from '../errors.js';
import { IPC_PROTOCOL, type ControlRequest } from '../ipc/index.js';
import type { Agreement } from './agreement.js';
import { controlDoor } from './control.js';
import { describeSeen } from './describe-seen.js';
import type { Log } from './log-face.js';
import type { Operations } from './operations.js';
import type { Settings } from './settings.js';
import type { RunningWorker } from './workers.js';
import { isSuspendedByFile } from './suspensions.js';

export interface CommandParts {
  readonly operations: Operations;
  readonly settings: Settings;
  readonly version: string;
  readonly status: () => Promise<object>;
  /** @throws E_CONTROL */
  readonly requests: () => Promise<object>;
  /** @throws E_CONFIG_* */
  readonly reload: () => Promise<Agreement['kind']>;
}

type Of<C extends ControlRequest['command']> = Extract<ControlRequest, { command: C }>;
type Row<C extends ControlRequest['command']> = (
  parts: CommandParts,
  request: Of<C>,
) => object | Promise<object>;

const COMMANDS: { readonly [C in ControlRequest['command']]: Row<C> } = {
  ping: ({ version, operations }) => ({
    version,
    router: operations.link.isConnected,
    protocol: IPC_PROTOCOL,
  }),
  status: ({ status }) => status(),
  requests: ({ requests }) => requests(),
  describe: ({ operations }, { app }) => describeRunning(operations.workers.ofApp(app)),
  restart: ({ operations }, { app }) => {
    const workers = operations.workers.ofApp(app).length;
    operations.restart(app, 'command');
    return { app, workers };
  },
  start: async ({ operations }, { app }) => {
    operations.admission.forgive(app);
    const isThere = operations.workers.ofApp(app).length > 0;
    const tell = (): boolean => operations.link.send({ type: 'start', app });
    if (isThere) return { app, outcome: tell() ? 'runs' : 'no-router' };
    return { app, ...(await operations.starts.next(app, tell)) };
  },
  stop: ({ operations }, { app }) => {
    const workers = operations.workers.ofApp(app);
    for (const worker of workers) operations.terminate(worker);
    return { app, workers: workers.length };
  },
  reset: ({ operations }, { app }) => {
    operations.admission.forgive(app);
    return { app, told: operations.link.send({ type: 'reset', app }) };
  },
  suspend: async ({ operations, settings }, { user }) => {
    operations.suspensions.suspend(user);
    const workers = operations.workers.ofUser(user).length;
    operations.enforceSuspension(user);
    // After it: a directory of accounts that does not answer is no reason to let him go on.
    const { ok: isKnown } = await settings.accounts.lookup(user);
    return {
      user,
      workers,
      isKnown,
      lasts: 'until the supervisor stops; `suspended = true` in the file stays',
    };
  },
  resume: ({ operations, settings }, { user }) => {
    if (isSuspendedByFile(settings.config, user)) {
      throw new UsherdError('E_CONTROL', `${user} is suspended in the configuration`);
    }
    const wasSuspended = operations.suspensions.resume(user);
    operations.link.send({ type: 'resumed', user });
    return { user, wasSuspended };
  },
  reload: async ({ reload }) => ({ router: await reload() }),
};

/** What its workers were started with. */
function describeRunning(workers: readonly RunningWorker[]): object {
  const [worker] = workers;
  return worker === undefined ? { running: false } : { running: true, ...describeSeen(worker) };
}

/** @throws E_CONTROL | E_CONFIG_* */
function runCommand(parts: CommandParts, request: ControlRequest): object | Promise<object> {
  // The compiler cannot correlate the two: the row belongs to this very command.
  const row = COMMANDS[request.command] as Row<typeof request.command>;
  return row(parts, request);
}

/** Takes the connections of the control socket. */
export const commandDoor = (parts: CommandParts, log: Log): ((socket: Socket) => void) =>
  controlDoor({
    answer: (request) => runCommand(parts, request),
    configReadAtMs: () => parts.settings.config.readAtMs,
    log,
  });
