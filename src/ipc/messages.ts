// Everything that router and supervisor may say to each other: one schema a message, unknown keys refused (security.md R-C1, R-C2).
import { z } from 'zod';
import { LIMITS } from '../limits.js';

/** `user/app`; the first part is an account name, the second a directory name. */
export const APP_ID = /^[a-z_][a-z0-9_-]{0,31}\/[a-z0-9][a-z0-9._-]{0,63}$/;
export const USER_NAME = /^[a-z_][a-z0-9_-]{0,31}$/;
export const APP_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const RUNTIME_NAME = /^[a-z][a-z0-9_-]{0,31}$/;

const appId = z.string().regex(APP_ID);
const workerId = z.string().regex(/^[0-9a-f]{16}$/);
const runtimeName = z.string().regex(RUNTIME_NAME);
const count = z.int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const ticket = z.int().nonnegative().max(0xffff_ffff);
const protocol = z.int().positive().max(0xffff);
const rule = z.string().max(LIMITS.ipcRuleMaxChars);
const line = z.string().max(LIMITS.ipcLineMaxChars);
const detail = z.string().max(LIMITS.ipcDetailMaxChars);
/** SHA-256 of the texts of a configuration. */
const configDigest = z.string().regex(/^[0-9a-f]{64}$/);
const errorCode = z.string().regex(/^E_[A-Z_]{1,60}$/);

const RETIRE_REASONS = [
  'idle',
  'max-requests',
  'memory',
  'reload',
  'shutdown',
  'deadline',
  'protocol',
  'surplus',
] as const;

// --- router to supervisor ----------------------------------------------------------------------

const hello = z.strictObject({ type: z.literal('hello'), protocol });

/** Start one worker. `runtime` '' means "what the application's markers say". */
const need = z.strictObject({
  type: z.literal('need'),
  ticket,
  app: appId,
  runtime: z.union([runtimeName, z.literal('')]),
});

/** Stop one worker that has no request any more, or (`deadline`, `protocol`) whose request is given up. */
const retire = z.strictObject({
  type: z.literal('retire'),
  worker: workerId,
  reason: z.enum(RETIRE_REASONS),
});

/** Ask whether the files that select and configure an application changed; answered by `restart` (`changed`) or not at all. */
const check = z.strictObject({ type: z.literal('check'), app: appId });

/** What do the workers use, and how is the supervisor? Answered at most once in LIMITS.usageAnswerMs. */
const usage = z.strictObject({ type: z.literal('usage'), serial: count });

/** One row of an answer to `report`. Repeated; the last is `reportEnd`. */
const reportApp = z.strictObject({
  type: z.literal('reportApp'),
  serial: count,
  app: appId,
  /** '' while it is not known. */
  runtime: z.union([runtimeName, z.literal('')]),
  state: z.enum(['idle', 'starting', 'running', 'backoff', 'suspended']),
  queue: count,
  served: count,
  refused: count,
});
const reportWorker = z.strictObject({
  type: z.literal('reportWorker'),
  serial: count,
  worker: workerId,
  state: z.enum(['starting', 'ready', 'draining', 'stopping', 'exited']),
  requestsServed: count,
  inFlight: count,
  /** `METHOD /path`, at most 200 characters, '' when idle. */
  currentRequest: line,
});
/** Something that went wrong lately; the same trouble of the same application is one row with a count. */
const reportFailure = z.strictObject({
  type: z.literal('reportFailure'),
  serial: count,
  /** '' where no application was found. */
  app: z.union([appId, z.literal('')]),
  code: errorCode,
  rule,
  detail,
  /** '' for that of the code. */
  remedy: detail,
  /** The last one's name, as in the logs. */
  request: z.string().max(128),
  ageMs: count,
  times: count,
});
/** A request that is not answered yet. */
const reportRequest = z.strictObject({
  type: z.literal('reportRequest'),
  serial: count,
  app: z.union([appId, z.literal('')]),
  request: z.string().max(128),
  state: z.enum(['params', 'reading', 'waiting', 'streaming', 'aborting']),
  /** '' while no worker has it. */
  worker: z.union([workerId, z.literal('')]),
  ageMs: count,
  /** `METHOD /path`. */
  line,
});
const reportRouter = z.strictObject({
  type: z.literal('reportRouter'),
  serial: count,
  frontConnections: count,
  requestsActive: count,
  requestsWaiting: count,
  requestsTotal: count,
  bufferedBytes: count,
  spooledBytes: count,
});
const reportEnd = z.strictObject({ type: z.literal('reportEnd'), serial: count });

