// Every bound of the program that no configuration changes: queues, buffers, maps, timers. Units are in the names.

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

export const LIMITS = {
  // the administrator's configuration
  configFileMaxBytes: 1 * MIB,
  configUserFilesMaxCount: 20_000,
  configFindingsMaxCount: 200, // per file; a person reads no more at once
  manifestFindingsMaxCount: 10,

  // FastCGI (FastCGI 1.0 §3.3)
  recordHeaderBytes: 8,
  recordContentMaxBytes: 65_535,
  recordPaddingMaxBytes: 255,

  // params of one request (security.md R-F4, R-F5)
  paramsTotalMaxBytes: 64 * KIB,
  paramsPairMaxCount: 256,
  paramNameMaxBytes: 256,
  paramValueMaxBytes: 16 * KIB, // the longest pair that Apache sends at all

  // front side
  frontConnectionsMaxCount: 8_192,
  frontRequestsPerConnectionMaxCount: 1_024,
  frontWriteQueueMaxBytes: 256 * KIB, // above it the workers of that connection are paused
  frontParamsDeadlineMs: 10_000,
  frontBodyIdleDeadlineMs: 60_000,
  frontDrainMaxBytes: 4 * MIB, // body still read after an early answer, per request
  getValuesMaxBytes: 4 * KIB,

  // request bodies
  bodyMemoryMaxBytes: 64 * KIB,
  bodyMemoryTotalMaxBytes: 32 * MIB,
  spoolPerUserMaxBytes: 4 * GIB,
  spoolTotalMaxBytes: 64 * GIB,
  spoolFilesMaxCount: 4_096,

  // answers
  responseHeadMaxBytes: 32 * KIB,
  responseHeadLineMaxBytes: 8_190, // the longest that Apache takes (wire.md §1.3)
  responseHeadLinesMaxCount: 100,
  responseBufferMaxBytes: 1 * MIB,
  responseBufferTotalMaxBytes: 64 * MIB,

  // applications known to the router
  appsMaxCount: 20_000,
  negativeAppsMaxCount: 10_000,
  negativeAppTtlMs: 2_000,
  factsTtlMs: 2_000, // of an application without workers: a changed manifest is seen after this
  retryMaxCount: 1,

  // router <-> supervisor (security.md R-C1)
  ipcFrameMaxBytes: 4_096,
  ipcWriteQueueMaxBytes: 4 * MIB,
  ipcReconnectMinMs: 50,
  ipcReconnectMaxMs: 2_000,
  ipcHelloDeadlineMs: 2_000, // a connection that says nothing must not keep the router out
  ipcLogBurstCount: 10, // lines about broken or surplus connections
  ipcLogPerS: 1,
  factsToldMaxCount: 4_096, // applications whose facts need not be repeated on this connection

  // control socket
  controlRequestMaxBytes: 4 * KIB,
  controlConnectionsMaxCount: 16,
  controlDeadlineMs: 5_000,
  reportDeadlineMs: 1_000,

  // launch (security.md §3)
  launchDeadlineMs: 5_000,
  launcherReportMaxBytes: 32 * KIB,
  manifestMaxBytes: 16 * KIB,
  environmentMaxCount: 256,
  environmentMaxBytes: 96 * KIB,
  argvMaxCount: 64,
  launchesInFlightPerCpu: 2,
  launchQueueMaxCount: 1_024, // waiting for a place among those in flight, all users together
  launchBucketsMaxCount: 20_000,
  workersReservedDivisor: 8, // this part of max_workers is kept for users who have no worker
  refusalsRememberedMaxCount: 10_000,
  quarantineMs: 60_000, // of an application whose privilege drop was not what the plan said
  launchTokensPerAppMaxCount: 16, // burst; refilled below
  launchTokensPerAppPerS: 1,
  launchTokensPerUserMaxCount: 64,
  launchTokensPerUserPerS: 4,
  launchTokensTotalMaxCount: 1_024,
  launchTokensTotalPerS: 128,
  accountCacheMaxCount: 20_000,
  accountCacheTtlMs: 60_000,
  accountLookupDeadlineMs: 2_000,
  accountLookupsInFlightMaxCount: 4,
  accountLookupsWaitingMaxCount: 256,
  accountLookupOutputMaxBytes: 1 * MIB, // a group line lists its members
  accountNegativeTtlMs: 2_000,
  accountFileMaxBytes: 16 * MIB, // /etc/passwd, /etc/group, /etc/shadow

  // logs of workers
  logLineMaxBytes: 8 * KIB,
  logBytesPerS: 1 * MIB, // per application; above it lines are dropped and counted
  logBurstBytes: 4 * MIB,
  logFileMaxBytes: 10 * MIB,
  logFilesKeptCount: 3,
  logFilesOpenMaxCount: 256,
  logLabelMaxBytes: 512,
  logLabelDeadlineMs: 2_000,

  // worker processes (security.md R-K4)
  workerFilesMaxCount: 1_024, // libfcgi overflows above it (CVE-2012-6687)
  workerGivenUpGraceMs: 5_000, // between TERM and KILL when its request was given up
  workerLostAfterKillMs: 10_000,

  // supervisor
  supervisorStopMaxMs: 30_000, // for all workers together, then KILL
  identityCheckIntervalMs: 60_000,
  changeCheckIntervalMs: 1_000, // per application
  changeChecksInFlightMaxCount: 3, // one less than libuv has threads: a hung file system must not take them all
  livingCheckDeadlineMs: 1_000, // whether somebody answers on a socket that is about to be replaced
  cgroupRemoveMaxMs: 2_000,
  cgroupRemoveRetryMs: 10,
  usageMaxAgeMs: 1_000,
  usageHistoryMs: 10_000,

  socketPathMaxBytes: 107, // unix(7)
} as const;
