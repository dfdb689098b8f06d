// `usherd apache-config` and `usherd nginx-config`: print what the web server has to be told, once, as it fits this machine.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shown, type Config } from '../config/index.js';
import { ExitCode, UsherdError } from '../errors.js';
import { textOf, type Arguments } from './command.js';
import { APACHE_FILES, NGINX_FILES } from './command-words.js';
import { loadConfiguration } from './configuration.js';
import { complain, print } from './terminal.js';
import { fitApache, fitNginx, type Fitted } from './web-server-config.js';

const SHIPPED = fileURLToPath(new URL('../../../conf.example', import.meta.url));

type Fit = (config: Config, shipped: string) => Fitted;

export const apacheConfig = (args: Arguments): Promise<number> =>
  printFitted('apache', { args, files: APACHE_FILES, fit: fitApache });
export const nginxConfig = (args: Arguments): Promise<number> =>
  printFitted('nginx', { args, files: NGINX_FILES, fit: fitNginx });

interface Wish {
  readonly args: Arguments;
  /** In conf.example/; the first is printed where none is named. */
  readonly files: readonly string[];
  readonly fit: Fit;
}

async function printFitted(server: string, { args, files, fit }: Wish): Promise<number> {
  const file = textOf(args, 'file') ?? files[0] ?? '';
  if (!files.includes(file)) {
    throw new UsherdError('E_USAGE', `${shown(file)} is none of ${files.join(', ')}`);
  }
  const config = await loadConfiguration(textOf(args, 'config'));
  const { text, complaints } = fit(config, readFileSync(join(SHIPPED, server, file), 'utf8'));
  for (const complaint of complaints) complain(complaint);
  if (text !== '') print(text.trimEnd());
  return complaints.length === 0 ? ExitCode.OK : ExitCode.FAILED;
}