/** What became of a `reload`: `detail` is '' if that configuration is in force now, else says why the old one stays. */
const reloaded = z.strictObject({
  type: z.literal('reloaded'),
  digest: configDigest,
  detail,
});

export const routerMessage = z.discriminatedUnion('type', [
  hello,
  need,
  retire,
  check,
  usage,
  reloaded,
  reportApp,
  reportWorker,
  reportFailure,
  reportRequest,
  reportRouter,
  reportEnd,
]);
export type RouterMessage = z.infer<typeof routerMessage>;

// --- supervisor to router ----------------------------------------------------------------------

const appLimits = z.strictObject({
  maxWorkersPerApp: count,
  minWorkers: count,
  queueLength: count,
  queueTimeoutMs: count,
  idleTimeoutMs: count,
  startTimeoutMs: count,
  firstByteTimeoutMs: count,
  silenceTimeoutMs: count,
  requestTimeoutMs: count,
  stopTimeoutMs: count,
  maxRequests: count,
  recycleMemoryBytes: count,
  maxBodyBytes: count,
  memoryMaxBytes: count,
  memoryHighBytes: count,
  pidsMax: count,
  slowRequestMs: count,
});

const limitOrigin = z.enum(['default', 'usherd.toml', 'users', 'manifest']);
/** From which layer of the configuration a limit comes, for the log line of whoever was refused because of it. */
const limitOrigins = z.strictObject({
  maxWorkersPerApp: limitOrigin,
  maxWorkersPerUser: limitOrigin,
  queueLength: limitOrigin,
  queueTimeoutMs: limitOrigin,
  startTimeoutMs: limitOrigin,
  firstByteTimeoutMs: limitOrigin,
  silenceTimeoutMs: limitOrigin,
  requestTimeoutMs: limitOrigin,
});

/** What the launcher saw and the supervisor made of it. */
const facts = z.strictObject({
  type: z.literal('facts'),
  app: appId,
  /** The runtime for URLs that name no script. '' if the application has none. */
  defaultRuntime: z.union([runtimeName, z.literal('')]),
  /** Below the application directory; '' or 'public'. */
  webRoot: z.enum(['', 'public']),
  /** Path below the web root that takes URLs without a script; '' if there is none. */
  frontController: z.string().max(255),
  mode: z.enum(['production', 'development']),
  bufferRequests: z.boolean(),
  /** What it may be asked for. */
  roles: z
    .array(z.enum(['responder', 'authorizer', 'filter']))
    .max(3)
    .readonly(),
  accessLog: z.enum(['off', 'on', 'combined']),
  maxWorkersPerUser: count,
  limits: appLimits,
  origins: limitOrigins,
});
export type AppFacts = z.infer<typeof facts>;

/** The worker runs the tenant's program (or is about to: its socket already takes connections). */
const spawned = z.strictObject({
  type: z.literal('spawned'),
  ticket,
  app: appId,
  runtime: runtimeName,
  worker: workerId,
  pid: count,
  protocol: z.enum(['fastcgi', 'http', 'scgi']),
  /** Path of a socket that takes the requests instead of the worker's own; '' if there is none. */
  connect: z.string().max(107),
  /** Whose that socket has to be. */
  uid: count,
  concurrency: count,
  maxRequests: count,
  /** Milliseconds from `need` to here, for the metrics. */
  startMs: count,
});

/** No worker for this `need`. `code` is one of the catalogue, which has what the web server is told. */
const refused = z.strictObject({
  type: z.literal('refused'),
  ticket,
  app: appId,
  runtime: z.union([runtimeName, z.literal('')]),
  code: errorCode,
  /** Name of the rule that refused, '' if none did. */
  rule,
  detail,
  /** What to do about what the rule found; '' for what the catalogue says of the code. */
  remedy: detail,
  retryAfterMs: count,
});

