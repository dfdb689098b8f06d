// `usherd gateway`: the HTTP front as a process of its own.
import { ExitCode, UsherdError } from '../errors.js';
import { Gateway, type Link } from '../gateway/index.js';
import { createLogger } from '../log.js';
import { textOf, type Arguments } from './command.js';

const PORT_MAX = 65_535;

/** @throws UsherdError E_USAGE */
export function portOf(args: Arguments): number {
  const { port } = args;
  if (typeof port === 'number' && Number.isInteger(port) && port > 0 && port <= PORT_MAX)
    return port;
  throw new UsherdError('E_USAGE', `--port must be a number from 1 to ${PORT_MAX}`);
}

/** `PATH TEXT`, as in `--link '/~alice/apps/blog/ her blog'`. */
function linksOf(args: Arguments): readonly Link[] {
  const lines: readonly unknown[] = Array.isArray(args['link']) ? args['link'] : [];
  return lines.map((line) => {
    const [, href, text] = /^(\/\S*)\s*(.*)$/.exec(String(line)) ?? [];
    if (href !== undefined && text !== undefined) return { href, text };
    throw new UsherdError('E_USAGE', '--link must start with a path');
  });
}

export async function gateway(args: Arguments): Promise<number> {
  const log = createLogger('info', 'gateway');
  const socketPath = textOf(args, 'socket') ?? '';
  const root = textOf(args, 'root') ?? '';
  const server = new Gateway({ socketPath, root, links: linksOf(args), log });
  const port = await server.listen(portOf(args));
  log.info({ port, socketPath }, 'gateway listening');
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
  });
  await server.close();
  return ExitCode.OK;
}
