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

  // params of one request (security.md R-F4, R-F5)
  paramsTotalMaxBytes: 60 * KIB, // with what usherd adds it fits the 65,535 bytes that uWSGI has for it, four a pair
  paramsPairMaxCount: 256,
  paramNameMaxBytes: 256,
  paramValueMaxBytes: 16 * KIB, // the longest pair that Apache sends at all

  // front side
  frontBacklogCount: 4_096, // Linux caps it at net.core.somaxconn; a full accept queue blocks Apache's threads without a timeout
  frontConnectionsMaxCount: 8_192,
  frontConnectionsReservedDivisor: 8, // one front socket may not take this part of all connections
  frontDescriptorsShare: 0.4, // of the router's descriptors: a request has one to its worker and perhaps a spool file, too
  frontRequestsPerConnectionMaxCount: 1_024,
  authorizerConnectionsMaxCount: 256, // of one address, where every account of the machine can connect
  frontParamsDeadlineMs: 10_000,
  frontBodyIdleDeadlineMs: 60_000,
  frontLingerMs: 30_000, // body still read after an early answer, so that the web server takes the answer
  getValuesMaxBytes: 4 * KIB,

  // front tokens (security.md R-F2)
  frontTokenCheckMs: 1_000, // between two looks at the digests of one user
  frontTokenUsersMaxCount: 8_192, // whose digests are kept in memory, those who have none among them
  frontTokenFileMaxBytes: 1 * KIB,

  // status page
  historyIntervalMs: 10_000,
  historySamplesCount: 360, // an hour of them
  statusKeptMs: 1_000, // a page that was made is shown to others for so long
  statusDeadlineMs: 10_000,
  statusRowsMaxCount: 500, // of each table
  statusWorkersMaxCount: 64, // of one application
  statusBodyMaxBytes: 1 * KIB, // of a request for it, which needs none

  // metrics
  metricsConnectionsMaxCount: 16,
  metricsScrapesMaxCount: 4, // at once
  metricsHeadDeadlineMs: 5_000, // of the head of one scrape
  metricsDeadlineMs: 30_000, // of one scrape, and for a reader that stops reading

  // HTTP gateway
  gatewayConnectionsMaxCount: 512,
  gatewayRequestsMaxCount: 128,

  // request bodies
  bodyMemoryMaxBytes: 64 * KIB,
  bodyMemoryTotalMaxBytes: 32 * MIB,
  bodyMemoryPerUserMaxBytes: 8 * MIB,
  spoolPerUserMaxBytes: 4 * GIB,
  spoolTotalMaxBytes: 64 * GIB,
  spoolFilesMaxCount: 4_096,
  spoolFilesPerUserMaxCount: 1_024, // of bodies
  spoolBlockBytes: 64 * KIB, // of one write to disk, and of one read from it, where many bodies are on their way
  spoolLargeBlockBytes: 256 * KIB, // the same, where few are
  spoolSpareBlocksMaxCount: 16, // of each size, kept for the next write or read, of whatever body
  spoolFlushMs: 10, // for a block that does not become full
  spoolPendingMaxBytes: 1 * MIB, // of one body on its way to disk; the producer is paused before
  spoolPendingTotalMaxBytes: 64 * MIB, // on the way to disk and, in large blocks, back
  spoolLargeBlocksShare: 0.25, // of that
  bodyReadMaxBytes: 4 * 65_535, // to a worker in one write: whole FastCGI records
  readGarbageMaxBytes: 4 * MIB, // read and passed on, until V8 is asked to give it back

  // answers
  responseHeadMaxBytes: 32 * KIB,
  responseHeadLineMaxBytes: 8_189, // Apache makes an empty 500 of 8,190
  responseHeadLinesMaxCount: 99, // HAProxy takes no more beside the Status
  errorCopyMaxBytes: 4 * KIB, // of one request's STDERR, where the web server is told, too
  responseBufferMaxBytes: 1 * MIB,
  responseBufferTotalMaxBytes: 64 * MIB,
  responseBufferShortMaxBytes: 64 * KIB, // per connection, once the total is reached
  frontWriteMaxBytes: 256 * KIB, // given to a front socket at once; what is not written then waits in the router
  frontJoinMaxBytes: 16 * KIB, // what is less is copied into one piece: a block, or one more element of writev(2), is dearer
  frontBlockBytes: 64 * KIB,
  frontSpareBlocksMaxCount: 32, // kept for the next answer, whose ever
  workerReadBytes: 64 * KIB, // at once
  answerSpillAfterMs: 50, // a worker held up for so long by one client: the rest of the answer goes to disk
  answerSpillRetryMs: 1_000, // where there was no room for one more
  answerSpillMaxBytes: 256 * MIB, // of one answer; then the worker is held up again
  answerSpillPendingMaxBytes: 512 * KIB, // on its way to disk
  answerSpillAheadBytes: 128 * KIB, // read back before the web server has taken what it has
  answerSpillsPerUserMaxCount: 256,
  answerSpillShare: 0.5, // of spool files, disk and blocks, so that bodies find room

  // error pages
  errorPageLinesMaxCount: 20, // also kept per application from its log
  errorPageLineMaxChars: 400,

  // virtual hosts by links
  vhostsMaxBytes: 2 * MIB, // names and targets; the router is told all of them
  vhostTargetMaxBytes: 1 * KIB,
  vhostsCheckIntervalMs: 1_000,

  // what `usherd status` and `usherd requests` are told
  failuresRememberedMaxCount: 200, // one for each application and kind of trouble
  failuresPerUserMaxCount: 20, // so that one user's troubles do not drive out the others'
  failureMaxAgeMs: 3_600_000,
  requestsReportedMaxCount: 1_000, // the oldest first

  // applications known to the router
  appsMaxCount: 20_000,
  negativeAppTtlMs: 2_000,
  prestartRetryMs: 10_000,
  changeCheckMs: 1_000, // between two times that the router asks for a look at the files of a running application
  retryMaxCount: 1,
  unreadRetryMaxCount: 3, // the same, where the worker died before it had read all of the request
  undeliveredRetryMaxCount: 16, // workers that were found dead on the way, killed all at once
  deadlineLookMs: 5, // between two looks at the deadlines of all requests
  acceptReadMaxMs: 50, // of one reading of the kernel's list of sockets, in which nothing else is done
  acceptReadBytes: 64 * KIB,

  // pools: who gets the next worker
  backoffMinMs: 1_000,
  backoffMaxMs: 60_000,
  backoffJitterShare: 0.2, // of the delay, up and down
  maxRequestsSpreadShare: 0.1, // of max_requests, by which a worker goes earlier: those that came together go one by one
  workerHealthyAfterMs: 10_000, // of life, or the first answer
  poolForgetMs: 60_000, // a pool without workers and requests leaves memory after this
  appGoneAfterMs: 5_000, // one whose directory is not there for so long was removed, and not replaced
  poolRefusalHoldMs: 1_000, // no new start after the supervisor refused one, so that a fix is seen soon
  poolLimitHoldMinMs: 100, // the same where only a limit refused
  poolLimitHoldMaxMs: 5_000,
  coldQuestionsPerS: 200, // by all users whose applications wait for a limit, beyond one each at first
  poolYieldAfterMs: 2_000, // a pool without any worker waits this long before others give up theirs
  poolRenewWindowMs: 2_000, // an application used within this time is renewed at once when it changed
  poolReserveDivisor: 8, // one slot in so many is kept for users without a worker
  supervisorAwayGraceMs: 5_000, // cold requests wait so long for the supervisor: a crash and a restart by systemd take 3 s

  // lines about failed requests, of one application and one kind
  failureLogBurstCount: 5,
  failureLogPerS: 0.2,
  failureLogKindsMaxCount: 4_096,

  // end of the router
  shutdownDrainMs: 30_000,
  shutdownIdleMs: 1_000, // kept connections are served so long, then closed if nothing comes
  shutdownPollMs: 20,

  // router <-> supervisor (security.md R-C1)
  ipcFrameMaxBytes: 4_096,
  ipcWriteQueueMaxBytes: 4 * MIB,
  ipcRuleMaxChars: 60, // name of a rule
  ipcLineMaxChars: 200, // first line of a request
  ipcDetailMaxChars: 400, // words about a failure, and its remedy; two of them fit a frame
  ipcReconnectMinMs: 50,
  ipcReconnectMaxMs: 250, // one connect(2): a supervisor that comes back is not left waiting
  ipcHelloDeadlineMs: 2_000, // a connection that says nothing must not keep the router out
  ipcLogBurstCount: 10, // lines about broken or surplus connections
  ipcLogPerS: 1,
  factsToldMaxCount: 4_096, // applications whose facts need not be repeated on this connection

  // control socket
  controlRequestMaxBytes: 4 * KIB,
  controlConnectionsMaxCount: 16,
  controlDeadlineMs: 5_000,
  reportDeadlineMs: 1_000,
  reloadDeadlineMs: 3_000, // for the router; less than controlDeadlineMs, so that who asked for a reload hears of it
  startNewsMs: 3_000, // for what becomes of a start; less than controlDeadlineMs for the same reason

  // run-as
  runAsLastWordsMs: 1_000, // of the command's output, after its end

  // what the router is told of workers' memory and time, for metrics and the status page
  usageAnswerMs: 500, // between two answers
  usageKeptMs: 1_000, // an answer is good for so long
  usageDeadlineMs: 2_000,

  // launch (security.md §3)
  toolHelpDeadlineMs: 5_000, // of `setpriv --help` and its like, which say what a tool can do
  launchDeadlineMs: 5_000,
  launcherReportMaxBytes: 32 * KIB,
  manifestMaxBytes: 16 * KIB,
  environmentFileMaxBytes: 16 * KIB, // an application's .env
  environmentMaxCount: 256,
  environmentMaxBytes: 96 * KIB,
  argvMaxCount: 96,
  wallsMaxCount: 320, // words for bubblewrap
  isolationVisibleMaxCount: 32, // of [isolation]
  phpSettingsMaxCount: 32, // of one file: the administrator's and the application's fit into argv together
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
  launchProbesPerUserMaxCount: 64, // launches for names that never led to an application
  launchProbesPerUserPerS: 4,
  launchReturnsPerUserMaxCount: 64, // tokens given back because a worker had served and was replaced in good order
  launchReturnsPerUserPerS: 16,
  launchProbesTotalMaxCount: 512, // of all users: half of what follows is for applications that are there
  launchProbesTotalPerS: 64,
  launchTokensTotalMaxCount: 1_024,
  launchTokensTotalPerS: 128,
  accountCacheMaxCount: 20_000,
  accountCacheTtlMs: 60_000,
  accountLookupDeadlineMs: 2_000,
  accountLookupsInFlightMaxCount: 4,
  accountLookupsWaitingMaxCount: 256,
  strangerLookupsInFlightMaxCount: 2, // names that are in no list that we have, beside the others
  strangerLookupsWaitingMaxCount: 64,
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
  logConnectionsMaxCount: 8_192,
  logNotesBurstCount: 50, // lines of usherd's own about one application
  logNotesPerS: 1,
  logPauseMs: 50, // before an application over its rate is read again
  logAppsMaxCount: 1_024, // with their last lines and rate; the longest silent goes first
  logPendingMaxBytes: 1 * MIB, // of one file on its way to disk
  logPendingPerUserMaxBytes: 4 * MIB,
  logPendingTotalMaxBytes: 16 * MIB,
  logRetryMs: 10_000, // before a file that cannot be written is tried again
  logWarningIntervalMs: 3_600_000, // between two warnings about files that cannot be written

  // worker processes (security.md R-K4)
  // More than a manifest's `concurrency` may be: who leaves is still in it, and a connect(2) that fails looks like a dead worker.
  workerBacklogMaxCount: 4_096, // Linux takes net.core.somaxconn where that is less
  workerFilesMaxCount: 1_024, // libfcgi overflows above it (CVE-2012-6687)
  workerGivenUpGraceMs: 5_000, // between TERM and KILL when its request was given up
  workerOthersEndMs: 20_000, // for its other requests before that: less than queue_timeout, so that who waits is still served
  workerLostAfterKillMs: 10_000,

  // cleaning of private directories
  cleanerFirstAfterMs: 3_600_000, // from a user's first worker, so that a start has the disk for itself
  cleanerIntervalMs: 86_400_000, // of one user
  cleanerDeadlineMs: 300_000, // what is left is left to the next day
  cleanerUsersMaxCount: 20_000,
  cleanerAnswerMaxBytes: 8 * KIB,

  // supervisor
  supervisorStopMaxMs: 30_000, // for all workers together, then KILL
  identityCheckIntervalMs: 60_000,
  changeCheckIntervalMs: 1_000, // between two looks of the supervisor at one application, however often it is asked
  changeWatchMaxCount: 20_000, // applications
  changeStepsMaxCount: 64, // components of the files that a command names, together
  changeLookDeadlineMs: 1_000, // of one look; one that takes longer hangs with its file system
  changeHungPauseMs: 30_000, // before the next look at anything of a user whose look has come back that late
  supervisorThreadsCount: 32, // of libuv; one for each user whose look hangs, and one that is never used for that
  livingCheckDeadlineMs: 1_000, // whether somebody answers on a socket that is about to be replaced
  remnantsEndMaxMs: 2_000, // without cgroups: what bears the mark of a worker that has ended
  remnantsRetryMs: 10,
  cgroupRemoveMaxMs: 2_000,
  cgroupRemoveRetryMs: 10,
  memoryCheckIntervalMs: 5_000, // of workers that have a recycle_memory
  usageMaxAgeMs: 1_000,
  usageReadsPerTurnCount: 32, // of processes, about 30 µs each

  umaskAlways: 0o022, // of workers: groups are shared, so nobody but the owner may ever write what they make

  socketPathMaxBytes: 107, // unix(7)
} as const;
