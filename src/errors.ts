// The catalogue of everything that can go wrong: what it ends, what the web server is told, how loud it is.

/** How far the damage of an error reaches. */
export type BlastRadius = 'process' | 'connection' | 'request' | 'worker' | 'application';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug';

export type ErrorFamily =
  'config' | 'startup' | 'protocol' | 'request' | 'overload' | 'worker' | 'privdrop' | 'monitor';

interface ErrorRow {
  readonly family: ErrorFamily;
  readonly ends: BlastRadius;
  /** HTTP status of the answer; 0 where no request is answered. */
  readonly status: number;
  /** X-Usherd-Reason of the answer; '' where no request is answered. */
  readonly reason: string;
  /** Retry-After in seconds; 0 sends none. */
  readonly retryAfterS: number;
  readonly level: LogLevel;
  readonly meaning: string;
  readonly remedy: string;
}

const row = (
  kind: readonly [family: ErrorFamily, ends: BlastRadius],
  answer: readonly [status: number, reason: string, retryAfterS?: number],
  level: LogLevel,
  text: readonly [meaning: string, remedy: string],
): ErrorRow => ({
  family: kind[0],
  ends: kind[1],
  status: answer[0],
  reason: answer[1],
  retryAfterS: answer[2] ?? 0,
  level,
  meaning: text[0],
  remedy: text[1],
});

const NONE = [0, ''] as const;

