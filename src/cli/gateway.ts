// `usherd gateway`: the HTTP front as a process of its own.
import { UsherdError } from '../errors.js';
import { Gateway, type Link } from '../gateway/index.js';
import { createLogger } from '../log.js';

export interface GatewayCommand {
  /** usherd's front socket. */
  readonly socket: string;
  /** Pattern of the applications' directories, with `{user}` and `{app}`. */
  readonly root: string;
  readonly port: number;
  readonly host: string;
  /** `PATH TEXT`, one a line of the page at `/`. */
  readonly link: readonly string[];
}

function parseLink(line: string): Link {
  const [, href, text] = /^(\/\S*)\s*(.*)$/.exec(line) ?? [];
  if (href === undefined || text === undefined) {
    throw new UsherdError('E_CONFIG_INVALID', `--link '${line}' does not start with a path`);
  }
  return { href, text };
}

/** Serves until the process is told to stop. */
export async function gateway(command: GatewayCommand): Promise<void> {
  const log = createLogger('info', 'gateway');
  const links = command.link.map(parseLink);
  const server = new Gateway({ socketPath: command.socket, root: command.root, links, log });
  const port = await server.listen(command.port, command.host);
  log.info({ host: command.host, port }, 'gateway listening');
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
  });
  await server.close();
}
