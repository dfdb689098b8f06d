// A TCP address for Apache's mod_authnz_fcgi, which knows no Unix sockets: of this machine, and nobody else's.
import type net from 'node:net';
import type { AuthorizerSocket } from '../config/index.js';
import { UsherdError } from '../errors.js';

const LOOPBACK = /^(?:::1|(?:::ffff:)?127(?:\.[0-9]{1,3}){3})$/;

const shown = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** With net.ipv4.conf.*.route_localnet the neighbours on a network can reach loopback addresses. */
export const isFromThisMachine = ({
  remoteAddress = '',
}: {
  readonly remoteAddress?: string | undefined;
}): boolean => LOOPBACK.test(remoteAddress);

/** @throws UsherdError E_STARTUP_SOCKET for one that is not the configured one: a wider one would be a way in from outside. */
export function assertAddress(server: net.Server, wanted: AuthorizerSocket): void {
  const found = server.address();
  const isTcp = typeof found === 'object' && found !== null;
  if (isTcp && found.address === wanted.host && found.port === wanted.port) return;
  const what = isTcp ? shown({ host: found.address, port: found.port }) : 'no TCP socket';
  throw new UsherdError(
    'E_STARTUP_SOCKET',
    `the socket for the authorizer ${wanted.application} is ${what} and not ${shown(wanted)}: ` +
      'look at the order of ListenStream= in usherd.socket',
  );
}

/** @throws UsherdError E_STARTUP_SOCKET */
export function cannotBind(address: AuthorizerSocket, cause: unknown): UsherdError {
  const isDenied = cause instanceof Error && 'code' in cause && cause.code === 'EACCES';
  const hint = isDenied
    ? ': only root can take this port; systemd does it for the router (ListenStream= in usherd.socket)'
    : `: ${String(cause)}`;
  return new UsherdError('E_STARTUP_SOCKET', `cannot bind ${shown(address)}${hint}`, { cause });
}
