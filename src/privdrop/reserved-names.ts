// Names of variables that no application sets.

/** The launcher is a shell: these change what it does, or it keeps them for itself and would fail to export them. */
export const SHELLS_OWN: ReadonlySet<string> = new Set([
  ...['IFS', 'ENV', 'PWD', 'OLDPWD', 'SHLVL', '_', 'PPID', 'UID', 'EUID', 'GROUPS'],
  ...['SHELLOPTS', 'BASHOPTS', 'FUNCNAME', 'DIRSTACK', 'OPTIND', 'OPTARG', 'OPTERR', 'LINENO'],
  ...['PS1', 'PS2', 'PS4', 'RANDOM', 'SRANDOM', 'SECONDS', 'EPOCHSECONDS', 'EPOCHREALTIME'],
  ...['HISTCMD', 'HISTSIZE', 'TMOUT', 'CDPATH', 'POSIXLY_CORRECT', 'PROMPT_COMMAND', 'BASH'],
]);
export const SHELLS_OWN_PREFIX = 'BASH_';

/** Said by usherd and by its runtimes only. */
const USHERDS_OWN = ['NOTIFY_SOCKET'];
const USHERDS_OWN_PREFIXES = ['USHERD_', 'FCGI_', 'PHP_FCGI_', 'LISTEN_'] as const;

/** What no application may set, in its manifest or its `.env`. */
export const RESERVED_NAMES: readonly string[] = [...SHELLS_OWN, ...USHERDS_OWN];
export const RESERVED_PREFIXES: readonly string[] = [SHELLS_OWN_PREFIX, ...USHERDS_OWN_PREFIXES];

export const isUsherdsOwn = (name: string): boolean =>
  USHERDS_OWN.includes(name) || USHERDS_OWN_PREFIXES.some((prefix) => name.startsWith(prefix));
