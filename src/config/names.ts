// The names that tenants and administrators may choose: users, applications, runtimes, environment variables.

/** Account names, as useradd(8) makes them. Equal to ipc's USER_NAME; a test compares the two. */
export const USER_NAME = /^[a-z_][a-z0-9_-]{0,31}$/;
/** `user/app`. Equal to ipc's APP_ID; a test compares the two. */
export const APP_ID = /^[a-z_][a-z0-9_-]{0,31}\/[a-z0-9][a-z0-9._-]{0,63}$/;
export const RUNTIME_NAME = /^[a-z][a-z0-9_-]{0,31}$/;
/** groupadd(8) is laxer than useradd(8): capital letters are found in the wild. */
export const GROUP_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,31}$/;
/** A file name that the launcher is asked to look for: one component, nothing a shell could misread. */
export const MARKER_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;
export const SCRIPT_EXTENSION = /^\.[a-z0-9]{1,16}$/;

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,255}$/;

/**
 * Names that nobody may set for a worker: the launcher is a shell, and these change what it does or are its own; the
 * last one is usherd's word to the worker. Equal to privdrop's, which refuses them at each start; a test compares the two.
 */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  ...['IFS', 'ENV', 'PWD', 'OLDPWD', 'SHLVL', '_', 'PPID', 'UID', 'EUID', 'GROUPS'],
  ...['SHELLOPTS', 'BASHOPTS', 'FUNCNAME', 'DIRSTACK', 'OPTIND', 'OPTARG', 'OPTERR', 'LINENO'],
  ...['PS1', 'PS2', 'PS4', 'RANDOM', 'SRANDOM', 'SECONDS', 'EPOCHSECONDS', 'EPOCHREALTIME'],
  ...['HISTCMD', 'HISTSIZE', 'TMOUT', 'CDPATH', 'POSIXLY_CORRECT', 'PROMPT_COMMAND', 'BASH'],
  'NOTIFY_SOCKET',
]);
export const RESERVED_PREFIXES = ['BASH_', 'USHERD_', 'FCGI_', 'PHP_FCGI_', 'LISTEN_'] as const;

/**
 * Whether a manifest or a runtime may set this variable. Loader names such as LD_LIBRARY_PATH are fine: only the
 * launcher exports them, after the drop.
 */
export function isSettableVariable(name: string): boolean {
  return (
    ENVIRONMENT_NAME.test(name) &&
    !RESERVED_NAMES.has(name) &&
    !RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix))
  );
}

/** Lone halves of a surrogate pair: not text, and changed into something else when written as UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** One line of text: the launcher's dialogue is made of lines, and execve(2) ends strings at NUL. */
export function isOneLine(value: string): boolean {
  return (
    !value.includes('\n') &&
    !value.includes('\r') &&
    !value.includes('\0') &&
    !LONE_SURROGATE.test(value)
  );
}

const ABSOLUTE_PATH = /^(\/(?!\.{1,2}(\/|$))[^/]+)+$/;

/** The one way to write a path: no "//", ".", ".." or slash at its end. */
export const isPlainPath = (text: string): boolean => isOneLine(text) && ABSOLUTE_PATH.test(text);

/** Of a virtual host: what may stand in a Host header without its port, in small letters. */
export const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?)*$/;
