// PHP-FPM's pools: one user's settings each. The table in docs/migration.md says the same for people; a test compares.
import { applyRule, count, Draft, duration, quote, type Rule } from './draft.js';

const USER_LIMIT = 'max_workers_per_user';

const POOL_RULES: ReadonlyMap<string, Rule> = new Map([
  // A pool is all that its user has.
  [
    'pm.max_children',
    { key: 'max_workers_per_app', read: count, below: { key: USER_LIMIT, byDefault: 0 } },
  ],
  ['pm.start_servers', { key: 'min_workers', read: count }],
  ['pm.min_spare_servers', { key: 'min_workers', read: count }],
  ['pm.process_idle_timeout', { key: 'idle_timeout', read: duration }],
  ['pm.max_requests', { key: 'max_requests', read: count }],
  ['request_slowlog_timeout', { key: 'slow_request', read: duration }],
  ['request_terminate_timeout', { key: 'request_timeout', read: duration }],
  ['listen.backlog', { key: 'queue_length', read: count }],
]);

const GLOBAL_RULES: ReadonlyMap<string, Rule> = new Map([
  ['process.max', { key: 'max_workers', read: count }],
  ['process_control_timeout', { key: 'stop_timeout', read: duration }],
]);

export const FPM_RULES: ReadonlyMap<string, Rule> = new Map([...POOL_RULES, ...GLOBAL_RULES]);

/** Nothing to say: how usherd works takes their place. */
const SILENT =
  /^(user|group|prefix|listen(\..*)?|pm|pm\.(max_spare_servers|max_spawn_rate|status_.*)|ping\..*|chdir|catch_workers_output|decorate_workers_output|clear_env|pid|daemonize|error_log|log_level|events\.mechanism|systemd_interval)$/;

/** What only a pool of `pm = dynamic` has. */
const DYNAMIC_ONLY = /^pm\.(start_servers|min_spare_servers)$/;

/** What usherd sets for each user by himself: for everybody, one user's would be wrong. */
const PHP_OF_USHERD =
  /^(open_basedir|error_log|sys_temp_dir|upload_tmp_dir|session\.save_path|opcache\.file_cache)$/;

const REMARKS: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/^include$/, 'is not followed; name these files behind this one'],
  [/^chroot$/, 'is `isolation = "strict"` of the application'],
  [/^slowlog$/, 'is /var/log/usherd/USER/APP.slow'],
  [
    /^request_slowlog_.*$/,
    'has no counterpart: root may not look into a user’s process for its stack',
  ],
  [/^security\.limit_extensions$/, 'goes to extensions of [runtimes.php], for everybody'],
  [/^access\..*$/, 'is the web server’s log, or `access` in [log] of usherd.toml'],
];

const appFile = (pool: string): string => `the usherd.toml of what pool ${pool} runs`;

interface Line {
  readonly section: string;
  readonly name: string;
  /** Between brackets, as in `php_value[memory_limit]`. */
  readonly index: string;
  readonly value: string;
}

/** What stands in files of PHP-FPM, as drafts: one for the global section, one for each user of a pool. */
export function importFpm(...texts: readonly string[]): readonly Draft[] {
  const lines = texts.flatMap((text) => [...linesOf(text)]);
  const drafts = new Map<string, Draft>();
  for (const line of lines) {
    const valueOf = (name: string): string | undefined =>
      lines.findLast((other) => other.section === line.section && other.name === name)?.value;
    const file = fileOf(line.section, valueOf('user'));
    const draft = drafts.get(file) ?? new Draft(file);
    drafts.set(file, draft);
    const isIdle = DYNAMIC_ONLY.test(line.name) && (valueOf('pm') ?? 'dynamic') !== 'dynamic';
    if (!isIdle) translate(draft, line);
  }
  return [...drafts.values()];
}

function* linesOf(text: string): Generator<Line> {
  let section = 'global';
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    section = /^\[([^\]]+)\]\s*(?:;.*)?$/.exec(line)?.[1] ?? section;
    const [, name, index = '', value = ''] =
      /^([a-z_.]+)(?:\[([^\]]*)\])?\s*=\s*(.*)$/s.exec(line) ?? [];
    if (name === undefined) continue;
    yield { section, name, index, value: unquoted(value).replaceAll('$pool', section) };
  }
}

/** Without quotes, or else without the comment behind it. */
const unquoted = (value: string): string =>
  /^(["'])(.*?)\1/.exec(value)?.[2] ?? value.replace(/\s*;.*$/s, '');

const fileOf = (section: string, user = section): string =>
  section === 'global' ? '/etc/usherd/usherd.toml' : `/etc/usherd/users.d/${user}.toml`;

function translate(draft: Draft, { section, name, index, value }: Line): void {
  const rule = (section === 'global' ? GLOBAL_RULES : POOL_RULES).get(name);
  if (rule !== undefined) applyRule(draft, rule, { name, value, place: `pool ${section}` });
  else if (name === 'env') environment(draft, { section, name, index, value });
  else if (/^php_(admin_)?(value|flag)$/.test(name))
    phpSetting(draft, { section, name, index, value });
  else if (!SILENT.test(name)) draft.remark(name, remarkOn(name));
}

function environment(draft: Draft, { section, name, index, value }: Line): void {
  const isReference = value.startsWith('$');
  if (isReference) draft.remark(`${name}[${index}]`, `${value} is PHP-FPM's own; write the value`);
  else draft.elsewhere(`[env] in ${appFile(section)}`, `${index} = ${quote(value)}`);
}

function phpSetting(draft: Draft, { section, name, index, value }: Line): void {
  const place = name.startsWith('php_admin_')
    ? '[php.settings] in /etc/usherd/usherd.toml, for everybody'
    : `[php] in ${appFile(section)}`;
  if (PHP_OF_USHERD.test(index))
    draft.remark(`${name}[${index}]`, `${value} is left out; usherd has one for each user`);
  else draft.elsewhere(place, `${index} = ${quote(value)}`);
}

const remarkOn = (name: string): string =>
  REMARKS.find(([pattern]) => pattern.test(name))?.[1] ??
  'has no counterpart; see docs/migration.md';
