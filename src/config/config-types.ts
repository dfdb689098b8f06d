// What a loaded configuration looks like to the rest of the program: plain, complete, readonly, units in the names.
import type { Finding } from '../errors.js';

/** Limits of one application, after all layers. A manifest may only lower them. */
export interface AppLimits {
  readonly maxWorkersPerApp: number;
  readonly minWorkers: number;
  readonly queueLength: number;
  readonly queueTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly startTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly silenceTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly stopTimeoutMs: number;
  /** 0: no limit. */
  readonly maxRequests: number;
  /** 0: no limit. */
  readonly recycleMemoryBytes: number;
  /** 0: no limit. */
  readonly maxBodyBytes: number;
  /** 0: no limit. */
  readonly memoryMaxBytes: number;
  /** Above it the kernel slows the application down and takes memory back; 0: nowhere. */
  readonly memoryHighBytes: number;
  readonly pidsMax: number;
  /** Requests that take longer have a line in the slow log. */
  readonly slowRequestMs: number;
}

/** Limits that belong to a user, not to an application. */
export interface UserLimits extends AppLimits {
  readonly maxWorkersPerUser: number;
  /** Share of the processors and of the disk when there is not enough for all users (cgroup v2, 1 to 10000). */
  readonly cpuWeight: number;
  readonly ioWeight: number;
}

/** Which layer a limit comes from. */
export type LimitOrigin = 'default' | 'usherd.toml' | 'users' | 'manifest';
/** What is missing is a default. */
export type LimitOrigins = Readonly<Partial<Record<keyof UserLimits, LimitOrigin>>>;

/** `on`: combined with durations and the request id. */
export type AccessLog = 'off' | 'on' | 'combined';

/** `strict`: behind walls of its own, made with namespaces. */
export type Isolation = 'none' | 'strict';

export type WorkerProtocol = 'fastcgi' | 'http' | 'scgi';

/** A file without which a program runs, and ends at once: a module, a plugin. */
export interface RuntimeNeed {
  /** For people: `Perl module FCGI`. */
  readonly what: string;
  /** Patterns as the shell has them, of which one is enough; `~/` is the user's home, relative ones are the application's. */
  readonly paths: readonly string[];
  readonly remedy: string;
}

/** A command for applications that have the file. What it needs is its own. */
export interface RuntimeVariant {
  readonly file: string;
  readonly command: readonly string[];
  readonly needs?: readonly RuntimeNeed[];
  /** Default: that of the runtime. */
  readonly debianPackage?: string;
}

/**
 * After which requests a connection to a FastCGI worker is kept for the next: a program that does not read its body to the
 * end may take the rest for the next request (libfcgi, FCGI.pm).
 */
export type ConnectionReuse = 'always' | 'after-bodiless' | 'never';

/** How one runtime starts; data only. Built-in rows are in src/runtimes/, the admin may add and override. */
export interface RuntimeConfig {
  readonly name: string;
  /** Paths of its program in every version: a runtime of the administrator's with one of them is as this one in what it does not say. */
  readonly programs?: RegExp;
  /** `script`: runs the file that the request names; `entry`: one program for every request. */
  readonly kind: 'script' | 'entry';
  readonly protocol: WorkerProtocol;
  /** argv; argv[0] is absolute, or starts with `./` and is then relative to the application. */
  readonly command: readonly string[];
  /** Other commands, each where its file is there; the first wins. */
  readonly variants?: readonly RuntimeVariant[];
  /** With the dot; only for `script`. */
  readonly extensions: readonly string[];
  /** File names in the application directory whose presence selects this runtime; only for `entry`. */
  readonly markers: readonly string[];
  /** Its markers are files that sites of scripts have, too: an index script is the stronger sign. */
  readonly yieldsToScripts?: boolean;
  readonly environment: Readonly<Record<string, string>>;
  /** Requests that one worker takes at once. */
  readonly concurrency: number;
  /** Replaces the limit of the layers below where they leave it at its default; 0: no limit. */
  readonly maxRequests: number;
  readonly stopSignal: 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGUSR1' | 'SIGHUP';
  /** Debian package to name when argv[0] is missing. */
  readonly debianPackage: string;
  /** Of `command`, beside its program. */
  readonly needs?: readonly RuntimeNeed[];
  /** What its program is told with every request, besides what the request says. */
  readonly params?: Readonly<Record<string, string>>;
  /** Default: never. */
  readonly keepConnections?: ConnectionReuse;
  /** The body by which a script runtime says that the script is not there; '' if it has none. */
  readonly missingScriptBody: string;
}

/** What metrics tell apart. */
export type MetricsDetail = 'app' | 'user' | 'total';

export interface FrontSocket {
  readonly path: string;
  readonly group: string;
  /** Requests of other users are refused on this socket. */
  readonly user?: string;
}

