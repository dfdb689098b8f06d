// Settings of PHP (php.ini directives) in a configuration file: which names an application may set, and values as text.
import { z } from 'zod';
import { LIMITS } from '../limits.js';
import { isOneLine } from './names.js';

const NAME = /^[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*$/;
const NAME_MAX_LENGTH = 64;

/**
 * What an application may set. Everything else might lift what the administrator or the package of an extension decided
 * for the machine (disable_functions, ffi.enable, a filter's own switches), so a name that is not known is not allowed.
 */
const OPEN_NAMES: ReadonlySet<string> = new Set([
  ...['memory_limit', 'max_execution_time', 'max_input_time', 'max_input_vars'],
  ...['max_input_nesting_level', 'max_file_uploads', 'upload_max_filesize', 'post_max_size'],
  ...['file_uploads', 'enable_post_data_reading', 'realpath_cache_size', 'realpath_cache_ttl'],
  ...['display_errors', 'display_startup_errors', 'error_reporting', 'log_errors', 'html_errors'],
  ...['error_prepend_string', 'error_append_string', 'docref_root', 'docref_ext', 'xmlrpc_errors'],
  ...['ignore_repeated_errors', 'ignore_repeated_source', 'report_memleaks', 'log_errors_max_len'],
  ...['default_charset', 'default_mimetype', 'input_encoding', 'output_encoding'],
  ...['internal_encoding', 'default_socket_timeout', 'include_path', 'auto_prepend_file'],
  ...['auto_append_file', 'output_buffering', 'output_handler', 'implicit_flush'],
  ...['short_open_tag', 'precision', 'serialize_precision', 'variables_order', 'request_order'],
  ...['register_argc_argv', 'auto_globals_jit', 'auto_detect_line_endings', 'user_agent', 'from'],
  ...['ignore_user_abort', 'sendmail_from', 'arg_separator.output', 'arg_separator.input'],
]);
const OPEN_GROUPS: ReadonlySet<string> = new Set([
  ...['session', 'date', 'mbstring', 'opcache', 'zlib', 'pcre', 'zend', 'assert', 'url_rewriter'],
  ...['mysqli', 'mysqlnd', 'pdo_mysql', 'pgsql', 'intl', 'iconv', 'exif', 'gd', 'soap', 'apc'],
  ...['bcmath', 'tidy', 'imagick', 'redis', 'memcached', 'memcache', 'yaml', 'filter', 'highlight'],
]);
/** Within the open groups: where files of the machine or of usherd are, and who else they belong to. */
const CLOSED_NAMES =
  /^(?:opcache\.(?:file_cache.*|lockfile_path|restrict_api|preload_user|mmap_base|error_log|log_verbosity_level|huge_code_pages)|zend\.multibyte|mysqlnd\.(?:debug|collect.*))$/;

const isOpenToApplications = (name: string): boolean => {
  const [group = '', ...more] = name.split('.');
  const isOpen = OPEN_NAMES.has(name) || (more.length > 0 && OPEN_GROUPS.has(group));
  return isOpen && !CLOSED_NAMES.test(name);
};

const isName = (name: string): boolean => name.length <= NAME_MAX_LENGTH && NAME.test(name);

const textOf = (value: unknown): string | undefined => {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  return typeof value === 'string' && isOneLine(value) ? value : undefined;
};

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** `session.name = …` is a table within the table in TOML, and one name in PHP. */
function* flattened(table: object, prefix: string): Iterable<readonly [string, unknown]> {
  for (const [key, value] of Object.entries(table)) {
    if (isTable(value)) yield* flattened(value, `${prefix}${key}.`);
    else yield [`${prefix}${key}`, value];
  }
}

function problemOf(
  entries: readonly (readonly [string, unknown])[],
  isAllowed: (name: string) => boolean,
): string | undefined {
  if (entries.length > LIMITS.phpSettingsMaxCount) {
    return `at most ${LIMITS.phpSettingsMaxCount} settings`;
  }
  if (!entries.every(([name]) => isName(name))) return 'names of PHP settings';
  const closed = entries.find(([name]) => !isAllowed(name));
  if (closed !== undefined) return `settings that an application may change; ${closed[0]} is none`;
  const isText = entries.every(([, value]) => textOf(value) !== undefined);
  if (!isText) return 'values that are text on one line, numbers, true or false';
  // A constant of PHP would be taken for 0.
  const level = entries.find(([name]) => name === 'error_reporting')?.[1];
  const isNumber = level === undefined || /^-?[0-9]+$/.test(textOf(level) ?? '');
  return isNumber ? undefined : 'error_reporting as a number (32767 is E_ALL)';
}

/** A table of settings. Stops at the first mistake: sixteen KiB hold thousands of them. */
const settings = (isAllowed: (name: string) => boolean): z.ZodType<ReadonlyMap<string, string>> =>
  z.unknown().transform((table, context): ReadonlyMap<string, string> => {
    const entries = isTable(table) ? [...flattened(table, '')] : undefined;
    const message = entries === undefined ? 'a table' : problemOf(entries, isAllowed);
    if (entries !== undefined && message === undefined) {
      return new Map(entries.map(([name, value]) => [name, textOf(value) ?? '']));
    }
    context.addIssue({ code: 'custom', message: message ?? 'a table' });
    return z.NEVER;
  });

/** What an application's own file may set. */
export const applicationPhpSettings = settings(isOpenToApplications);
/** What the administrator sets for everybody. */
export const machinePhpSettings = settings(() => true);
