// `usherd check`: everything that is wrong with the configuration, or with one application, at once.
import { ExitCode, isUsherdError } from '../errors.js';
import { textOf, type Arguments } from './command.js';
import { loadConfiguration } from './configuration.js';
import { formatFailure } from './failure.js';
import { complain, print } from './terminal.js';

export async function check(args: Arguments): Promise<number> {
  const file = textOf(args, 'config');
  try {
    const config = await loadConfiguration(file);
    const app = textOf(args, 'app');
    if (app !== undefined) {
      const { checkApplication } = await import('./check-application.js');
      print(await checkApplication(config, app));
      return ExitCode.OK;
    }
    const source = config.file === '' ? 'no file, all defaults' : config.file;
    print(`the configuration is fine (${source}; ${config.users.size} users with settings)`);
    return ExitCode.OK;
  } catch (err) {
    if (!isUsherdError(err)) throw err;
    complain(formatFailure(err));
    return ExitCode.FAILED;
  }
}