/**
 * A TCP address where Apache's mod_authnz_fcgi, which knows no other kind, asks one application whether it may go on. Any
 * account of the machine can connect there, so nothing that a request says decides which application that is.
 */
export interface AuthorizerSocket {
  /** A loopback address. */
  readonly host: string;
  readonly port: number;
  /** `user/app`. */
  readonly application: string;
}

/** What a web server may ask an application for (FastCGI 1.0 §6). */
export type RoleName = 'responder' | 'authorizer' | 'filter';

/** What the admin says about one user in `[users.NAME]` or `users.d/NAME.toml`. */
export interface UserConfig {
  readonly name: string;
  /** Only where the account is not in the passwd database; both or none. */
  readonly account?: { readonly uid: number; readonly gid: number; readonly home: string };
  readonly suspended: boolean;
  readonly limits: UserLimits;
  readonly limitOrigins: LimitOrigins;
  readonly noNewPrivileges: boolean;
  readonly umask: number;
  readonly isolation: Isolation;
}

export interface Config {
  /** Where it was read from; '' for built-in defaults. */
  readonly file: string;
  /** SHA-256 of the texts of all its files: who has the same one has read the same. */
  readonly digest: string;
  /** When the first of them was opened, by the clock of file times. */
  readonly readAtMs: number;
  readonly paths: { readonly run: string; readonly log: string; readonly state: string };
  readonly front: {
    readonly sockets: readonly FrontSocket[];
    readonly authorizers: readonly AuthorizerSocket[];
    readonly authentication: 'none' | 'token';
    readonly connectionsMax: number;
    /** The web server gets a copy of what workers say on STDERR. */
    readonly copyStderr: boolean;
  };
  readonly apps: {
    /** Of applications whose manifest does not say. Absent: production. */
    readonly mode?: 'production' | 'development';
    readonly roots: readonly string[];
    /** The directory of links from hosts to applications; '' if there is none. */
    readonly vhosts: string;
    /** Started without being asked for. */
    readonly prestart: readonly string[];
  };
  readonly identity: {
    readonly routerUser: string;
    readonly minUid: number;
    readonly maxUid: number;
    readonly supplementaryGroups: 'account' | 'none';
    readonly noNewPrivileges: boolean;
    /** Of applications whose user and manifest say nothing else. */
    readonly umask: number;
    readonly denyGroups: readonly string[];
  };
  readonly isolation: {
    /** Of applications whose manifest does not ask for more. */
    readonly mode: Isolation;
    /** What isolated applications see beside the system. */
    readonly visible: readonly string[];
    readonly home: boolean;
  };
  readonly metrics: {
    /** '' for none. */
    readonly socket: string;
    /** `address:port` of this machine itself; '' for none. */
    readonly listen: string;
    readonly detail: MetricsDetail;
  };
  /** 0 in the file means "from memory"; here it is already a number. */
  readonly maxWorkers: number;
  readonly defaults: UserLimits;
  readonly defaultOrigins: LimitOrigins;
  readonly runtimes: ReadonlyMap<string, RuntimeConfig>;
  readonly users: ReadonlyMap<string, UserConfig>;
  /** Users of whom something is said that is wrong: they get no worker, and `users` may lack what is said of them. */
  readonly brokenUsers: ReadonlyMap<string, readonly Finding[]>;
  readonly php: {
    /** Where PHP may open files; `{user_directory}` stands for the user's part of the root. Empty: everywhere. */
    readonly openBasedir: readonly string[];
    /** Set for every application, whatever it says itself. */
    readonly settings: ReadonlyMap<string, string>;
  };
  /** One directory a user, with his temporary files, sessions and caches. */
  readonly usersDirectory: string;
  /** What nobody has read or written for so long is removed from there; 0: never. */
  readonly privateDirectories: { readonly temporaryAgeMs: number; readonly sessionAgeMs: number };
  readonly log: {
    readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
    /** Of applications that say nothing else. */
    readonly access: AccessLog;
  };
}

/** What an application's own `usherd.toml` may say, parsed and clamped; absent keys were not given. */
export interface Manifest {
  readonly runtime?: string;
  readonly command?: readonly string[];
  /** Path of the socket of a program that usherd does not start; `command` is what holds its place then. */
  readonly connect?: string;
  readonly protocol?: WorkerProtocol;
  readonly environment: ReadonlyMap<string, string>;
  /** Settings of PHP that it may change. */
  readonly php: ReadonlyMap<string, string>;
  readonly limits: Partial<AppLimits>;
  readonly mode?: 'production' | 'development';
  readonly isolation?: Isolation;
  readonly umask?: number;
  readonly concurrency?: number;
  readonly bufferRequests?: boolean;
  readonly roles?: readonly RoleName[];
  readonly accessLog?: AccessLog;
  /** Path below the web root of the script that takes URLs with no script in them; '' turns it off. */
  readonly frontController?: string;
}
