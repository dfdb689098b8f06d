// The settings that a php-cgi is started with: usherd's defaults, the application's, then what keeps users apart, the administrator's last.
//
// They come from -d and so after php.ini. An application's own `.user.ini` and ini_set() still apply, as far as PHP lets
// them: it lets them make open_basedir narrower, and nothing else of what keeps users apart.
import type { Config } from '../config/index.js';
import type { PrivateFolders } from './private-folders.js';

/** What the arguments depend on. */
export interface PhpInput {
  readonly config: Config;
  /** The user's part of the root pattern, such as /srv/alice. */
  readonly userDirectory: string;
  readonly folders: PrivateFolders;
  /** Of the manifest. */
  readonly settings: ReadonlyMap<string, string>;
  readonly isDevelopment: boolean;
  readonly concurrency: number;
}

export interface PhpProgram {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** A php-cgi, of whatever version and name. */
export const PHP_PROGRAM = /\/php[0-9.]*-?(?:cgi)[0-9.-]*$/;

export const isPhp = ([program = '']: readonly string[]): boolean => PHP_PROGRAM.test(program);

/** What the application may change. */
const defaults = ({ isDevelopment, folders }: PhpInput): ReadonlyMap<string, string> =>
  new Map([
    ['display_errors', isDevelopment ? '1' : '0'],
    ['log_errors', '1'],
    ['expose_php', '0'],
    // Debian's php.ini leaves it to a cron job, which knows the directories of php.ini only.
    ['session.gc_probability', '1'],
    ['session.gc_divisor', '1000'],
    ['session.save_path', folders.sessions],
  ]);

/** A slash at the end: without it, PHP before 8 took /srv/alice to allow /srv/alice2. */
const asDirectory = (path: string): string => (path.endsWith('/') ? path : `${path}/`);

/** Nothing at all where the administrator wants none: php.ini may have one. */
function baseDirectories({ config, userDirectory, folders }: PhpInput): [string, string][] {
  const places = config.php.openBasedir.map((path) =>
    path.replace('{user_directory}', asDirectory(userDirectory)),
  );
  if (places.length === 0) return [];
  return [['open_basedir', [...places, asDirectory(folders.private)].join(':')]];
}

/** What the application may not change. */
function separating(input: PhpInput): ReadonlyMap<string, string> {
  const { folders } = input;
  return new Map([
    // Without it `/upload.jpg/x.php` runs upload.jpg: php walks back along the path to a file that exists.
    // The price: in a request with PATH_INFO, PHP_SELF is the PATH_INFO alone (as everywhere with this setting).
    ['cgi.fix_pathinfo', '0'],
    ...baseDirectories(input),
    ['sys_temp_dir', folders.temporary],
    ['upload_tmp_dir', folders.temporary],
    ['opcache.file_cache', folders.opcodes],
    // Empty: to the web server, which is us, and so into the application's log.
    ['error_log', ''],
    ['enable_dl', '0'],
  ]);
}

/** What means the same with quotes and without. Words are not among them: php.ini takes `none` for nothing. */
const PLAIN = /^(?:[0-9]+[KMGkmg]?|\/[A-Za-z0-9/._-]*)?$/;

/** What php.ini takes for itself between double quotes. */
const LITERAL = /^[^"\\$\p{Cc}]*$/u;

/**
 * A value of the application's that is more than a word travels in the environment: php.ini knows ${NAME}, takes what it
 * finds there for text, and nobody else can read it in the list of processes. What the application may not change stands in
 * the argument itself: php looks for ${NAME} in a php.ini first, and PHPRC lets the application bring one of its own.
 */
export function phpProgram(command: readonly string[], input: PhpInput): PhpProgram {
  const fixed = new Map([...separating(input), ...input.config.php.settings]);
  const settings = new Map([...defaults(input), ...input.settings, ...fixed]);
  const environment: Record<string, string> = {
    // One process a socket, unless the administrator wants more: only so do we know who is busy.
    PHP_FCGI_CHILDREN: input.concurrency > 1 ? String(input.concurrency) : '0',
    // php would exit on its own, after 500, and reset the next request; we count instead.
    PHP_FCGI_MAX_REQUESTS: '0',
  };
  const words = [...settings].map(([name, value], index) => {
    if (PLAIN.test(value)) return `-d${name}=${value}`;
    if (fixed.has(name) && LITERAL.test(value)) return `-d${name}="${value}"`;
    const variable = `USHERD_PHP_${index}`;
    environment[variable] = value;
    return `-d${name}=\${${variable}}`;
  });
  return { argv: [...command, ...words], environment };
}
