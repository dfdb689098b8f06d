// `usherd status`: what runs, as a table for people or as JSON for programs.
import { ExitCode } from '../errors.js';
import { CONFIG_OPTION, textOf, type Command } from './command.js';
import { loadConfiguration } from './configuration.js';
import { askSupervisor, controlSocketOf } from './control-client.js';
import { formatStatus } from './status-table.js';
import { print } from './terminal.js';

export const status: Command = {
  usage: 'status',
  summary: 'show applications, workers, queues and memory',
  options: { ...CONFIG_OPTION, json: { type: 'boolean', summary: 'print JSON for programs' } },
  async run(args) {
    const config = await loadConfiguration(textOf(args, 'config'));
    const answer = await askSupervisor(controlSocketOf(config), { command: 'status' });
    // JSON.stringify escapes control characters; nothing else in it is a terminal's business.
    print(args['json'] === true ? JSON.stringify(answer, undefined, 2) : formatStatus(answer));
    return ExitCode.OK;
  },
};
