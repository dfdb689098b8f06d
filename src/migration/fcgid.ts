// mod_fcgid's directives, global or of a virtual host. The table in docs/migration.md says the same for people; a test compares.
import { applyRule, bytes, count, Draft, duration, quote, type Rule } from './draft.js';

/** Of max_workers_per_user; a test compares it with the configuration's. */
export const USER_WORKERS_DEFAULT = 8;

export const FCGID_RULES: ReadonlyMap<string, Rule> = new Map([
  ['FcgidBusyTimeout', { key: 'request_timeout', read: duration }],
  ['FcgidConnectTimeout', { key: 'start_timeout', read: duration }],
  ['FcgidIdleTimeout', { key: 'idle_timeout', read: duration }],
  ['FcgidIOTimeout', { key: 'first_byte_timeout', read: duration }],
  ['FcgidMaxProcesses', { key: 'max_workers', read: count }],
  [
    'FcgidMaxProcessesPerClass',
    {
      ...{ key: 'max_workers_per_app', read: count },
      below: { key: 'max_workers_per_user', byDefault: USER_WORKERS_DEFAULT },
    },
  ],
  ['FcgidMaxRequestLen', { key: 'max_body', read: bytes }],
  ['FcgidMaxRequestsPerProcess', { key: 'max_requests', read: count }],
  ['FcgidMinProcessesPerClass', { key: 'min_workers', read: count }],
]);
const BY_LOWER_CASE: ReadonlyMap<string, readonly [name: string, rule: Rule]> = new Map(
  [...FCGID_RULES].map(([name, rule]) => [name.toLowerCase(), [name, rule]]),
);

/** Only of the whole machine. */
const GLOBAL_ONLY = 'FcgidMaxProcesses';
const GLOBAL = '/etc/usherd/usherd.toml';
const APP_FILE = 'the usherd.toml of the application';

/** Nothing to say: how usherd works takes their place. */
const SILENT =
  /^fcgid(.*scaninterval|ipcdir|processtablefile|spawnscore.*|terminationscore|timescore|zombie.*|win32.*|maxrequestinmem|outputbuffersize|fixpathinfo|passheader)$/i;

/** Of the authorizer role, which needs an address of its own. */
const AUTHORIZERS = /^Fcgid(Authenticator|Authorizer|AccessChecker)(Authoritative)?$/i;

interface Line {
  readonly directive: string;
  readonly value: string;
}

/** What stands in a file of Apache's, as drafts: one for the server, one for each user of a virtual host. */
export function importFcgid(text: string): readonly Draft[] {
  const drafts = new Map<string, Draft>();
  for (const { file, lines } of blocksOf(text)) {
    const draft = drafts.get(file) ?? new Draft(file);
    for (const line of lines) translate(draft, line, file === GLOBAL);
    if (lines.length > 0) drafts.set(file, draft);
  }
  return [...drafts.values()];
}

interface Block {
  readonly file: string;
  readonly lines: readonly Line[];
}

function* blocksOf(text: string): Generator<Block> {
  const global: Line[] = [];
  let host: Line[] | undefined;
  for (const raw of text.replaceAll('\\\n', ' ').split('\n')) {
    const line = raw.trim();
    if (/^<VirtualHost\b/i.test(line)) host = [];
    if (/^<\/VirtualHost>/i.test(line) && host !== undefined) {
      yield { file: hostFile(host), lines: host };
      host = undefined;
    }
    const [, directive, value] = /^((?:Fcgid|SuexecUserGroup)\w*)\s+(.*)$/is.exec(line) ?? [];
    if (directive === undefined || value === undefined) continue;
    (host ?? global).push({ directive, value: value.trim() });
  }
  yield { file: GLOBAL, lines: global };
}

/** The user of the virtual host, or the placeholder for one that says none. */
function hostFile(lines: readonly Line[]): string {
  const owner = lines.find(({ directive }) => /^SuexecUserGroup$/i.test(directive))?.value;
  const [user = 'USER'] = owner?.split(/\s+/) ?? [];
  return `/etc/usherd/users.d/${user.replace(/^#/, '')}.toml`;
}

function translate(draft: Draft, { directive, value }: Line, isGlobal: boolean): void {
  const [name, rule] = BY_LOWER_CASE.get(directive.toLowerCase()) ?? [];
  if (name === GLOBAL_ONLY && !isGlobal) draft.remark(name, 'counts for the whole machine only');
  else if (rule !== undefined) applyRule(draft, rule, directive, value.replaceAll('"', ''));
  else if (/^FcgidInitialEnv$/i.test(directive)) initialEnvironment(draft, value);
  else if (/^FcgidWrapper$/i.test(directive)) wrapper(draft, value);
  else if (/^SuexecUserGroup$/i.test(directive))
    draft.remark(directive, `${value} (the owner of the application decides)`);
  else if (AUTHORIZERS.test(directive))
    draft.remark(directive, `${value} (\`usherd apache-config usherd-authorizer.conf\` says how)`);
  else if (!SILENT.test(directive))
    draft.remark(directive, `${value} has no counterpart; see docs/migration.md`);
}

function initialEnvironment(draft: Draft, value: string): void {
  const [, name = '', text = ''] = /^(\S+)\s*(.*)$/s.exec(value) ?? [];
  if (name.startsWith('PHP_FCGI_')) {
    draft.remark('FcgidInitialEnv', `${value} (usherd sets it itself; max_requests counts)`);
    return;
  }
  draft.elsewhere(`[env] in ${APP_FILE}`, `${name} = ${quote(text.replace(/^"(.*)"$/s, '$1'))}`);
}

function wrapper(draft: Draft, value: string): void {
  draft.remark(
    'FcgidWrapper',
    `${value} (PHP needs none; anything else is command in ${APP_FILE})`,
  );
}