/** Every error code with its row. `docs/errors.md` is generated from it and a test keeps the two equal. */
export const ERRORS = {
  // --- configuration -------------------------------------------------------------------------
  E_USAGE: row(['config', 'process'], NONE, 'fatal', [
    'the command line has mistakes',
    'see `usherd --help`',
  ]),
  E_LOG_UNREADABLE: row(['config', 'process'], NONE, 'fatal', [
    'the log of the application cannot be read',
    'become root or the owner of the application; `usherd doctor` looks at the directories of logs',
  ]),
  E_CONFIG_UNREADABLE: row(['config', 'process'], NONE, 'fatal', [
    'the configuration file cannot be read',
    'give the right path with --config, or create the file',
  ]),
  E_CONFIG_UNSAFE: row(['config', 'process'], NONE, 'fatal', [
    'somebody other than root could have written the configuration',
    'chown root and chmod go-w the file and its directories',
  ]),
  E_CONFIG_INVALID: row(['config', 'process'], NONE, 'fatal', [
    'the configuration has mistakes',
    'mend the lines named; `usherd check` lists them all',
  ]),

  // --- start-up ------------------------------------------------------------------------------
  E_STARTUP_DESCRIPTOR: row(['startup', 'process'], NONE, 'fatal', [
    'a descriptor was inherited that workers could get hold of',
    'start usherd without extra open files',
  ]),
  E_STARTUP_CAPABILITIES: row(['startup', 'process'], NONE, 'fatal', [
    'the supervisor does not hold exactly the capabilities it needs',
    'start it with `usherd run` or the shipped systemd unit',
  ]),
  E_STARTUP_TOOL: row(['startup', 'process'], NONE, 'fatal', [
    'a program of the launch chain is missing or not safe',
    'install util-linux, and make the program and its directories root-owned and not writable',
  ]),
  E_STARTUP_ACCOUNTS: row(['startup', 'process'], NONE, 'fatal', [
    'the account database has names that would be taken for numbers',
    'rename the accounts whose names are all digits',
  ]),
  E_STARTUP_IDENTITY: row(['startup', 'process'], NONE, 'fatal', [
    'an account or group that usherd needs does not exist',
    'make the account, or name another in the configuration',
  ]),
  E_STARTUP_CANARY: row(['startup', 'process'], NONE, 'fatal', [
    'the privilege drop failed its trial run',
    'read the fields named; usherd does not start anything that it cannot drop',
  ]),
  E_STARTUP_DIRECTORY: row(['startup', 'process'], NONE, 'fatal', [
    'a run-time directory has the wrong owner or mode',
    'remove it and start again, or mend the owner and mode named',
  ]),
  E_STARTUP_SOCKET: row(['startup', 'process'], NONE, 'fatal', [
    'a socket cannot be bound',
    'use a shorter path, or stop the process that listens there',
  ]),

  // --- FastCGI framing: ends the connection --------------------------------------------------
  E_FCGI_VERSION: row(['protocol', 'connection'], NONE, 'warn', [
    'a record has a protocol version other than 1',
    'point only FastCGI web servers at the front socket',
  ]),
  E_FCGI_RECORD_TYPE: row(['protocol', 'connection'], NONE, 'warn', [
    'a record of a type that this side may not send',
    'point only FastCGI web servers at the front socket',
  ]),
  E_FCGI_REQUEST_ID: row(['protocol', 'connection'], NONE, 'warn', [
    'a request id is 0, already open, or not ours',
    'the peer breaks FastCGI 1.0 §3.3; nothing to mend in usherd',
  ]),
  E_FCGI_RECORD_LENGTH: row(['protocol', 'connection'], NONE, 'warn', [
    'a record body has the wrong length for its type',
    'the peer breaks FastCGI 1.0 §5; nothing to mend in usherd',
  ]),
  E_FCGI_STREAM_ORDER: row(['protocol', 'connection'], NONE, 'warn', [
    'a stream record came out of order',
    'the peer breaks FastCGI 1.0 §5; nothing to mend in usherd',
  ]),
  E_FCGI_TOO_MANY_REQUESTS: row(['protocol', 'connection'], NONE, 'warn', [
    'too many requests open on one front connection',
    'lower the multiplexing of the web server',
  ]),

  // --- requests that are refused -------------------------------------------------------------
  E_FCGI_ROLE: row(['request', 'request'], [500, 'unknown-role'], 'warn', [
    'a FastCGI role that the application does not offer',
    'name it in `roles` of the application’s usherd.toml; on an address only Authorizers are asked',
  ]),
  E_PARAMS_MALFORMED: row(['request', 'request'], [400, 'bad-params'], 'warn', [
    'the params cannot be decoded',
    'the web server sent broken name-value pairs',
  ]),
  E_PARAMS_DUPLICATE: row(['request', 'request'], [400, 'duplicate-param'], 'warn', [
    'a param name comes twice',
    'look for a directive that sets it again',
  ]),
  E_PARAMS_TOO_LARGE: row(['request', 'request'], [431, 'params-too-large'], 'warn', [
    'the params are over the limit',
    'shorten cookies and headers: the limit is fixed',
  ]),
  E_HEAD_TIMEOUT: row(['request', 'request'], [408, 'params-timeout'], 'warn', [
    'the web server did not finish the params in time',
    'look at the web server and its load',
  ]),
  E_BODY_TIMEOUT: row(['request', 'request'], [408, 'body-timeout'], 'warn', [
    'the request body stopped coming',
    'the client is gone or very slow',
  ]),
  E_BODY_TOO_LARGE: row(['request', 'request'], [413, 'body-too-large'], 'warn', [
    'the request body is over the limit of the application',
    'raise max_body for the application, or send less',
  ]),
  E_BODY_MISMATCH: row(['request', 'request'], [400, 'body-mismatch'], 'warn', [
    'the request body is shorter than its CONTENT_LENGTH',
    'the client or the web server cut the upload',
  ]),
  E_SPOOL_FULL: row(['overload', 'request'], [503, 'spool-full', 10], 'warn', [
    'there is no room for more waiting request bodies',
    'free space in the state directory, or let uploads stream with `buffer_requests = false` in usherd.toml',
  ]),
  E_APP_UNKNOWN: row(['request', 'request'], [404, 'no-app'], 'info', [
    'there is no such application',
    'create its directory below the configured root',
  ]),
  E_APP_EMPTY: row(['request', 'request'], [404, 'no-runtime'], 'info', [
    'the directory holds nothing that usherd knows how to run',
    'put into it what its language is known by, or a usherd.toml with a command; `usherd explain` lists the names',
  ]),
  E_MANIFEST_INVALID: row(['request', 'application'], [503, 'manifest-invalid', 5], 'warn', [
    'the usherd.toml or the .env of the application has mistakes',
    'mend what the log of the application names; `usherd check APP` lists everything',
  ]),
  E_SCRIPT_MISSING: row(['request', 'request'], [404, 'no-script'], 'info', [
    'the script that the request names is not there, or its user may not read it',
    'check the URL and the file: `usherd explain URL` says which',
  ]),
  E_PATH_REFUSED: row(['request', 'request'], [403, 'refused-path'], 'warn', [
    'the path of the request is not one that usherd accepts',
    'look at SCRIPT_FILENAME as the web server sends it',
  ]),
  E_ACCESS_REFUSED: row(['request', 'request'], [403, 'refused-rule'], 'warn', [
    'a rule about ownership, mode or identity refused the application',
    'mend what the rule names; `usherd explain` shows it',
  ]),
  E_TOKEN_REFUSED: row(['request', 'request'], [403, 'refused-token'], 'error', [
    'the front token is missing or belongs to somebody else',
    'look who has one with `usherd token list`, and whether the web server includes its file',
  ]),

  // --- load ----------------------------------------------------------------------------------
  E_QUEUE_FULL: row(['overload', 'request'], [503, 'queue-full', 2], 'warn', [
    'as many requests wait for this application as may',
    'raise queue_length or max_workers_per_app, or make the application faster',
  ]),
  E_QUEUE_DEADLINE: row(['overload', 'request'], [503, 'queue-timeout', 5], 'warn', [
    'no worker became free in time',
    'raise queue_timeout or max_workers_per_app, or make the application faster',
  ]),
  E_SUSPENDED: row(['overload', 'request'], [503, 'suspended', 60], 'info', [
    'the user or the application is suspended',
    '`usherd resume USER`',
  ]),
  E_SETTINGS_INVALID: row(['overload', 'request'], [503, 'settings-invalid', 60], 'error', [
    'what the administrator says of the user has mistakes',
    'mend what is named, then `usherd reload`; `usherd check` lists everything',
  ]),
  E_CRASH_LOOP: row(['overload', 'request'], [503, 'crash-loop', 2], 'warn', [
    'the application keeps dying and waits before its next start',
    'read its log; a changed file or `usherd reset APP` starts it at once',
  ]),
  E_RUNTIME_MISSING: row(['overload', 'request'], [503, 'runtime-missing', 60], 'error', [
    'what runs this kind of application is not installed, or not wholly',
    'install the package that is named, or mend `runtime` and `command` in its usherd.toml',
  ]),
  E_ISOLATION_FAILED: row(['overload', 'request'], [503, 'isolation-failed', 60], 'error', [
    'the application is to run isolated, and this machine cannot do it',
    'install bubblewrap and allow user namespaces; `usherd doctor` names what is in the way',
  ]),
  E_SPAWN_LIMIT: row(['overload', 'request'], [503, 'spawn-limit', 2], 'warn', [
    'no more workers may be started now',
    'raise max_workers_per_user or max_workers',
  ]),
  E_SUPERVISOR_AWAY: row(['overload', 'request'], [503, 'supervisor-away', 2], 'error', [
    'the supervisor is not there to start a worker',
    'start usherd.service, or read its log',
  ]),
  E_NO_DESCRIPTOR: row(['overload', 'request'], [503, 'no-descriptor', 2], 'error', [
    'the router has no file descriptor left to reach a worker',
    'raise LimitNOFILE= of usherd-router.service (`ulimit -n` where there is no unit)',
  ]),
  E_FRONT_AWAY: row(['overload', 'request'], [503, 'usherd-away', 2], 'error', [
    'nothing listens on the front socket',
    'start usherd, and give the gateway the same socket',
  ]),
  E_SHUTDOWN: row(['overload', 'request'], [503, 'shutting-down', 5], 'info', [
    'usherd is stopping',
    'try again when it is back',
  ]),

  // --- workers -------------------------------------------------------------------------------
  E_WORKER_DIED: row(['worker', 'worker'], [502, 'worker-died'], 'error', [
    'the worker ended before it had answered',
    'read the log of the application',
  ]),
  E_WORKER_PROTOCOL: row(['worker', 'worker'], [502, 'bad-response'], 'error', [
    'the answer of the worker is not valid',
    'read the log of the application',
  ]),
  E_START_FAILED: row(['worker', 'worker'], [503, 'start-failed', 2], 'error', [
    'the worker could not be started',
    'read the log of the application and of usherd',
  ]),
  E_START_TIMEOUT: row(['worker', 'worker'], [504, 'start-timeout'], 'error', [
    'the worker did not take its first request in time',
    'look whether the application listens on the socket that it inherits, or why it starts slowly, or raise start_timeout',
  ]),
  E_FIRST_BYTE_TIMEOUT: row(['worker', 'worker'], [504, 'first-byte-timeout'], 'error', [
    'the worker sent nothing in time',
    'raise first_byte_timeout, or look what the application waits for',
  ]),
  E_SILENCE_TIMEOUT: row(['worker', 'worker'], [504, 'silence-timeout'], 'error', [
    'the worker stopped in the middle of its answer',
    'raise silence_timeout, or look what the application waits for',
  ]),
  E_REQUEST_TIMEOUT: row(['worker', 'worker'], [504, 'request-timeout'], 'error', [
    'the request took too long in all',
    'raise request_timeout, or look what the application does',
  ]),

  // --- privilege drop ------------------------------------------------------------------------
  E_PRIVDROP_VERIFY: row(['privdrop', 'worker'], [503, 'start-failed', 60], 'fatal', [
    'a process was not what the plan said after the privilege drop, and was killed',
    'read the fields named; no code of the user has run',
  ]),
  E_PRIVDROP_REPORT: row(['privdrop', 'worker'], [503, 'start-failed', 2], 'error', [
    'the launcher said something that is not in its dialogue',
    'the user may have interfered with the process; only this user is affected',
  ]),
  E_PRIVDROP_DEADLINE: row(['privdrop', 'worker'], [503, 'start-failed', 2], 'error', [
    'the launch did not finish in time',
    'look for a hanging file system or a user who stops new processes',
  ]),

  // --- supervisor and router -----------------------------------------------------------------
  E_MONITOR_FRAME: row(['monitor', 'connection'], NONE, 'error', [
    'a frame between router and supervisor is broken or too long',
    'use supervisor and router of one version',
  ]),
  E_MONITOR_UNKNOWN: row(['monitor', 'connection'], NONE, 'error', [
    'a message between router and supervisor does not fit the schema',
    'use supervisor and router of one version',
  ]),
  E_MONITOR_VERSION: row(['monitor', 'connection'], NONE, 'error', [
    'router and supervisor are of two versions that do not understand each other',
    'systemctl restart usherd (every application starts anew), after an upgrade or its undoing',
  ]),
  E_MONITOR_UNPERMITTED: row(['monitor', 'connection'], NONE, 'error', [
    'a message came that is not permitted at this point',
    'use supervisor and router of one version',
  ]),
  E_VHOST: row(['config', 'process'], NONE, 'fatal', [
    'the virtual host is not changed',
    'see `usherd vhost list`',
  ]),
  E_CONTROL: row(['monitor', 'connection'], NONE, 'error', [
    'the running usherd cannot be asked, or does not do it',
    'systemctl status usherd; `usherd doctor` looks at all of it; both as root, whose the control socket is',
  ]),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** Whoever is of another version, or on the other side of a socket, may say a code that is none here. */
export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(ERRORS, code);

/** A remedy of the catalogue, which speaks of APP and USER, with the names of an application ('' leaves it as it is). */
export function remedyFor(remedy: string, app: string): string {
  if (app === '') return remedy;
  const user = app.slice(0, app.indexOf('/'));
  return remedy.replace(/\bAPP\b/g, app).replace(/\bUSER\b/g, user);
}

/** The remedy that came with a refusal is nearer to the matter than that of its code. */
export const remedyOf = (
  { code, remedy = '' }: { readonly code: ErrorCode; readonly remedy?: string },
  app: string,
): string => (remedy === '' ? remedyFor(ERRORS[code].remedy, app) : remedy);

/** What a refusal tells a person: which rule, where, what was found, what it should be, what to do. */
export interface Finding {
  readonly rule: string;
  readonly path?: string;
  readonly found: string;
  readonly expected: string;
  readonly remedy: string;
}

/** The one error class: a catalogue code, a detail for the log, and findings where a rule refused. */
export class UsherdError extends Error {
  override readonly name = 'UsherdError';
  readonly code: ErrorCode;
  readonly findings: readonly Finding[];

  constructor(
    code: ErrorCode,
    detail: string,
    options: { readonly cause?: unknown; readonly findings?: readonly Finding[] } = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.findings = options.findings ?? [];
  }
}

export const isUsherdError = (err: unknown): err is UsherdError => err instanceof UsherdError;

/** Exit codes of every command. An init system restarts a service that ended with TEMPORARY, not with PERMANENT. */
export const ExitCode = { OK: 0, FAILED: 1, PERMANENT: 100, TEMPORARY: 111 } as const;
