// `usherd ready`: waits until supervisor and router answer. The service manager's readiness and watchdog (docs/decisions).
import { setTimeout as pause } from 'node:timers/promises';
import { parseDuration, shown, type Places } from '../config/lean.js';
import { ExitCode, isUsherdError, UsherdError } from '../errors.js';
import { IPC_PROTOCOL } from '../ipc/lean.js';
import { CONFIG_OPTION, textOf, type Arguments, type Command } from './command.js';
import { askSupervisor, controlSocketIn } from './control-client.js';
import { formatFailure } from './failure.js';
import { askRouter } from './router-probe.js';
import { soundPlacesIn } from './running.js';
import { complain } from './terminal.js';

const RETRY_MS = 50;

/** What each part is asked; rejects while it does not answer. */
const QUESTIONS = {
  supervisor: (places: Places, leftMs: number) =>
    askSupervisor(controlSocketIn(places.run), { command: 'ping' }, leftMs),
  router: (places: Places, leftMs: number) => {
    const [first] = places.fronts;
    if (first === undefined) throw new UsherdError('E_CONTROL', 'no front socket is configured');
    return askRouter(first, leftMs);
  },
  /** After a restart of one they answer before they have found each other, and a request that needs a worker waits. */
  connection: async (places: Places, leftMs: number) => {
    const answer = await askSupervisor(controlSocketIn(places.run), { command: 'ping' }, leftMs);
    if (answer['router'] === false) {
      throw new UsherdError('E_CONTROL', 'the router is not connected to the supervisor');
    }
  },
} as const;
type Part = keyof typeof QUESTIONS;
const NAMED = ['supervisor', 'router'] as const satisfies readonly Part[];

export const ready: Command = {
  usage: 'ready [part]',
  summary: 'wait until supervisor and router (or the one named) answer, and are connected',
  words: { part: NAMED },
  options: {
    ...CONFIG_OPTION,
    timeout: { type: 'string', summary: 'how long to wait, as in 500ms or 2m', default: '30s' },
    socket: { type: 'string', summary: 'ask the router on this front socket, once' },
    pid: { type: 'number', summary: 'give up at once when this process is gone' },
    matching: {
      type: 'boolean',
      summary: 'only a supervisor with which the installed router can speak: after an upgrade',
    },
  },
  async run(args) {
    const parts = partsOf(args);
    const timeoutMs = timeoutOf(args);
    const socket = textOf(args, 'socket');
    if (socket !== undefined) {
      // Without the configuration, which not every account may read.
      await askRouter(socket, timeoutMs);
      return ExitCode.OK;
    }
    const places = await soundPlacesIn(textOf(args, 'config'));
    const pid = typeof args['pid'] === 'number' ? args['pid'] : undefined;
    const giveUpMs = performance.now() + timeoutMs;
    try {
      for (const part of parts) await untilAnswered(part, places, { giveUpMs, pid });
      if (args['matching'] === true) await assertMatching(places);
      return ExitCode.OK;
    } catch (err) {
      if (!isUsherdError(err) || err.code !== 'E_CONTROL') throw err;
      complain(formatFailure(err));
      return ExitCode.TEMPORARY; // and nothing else is: the watchdog kills for it
    }
  },
};

function partsOf(args: Arguments): readonly Part[] {
  const name = textOf(args, 'part');
  if (name === undefined) return [...NAMED, 'connection'];
  if (name === 'supervisor' || name === 'router') return [name];
  throw new UsherdError('E_USAGE', `${shown(name)} is neither supervisor nor router`);
}

function timeoutOf(args: Arguments): number {
  const text = textOf(args, 'timeout') ?? '';
  const timeoutMs = parseDuration(text);
  if (timeoutMs !== undefined) return timeoutMs;
  throw new UsherdError('E_USAGE', `--timeout ${shown(text)} is not a duration such as 30s`);
}

/** @throws UsherdError E_CONTROL if the supervisor that runs is of a version that this program's router does not understand */
async function assertMatching(places: Places): Promise<void> {
  const { protocol } = await askSupervisor(controlSocketIn(places.run), { command: 'ping' });
  if (protocol === IPC_PROTOCOL) return;
  const other = typeof protocol === 'number' ? `version ${protocol}` : 'another version';
  const detail = `the supervisor that runs speaks ${other} of its protocol with the router, the installed router ${IPC_PROTOCOL}: both need a restart`;
  throw new UsherdError('E_CONTROL', detail);
}

interface Patience {
  readonly giveUpMs: number;
  readonly pid: number | undefined;
}

/** @throws UsherdError E_CONTROL with the last answer that was none */
async function untilAnswered(part: Part, places: Places, patience: Patience): Promise<void> {
  for (;;) {
    const leftMs = Math.max(1, patience.giveUpMs - performance.now());
    try {
      await QUESTIONS[part](places, leftMs);
      return;
    } catch (err) {
      if (!isUsherdError(err)) throw err;
      if (isGone(patience.pid)) throw new UsherdError('E_CONTROL', `the ${part} has ended`);
      if (performance.now() >= patience.giveUpMs) throw err;
    }
    await pause(RETRY_MS);
  }
}

function isGone(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (err) {
    // EPERM: it is there, and somebody else's.
    return err instanceof Error && 'code' in err && err.code === 'ESRCH';
  }
}
