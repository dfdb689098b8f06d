// docs/migration.md answers for every directive of the peers, and says the same as `usherd import`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FCGID_RULES, FPM_RULES } from '../../src/migration/index.js';

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../../docs/migration.md'), 'utf8');

/** Rows of the tables below a heading: what stands between backquotes on the left, and the text on the right. */
function rowsBelow(heading: string): ReadonlyMap<string, string> {
  const part = DOCUMENT.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  const cells = part.split('\n').map((line) => line.split(' | ').map((cell) => cell.trim()));
  return new Map(
    cells.flatMap(([left = '', right = '']) =>
      left.startsWith('|')
        ? [...left.matchAll(/`([^`]+)`/g)].map(([, name = '']) => [name, right] as const)
        : [],
    ),
  );
}

const PEERS: Readonly<Record<string, string>> = {
  'From mod_fcgid': `FcgidAccessChecker FcgidAccessCheckerAuthoritative FcgidAuthenticator
    FcgidAuthenticatorAuthoritative FcgidAuthorizer FcgidAuthorizerAuthoritative FcgidBusyScanInterval FcgidBusyTimeout
    FcgidCmdOptions FcgidConnectTimeout FcgidErrorScanInterval FcgidFixPathinfo FcgidIdleScanInterval FcgidIdleTimeout
    FcgidInitialEnv FcgidIOTimeout FcgidIPCDir FcgidMaxProcesses FcgidMaxProcessesPerClass FcgidMaxRequestInMem
    FcgidMaxRequestLen FcgidMaxRequestsPerProcess FcgidMinProcessesPerClass FcgidOutputBufferSize FcgidPassHeader
    FcgidProcessLifeTime FcgidProcessTableFile FcgidSpawnScore FcgidSpawnScoreUpLimit FcgidTerminationScore FcgidTimeScore
    FcgidWin32PreventOrphans FcgidWrapper FcgidZombieScanInterval SuexecUserGroup`,
  'From PHP-FPM': `prefix user group listen listen.backlog listen.acl_users listen.acl_groups listen.owner listen.group
    listen.mode listen.allowed_clients listen.setfib process.priority process.dumpable pm pm.max_children pm.start_servers
    pm.min_spare_servers pm.max_spare_servers pm.max_spawn_rate pm.process_idle_timeout pm.max_requests pm.status_path
    pm.status_listen ping.path ping.response access.log access.format access.suppress_path slowlog request_slowlog_timeout
    request_slowlog_trace_depth request_terminate_timeout request_terminate_timeout_track_finished rlimit_files rlimit_core
    chroot chdir catch_workers_output decorate_workers_output clear_env security.limit_extensions apparmor_hat env php_value
    php_flag php_admin_value php_admin_flag pid error_log syslog.ident syslog.facility log_buffering log_level log_limit
    emergency_restart_threshold emergency_restart_interval process_control_timeout process.max daemonize events.mechanism
    systemd_interval include`,
  'From Passenger': `MaxPoolSize MinInstances MaxInstancesPerApp MaxInstances PoolIdleTime MaxPreloaderIdleTime SpawnMethod
    StartTimeout MaxRequests MaxRequestTime MaxRequestQueueSize MaxRequestQueueTime MemoryLimit ConcurrencyModel ThreadCount
    ForceMaxConcurrentRequestsPerProcess RollingRestarts ResistDeploymentErrors Debugger FlyWith RestartDir StatThrottleRate
    PreStart User Group UserSwitching DefaultUser DefaultGroup LveMinUid AppRoot AppGroupName AppType StartupFile
    AppStartCommand AppEnv BaseURI Ruby Python Nodejs LoadShellEnvvars PreloadBundler DirectInstanceRequestAddress SpawnDir
    DataBufferDir InstanceRegistryDir SocketBacklog BufferUpload BufferResponse ResponseBufferHighWatermark StickySessions
    StickySessionsCookieName StickySessionsCookieAttributes FriendlyErrorPages CustomErrorPage ErrorOverride MonitorLogFile
    LogFile LogLevel AppLogFile AdminPanelUrl passenger_env_var passenger_app_file_descriptor_ulimit
    passenger_core_file_descriptor_ulimit passenger_abort_websockets_on_process_shutdown
    passenger_request_queue_overflow_status_code passenger_spawn_exception_status_code passenger_read_timeout`,
  'From the uWSGI': `emperor emperor-proxy-socket emperor-wrapper emperor-wrapper-override emperor-wrapper-fallback
    emperor-nofollow emperor-procname emperor-freq emperor-required-heartbeat emperor-curse-tolerance emperor-pidfile
    emperor-tyrant emperor-tyrant-nofollow emperor-tyrant-initgroups emperor-stats emperor-stats-server
    emperor-trigger-socket emperor-command-socket emperor-wait-for-command emperor-wait-for-command-ignore early-emperor
    emperor-broodlord emperor-throttle emperor-max-throttle emperor-magic-exec emperor-on-demand-extension
    emperor-on-demand-directory emperor-on-demand-exec emperor-extra-extension emperor-no-blacklist emperor-use-clone
    emperor-use-fork-server vassal-fork-base emperor-subreaper emperor-graceful-shutdown emperor-cap vassals-cap
    emperor-collect-attribute emperor-fork-server-attr emperor-wrapper-attr emperor-chdir-attr imperial-monitor-list
    vassals-inherit vassals-inherit-before vassals-include vassals-include-before vassals-start-hook vassals-stop-hook
    vassals-set vassal-sos vassal-sos-backlog heartbeat processes threads cheap cheaper idle die-on-idle harakiri
    max-requests max-requests-delta min-worker-lifetime max-worker-lifetime max-worker-lifetime-delta reload-on-as
    reload-on-rss reload-on-uss reload-on-pss reload-on-fd reload-on-exception evil-reload-on-as evil-reload-on-rss
    worker-reload-mercy reload-mercy forkbomb-delay limit-as limit-nproc listen listen-queue-alarm touch-reload
    touch-workers-reload touch-chain-reload fs-reload stats stats-push master-fifo worker-exec attach-daemon cgroup unshare
    setns chroot uid gid add-gid no-initgroups cap`,
};

for (const [heading, names] of Object.entries(PEERS)) {
  test(`${heading}: every directive has its row`, () => {
    const rows = rowsBelow(heading);
    const missing = names.split(/\s+/).filter((name) => (rows.get(name) ?? '') === '');
    assert.deepEqual(missing, []);
  });
}

test('the tables name the keys that `usherd import` writes', () => {
  const say = (heading: string, rules: typeof FPM_RULES): void => {
    const rows = rowsBelow(heading);
    for (const [name, { key }] of rules) {
      assert.ok(rows.get(name)?.includes(`\`${key}\``), `${name}: ${key}`);
    }
  };
  say('From mod_fcgid', FCGID_RULES);
  say('From PHP-FPM', FPM_RULES);
});
