// Addresses that only this machine can reach, at ports that only root can take.
import net from 'node:net';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** ip_unprivileged_port_start as the kernel has it, unless somebody changed it (ip(7)). */
const UNPRIVILEGED_PORT_START = 1_024;

const ADDRESS = /^(?:\[([0-9a-f:]{3,39})\]|([0-9.]{7,15})):([1-9][0-9]{0,4})$/;

/** 127.0.0.0/8 and ::1, also as an IPv6 socket says an IPv4 address. */
export function isLoopback(host: string): boolean {
  const plain = host.replace(/^::ffff:/, '');
  return host === '::1' || (net.isIPv4(plain) && plain.startsWith('127.'));
}

/** `127.0.0.1:601`, `[::1]:601`; names would depend on who answers for them. */
export function parseLoopbackAddress(text: string): Address | undefined {
  const [, ipv6, ipv4, digits] = ADDRESS.exec(text) ?? [];
  const host = ipv6 ?? ipv4;
  const port = Number(digits);
  if (host === undefined || !isLoopback(host) || port >= UNPRIVILEGED_PORT_START) return undefined;
  return { host, port };
}
