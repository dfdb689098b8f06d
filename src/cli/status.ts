// `usherd status`: what is wrong and what runs, as a table for people or as JSON for programs.
import { setTimeout as pause } from 'node:timers/promises';
import { ExitCode, isUsherdError } from '../errors.js';
import { IPC_PROTOCOL, isListenedOn } from '../ipc/lean.js';
import { CONFIG_OPTION, textOf, type Command } from './command.js';
import { tablesIn } from './answer-fields.js';
import { formatFailure } from './failure.js';
import { filterStatus, whoseOf, type Whose } from './status-filter.js';
import { findRunning, type Running } from './running.js';
import { formatStatus } from './status-table.js';
import { bold, print, repaint } from './terminal.js';
import { readVersion } from './version.js';

const WATCH_INTERVAL_MS = 2_000;

export const status: Command = {
  usage: 'status [whose]',
  summary: 'show what is wrong, and applications, workers, queues and memory',
  options: {
    ...CONFIG_OPTION,
    json: { type: 'boolean', summary: 'print JSON for programs' },
    watch: { type: 'boolean', summary: 'show it again every two seconds' },
  },
  async run(args) {
    const whose = whoseOf(textOf(args, 'whose'));
    const running = await findRunning(textOf(args, 'config'));
    const show = args['json'] === true ? asJson : asText;
    const text = (): Promise<string> => show(running, whose);
    if (args['watch'] === true) await watch(text, WATCH_INTERVAL_MS, untilInterrupted());
    else print(await text());
    return ExitCode.OK;
  },
};

async function ask(running: Running, whose: Whose): Promise<ReturnType<typeof filterStatus>> {
  return filterStatus(await running.ask({ command: 'status' }), whose);
}

/** JSON.stringify escapes control characters; nothing else in it is a terminal's business. */
const asJson = async (running: Running, whose: Whose): Promise<string> =>
  JSON.stringify(await ask(running, whose), undefined, 2);

async function asText(running: Running, whose: Whose): Promise<string> {
  const [status, deadFronts] = await Promise.all([ask(running, whose), deadOf(running.fronts)]);
  const installed = { version: readVersion(), protocol: IPC_PROTOCOL };
  const withWorkers = whose?.includes('/') === true;
  const text = formatStatus(status, { withWorkers, bold, installed, deadFronts });
  const isUnknown =
    whose !== undefined && ['apps', 'failures'].every((key) => isEmpty(status[key]));
  return isUnknown ? `${text}\n\n${unknown(whose)}` : text;
}

/** Those on which certainly nobody listens. */
async function deadOf(fronts: readonly string[]): Promise<readonly string[]> {
  const verdicts = await Promise.all(fronts.map(isListenedOn));
  return fronts.filter((_, at) => verdicts[at] === false);
}

const isEmpty = (rows: unknown): boolean => tablesIn(rows).length === 0;

/** Neither "nothing wrong" nor an empty table says so. */
const unknown = (whose: string): string =>
  whose.includes('/')
    ? `no worker of ${whose} runs, and no request has asked for it lately; \`usherd check ${whose}\` says whether it could run`
    : `no worker of ${whose} runs, and no request has asked for an application of his lately`;

/** Aborted at Ctrl-C. */
function untilInterrupted(): AbortSignal {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  return stop.signal;
}

/** A supervisor that is away for a while is waited for: that is when one watches. */
export async function watch(
  show: () => Promise<string>,
  intervalMs: number,
  end: AbortSignal,
): Promise<void> {
  while (!end.aborted) {
    repaint(await show().catch(textOfFailure));
    await pause(intervalMs, undefined, { signal: end }).catch(() => undefined);
  }
}

function textOfFailure(err: unknown): string {
  if (isUsherdError(err)) return formatFailure(err);
  throw err;
}
