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
  /^(user|group|prefix|listen(\..*)?|pm|pm\.(max_spare_servers|max_spawn_rate|status_.*)|ping\..*|chdir|catch_workers_output|decorate_workers_output|clear_env|pid|daemonize|include|error_log|log_level|events\.mechanism|systemd_interval)$/;

const REMARKS: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/^chroot$/, 'has no counterpart'],
  [/^slowlog$/, 'is /var/log/usherd/USER/APP.slow'],
  [
    /^request_slowlog_.*$/,
    'has no counterpart: root may not look into a user’s process for its stack',
  ],
  [/^security\.limit_extensions$/, 'goes to extensions of [runtimes.php], for everybody'],
  [/^access\..*$/, 'is the web server’s log, or `access` in [log] of usherd.toml'],
];

const APP_FILE = 'the usherd.toml of his applications';

interface Line {
  readonly section: string;
  readonly name: string;
  /** Between brackets, as in `php_value[memory_limit]`. */
  readonly index: string;
  readonly value: string;
}

/** What stands in a file of PHP-FPM, as drafts: one for the global section, one for each pool. */
export function importFpm(text: string): readonly Draft[] {
  const lines = [...linesOf(text)];
  const drafts = new Map<string, Draft>();
  for (const line of lines) {
    const draft = drafts.get(line.section) ?? new Draft(fileOf(line.section, lines));
    drafts.set(line.section, draft);
    translate(draft, line);
  }
  return [...drafts.values()];
}

function* linesOf(text: string): Generator<Line> {
  let section = 'global';
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    const header = /^\[([^\]]+)\]$/.exec(line)?.[1];
    if (header !== undefined) section = header;
    const [, name, index = '', value = ''] =
      /^([a-z_.]+)(?:\[([^\]]*)\])?\s*=\s*(.*)$/s.exec(line) ?? [];
    if (name !== undefined) yield { section, name, index, value: unquoted(value) };
  }
}

/** Without quotes, or else without the comment behind it. */
const unquoted = (value: string): string =>
  /^"([^"]*)"/.exec(value)?.[1] ?? value.replace(/\s*;.*$/s, '');

function fileOf(section: string, lines: readonly Line[]): string {
  if (section === 'global') return '/etc/usherd/usherd.toml';
  const user = lines.find((line) => line.section === section && line.name === 'user')?.value;
  return `/etc/usherd/users.d/${(user ?? section).replaceAll('$pool', section)}.toml`;
}

function translate(draft: Draft, { section, name, index, value }: Line): void {
  const rule = (section === 'global' ? GLOBAL_RULES : POOL_RULES).get(name);
  if (rule !== undefined) applyRule(draft, rule, name, value);
  else if (name === 'env') draft.elsewhere(`[env] in ${APP_FILE}`, `${index} = ${quote(value)}`);
  else if (/^php_(value|flag)$/.test(name))
    draft.elsewhere(`[php] in ${APP_FILE}`, `${index} = ${quote(value)}`);
  else if (/^php_admin_(value|flag)$/.test(name))
    draft.elsewhere(
      '[php.settings] in /etc/usherd/usherd.toml, for everybody',
      `${index} = ${quote(value)}`,
    );
  else if (!SILENT.test(name)) draft.remark(name, remarkOn(name));
}

const remarkOn = (name: string): string =>
  REMARKS.find(([pattern]) => pattern.test(name))?.[1] ??
  'has no counterpart; see docs/migration.md';
