// Where the running supervisor is asked: files with mistakes are no reason not to, since it goes on with what it has read.
import { existsSync } from 'node:fs';
import { isUsherdError } from '../errors.js';
import { loadConfiguration, pathsDespiteMistakes } from './configuration.js';
import { controlSocketIn, controlSocketOf } from './control-client.js';
import { complain } from './terminal.js';

export interface RunningSockets {
  readonly control: string;
  /** None where the files have mistakes. */
  readonly fronts: readonly string[];
}

export const runningSocket = async (file: string | undefined): Promise<string> =>
  (await runningSockets(file)).control;

/** @throws UsherdError E_CONFIG_* where the files do not say it, or where somebody else could have written them */
export async function runningSockets(file: string | undefined): Promise<RunningSockets> {
  try {
    const config = await loadConfiguration(file);
    return {
      control: controlSocketOf(config),
      fronts: config.front.sockets.map(({ path }) => path),
    };
  } catch (err) {
    if (!isUsherdError(err) || err.code !== 'E_CONFIG_INVALID') throw err;
    const socket = controlSocketIn((await pathsDespiteMistakes(file)).run);
    if (!existsSync(socket)) throw err;
    complain('usherd: the configuration has mistakes (`usherd check`); what runs has the old one');
    return { control: socket, fronts: [] };
  }
}
