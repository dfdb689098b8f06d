// `usherd apache-config` and `usherd nginx-config`: print what the web server has to be told, once, as it fits this machine.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shown, type Config } from '../config/index.js';
import { ExitCode, UsherdError } from '../errors.js';
import { CONFIG_OPTION, textOf, type Command } from './command.js';
import { loadConfiguration } from './configuration.js';
import { complain, print } from './terminal.js';
import { fitApache, fitNginx, type Fitted } from './web-server-config.js';

const SHIPPED = fileURLToPath(new URL('../../../conf.example', import.meta.url));

interface WebServer {
  readonly name: 'apache' | 'nginx';
  /** In conf.example/; the first is printed where none is named. */
  readonly files: readonly string[];
  readonly fit: (config: Config, shipped: string) => Fitted;
}

function commandOf({ name, files, fit }: WebServer): Command {
  return {
    usage: `${name}-config [file]`,
    summary: `print what ${name === 'apache' ? 'Apache' : 'nginx'} has to be told, once: one of ${files.join(', ')}`,
    words: { file: files },
    options: CONFIG_OPTION,
    async run(args) {
      const file = textOf(args, 'file') ?? files[0] ?? '';
      if (!files.includes(file)) {
        throw new UsherdError('E_USAGE', `${shown(file)} is none of ${files.join(', ')}`);
      }
      const config = await loadConfiguration(textOf(args, 'config'));
      const { text, complaints } = fit(config, readFileSync(join(SHIPPED, name, file), 'utf8'));
      for (const complaint of complaints) complain(complaint);
      if (text !== '') print(text.trimEnd());
      return complaints.length === 0 ? ExitCode.OK : ExitCode.FAILED;
    },
  };
}

const APACHE: WebServer = {
  name: 'apache',
  files: ['usherd.conf', 'usherd-vhosts.conf', 'usherd-status.conf', 'usherd-authorizer.conf'],
  fit: fitApache,
};
const NGINX: WebServer = {
  name: 'nginx',
  files: [
    ...['usherd.conf', 'usherd-locations.conf', 'usherd-users.conf', 'usherd-vhosts.conf'],
    ...['usherd-site.conf', 'usherd-mount.conf', 'usherd-app.conf', 'usherd-params.conf'],
    'usherd-status.conf',
  ],
  fit: fitNginx,
};

export const WEB_SERVER_COMMANDS: readonly Command[] = [commandOf(APACHE), commandOf(NGINX)];
