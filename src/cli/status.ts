// `usherd status`: what is wrong and what runs, as a table for people or as JSON for programs.
import type { Config } from '../config/index.js';
import { ExitCode, isUsherdError } from '../errors.js';
import { CONFIG_OPTION, textOf, type Command } from './command.js';
import { loadConfiguration } from './configuration.js';
import { askSupervisor, controlSocketOf } from './control-client.js';
import { formatFailure } from './failure.js';
import { filterStatus, whoseOf, type Whose } from './status-filter.js';
import { formatStatus } from './status-table.js';
import { bold, print, repaint } from './terminal.js';

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
    const config = await loadConfiguration(textOf(args, 'config'));
    const show = args['json'] === true ? asJson : asText;
    if (args['watch'] === true) return watch(() => show(config, whose));
    print(await show(config, whose));
    return ExitCode.OK;
  },
};

async function ask(config: Config, whose: Whose): Promise<ReturnType<typeof filterStatus>> {
  const answer = await askSupervisor(controlSocketOf(config), { command: 'status' });
  return filterStatus(answer, whose);
}

/** JSON.stringify escapes control characters; nothing else in it is a terminal's business. */
const asJson = async (config: Config, whose: Whose): Promise<string> =>
  JSON.stringify(await ask(config, whose), undefined, 2);

const asText = async (config: Config, whose: Whose): Promise<string> =>
  formatStatus(await ask(config, whose), { withWorkers: whose?.includes('/') === true, bold });

/** Until Ctrl-C. A supervisor that is away for a while is waited for: that is when one watches. */
async function watch(show: () => Promise<string>): Promise<number> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  while (!stop.signal.aborted) {
    repaint(await show().catch(textOfFailure));
    await pause(WATCH_INTERVAL_MS, stop.signal);
  }
  return ExitCode.OK;
}

function textOfFailure(err: unknown): string {
  if (isUsherdError(err)) return formatFailure(err);
  throw err;
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