const exited = z.strictObject({
  type: z.literal('exited'),
  worker: workerId,
  app: appId,
  runtime: runtimeName,
  /** `launch`: the tenant's program was never reached, so no request can have been read. */
  phase: z.enum(['launch', 'run']),
  /** `memory`: killed because its application had more than it may. */
  by: z.enum(['code', 'signal', 'memory', 'lost']),
  exitCode: count,
  signal: z.string().max(16),
  /** The supervisor had been asked to stop it. */
  wanted: z.boolean(),
});

/** A living worker, told to a router that has just connected. */
const living = z.strictObject({
  type: z.literal('living'),
  app: appId,
  runtime: runtimeName,
  worker: workerId,
  pid: count,
  protocol: z.enum(['fastcgi', 'http', 'scgi']),
  /** Path of a socket that takes the requests instead of the worker's own; '' if there is none. */
  connect: z.string().max(107),
  /** Whose that socket has to be. */
  uid: count,
  concurrency: count,
  maxRequests: count,
});

/** The supervisor speaks this one, and not that of the `hello`; nothing comes after it. */
const foreign = z.strictObject({ type: z.literal('foreign'), protocol });

const welcome = z.strictObject({
  type: z.literal('welcome'),
  version: z.string().max(40),
  /** Of the configuration that is in force. */
  digest: configDigest,
});
/** After the last `living`. */
const settled = z.strictObject({ type: z.literal('settled') });

/**
 * This worker gets no more requests. `memory`: it holds more than its application allows, and ends after its request.
 * `shutdown`: it is being terminated, and may not see that while the router keeps a connection to it.
 */
const leaving = z.strictObject({
  type: z.literal('leaving'),
  worker: workerId,
  reason: z.enum(['memory', 'shutdown']),
});

/** Drain every worker of this application (or user, with app ''), start new ones on demand. */
const restart = z.strictObject({
  type: z.literal('restart'),
  app: z.union([appId, z.literal('')]),
  user: z.union([z.string().regex(USER_NAME), z.literal('')]),
  reason: z.enum(['changed', 'command', 'identity', 'suspended', 'config']),
  /** Refuse new requests until `resumed`. */
  hold: z.boolean(),
});
const resumed = z.strictObject({ type: z.literal('resumed'), user: z.string().regex(USER_NAME) });
/** Whatever this application (all, with '') was refused or crashed for: the next request tries again. */
const reset = z.strictObject({
  type: z.literal('reset'),
  app: z.union([appId, z.literal('')]),
});
/** Have a worker although no request asks for one. */
const start = z.strictObject({ type: z.literal('start'), app: appId });
/** Read the configuration; if it is this one take it over, and answer `reloaded`. The supervisor does so after that. */
const reload = z.strictObject({ type: z.literal('reload'), digest: configDigest });
const report = z.strictObject({
  type: z.literal('report'),
  serial: count,
  about: z.enum(['status', 'requests']),
});
/** One row of an answer to `usage`. Repeated; the last is `machine`. */
const workerUsage = z.strictObject({
  type: z.literal('workerUsage'),
  serial: count,
  worker: workerId,
  rssBytes: count,
  /** Of one processor. */
  cpuPermille: count,
  ageMs: count,
});
const machine = z.strictObject({
  type: z.literal('machine'),
  serial: count,
  uptimeMs: count,
  mode: z.enum(['root', 'self']),
  hasCgroups: z.boolean(),
  maxWorkers: count,
  workers: count,
  launching: count,
  waiting: count,
  suspended: count,
  crashed: count,
  lost: count,
  privilegeDropAlarms: count,
});
export type MachineFigures = Omit<z.infer<typeof machine>, 'type' | 'serial'>;

/** Where root's link for this host leads; '' if there is none any more. Those not told before `settled` are gone. */
const vhost = z.strictObject({
  type: z.literal('vhost'),
  host: z.string().regex(/^[a-z0-9._-]{1,253}$/),
  directory: z.string().max(1_024),
});

export const supervisorMessage = z.discriminatedUnion('type', [
  foreign,
  welcome,
  living,
  settled,
  facts,
  spawned,
  refused,
  exited,
  leaving,
  restart,
  resumed,
  reset,
  start,
  reload,
  report,
  workerUsage,
  machine,
  vhost,
]);
export type SupervisorMessage = z.infer<typeof supervisorMessage>;
