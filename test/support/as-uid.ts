// Tries things as another uid, in a process of its own, and says how that ended.
import { spawnSync } from 'node:child_process';

const CONNECT = `
socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or die;
print connect($socket, sockaddr_un($ARGV[0])) ? 'connected' : $!{EACCES} ? 'EACCES' : "$!";
`;

/** `connected`, `EACCES`, or what else the system says. */
export const connectAs = (uid: number, path: string): string =>
  as(uid, ['perl', '-MSocket', '-MErrno', '-e', CONNECT, path]);

/** What a shell command prints, errors too. */
export const shellAs = (uid: number, command: string): string =>
  as(uid, ['/bin/sh', '-c', `${command} 2>&1`]);

function as(uid: number, argv: readonly string[]): string {
  const drop = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--inh-caps=-all'];
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
  return spawnSync('setpriv', [...drop, '--', ...argv], { encoding: 'utf8', env }).stdout.trim();
}
