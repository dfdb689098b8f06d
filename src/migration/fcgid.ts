// mod_fcgid's directives, global or of a virtual host. The table in docs/migration.md says the same for people; a test compares.
import { applyRule, bytes, count, Draft, duration, quote, type Rule } from './draft.js';

/** Of max_workers_per_user; a test compares it with the configuration's. */
export const USER_WORKERS_DEFAULT = 8;

export const FCGID_RULES: ReadonlyMap<string, Rule> = new Map([
  ['FcgidBusyTimeout', { key: 'request_timeout', read: duration }],
  ['FcgidConnectTimeout', { key: 'start_timeout', read: duration }],
  ['FcgidIdleTimeout', { key: 'idle_timeout', read: duration }],
  ['FcgidIOTimeout', { key: 'first_byte_timeout', also: 'silence_timeout', read: duration }],
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

/** As they were called before mod_fcgid 2.3, which still takes them. */
const OLD_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    BusyTimeout: 'FcgidBusyTimeout',
    DefaultInitEnv: 'FcgidInitialEnv',
    DefaultMaxClassProcessCount: 'FcgidMaxProcessesPerClass',
    DefaultMinClassProcessCount: 'FcgidMinProcessesPerClass',
    FCGIWrapper: 'FcgidWrapper',
    IdleTimeout: 'FcgidIdleTimeout',
    IPCCommTimeout: 'FcgidIOTimeout',
    IPCConnectTimeout: 'FcgidConnectTimeout',
    MaxProcessCount: 'FcgidMaxProcesses',
    MaxRequestLen: 'FcgidMaxRequestLen',
    MaxRequestsPerProcess: 'FcgidMaxRequestsPerProcess',
  }).map(([old, name]) => [old.toLowerCase(), name]),
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

/** What stands in files of Apache's, as drafts: one for the server, one for each user of a virtual host. */
export function importFcgid(...texts: readonly string[]): readonly Draft[] {
  const drafts = new Map<string, Draft>();
  for (const { file, place, lines } of texts.flatMap((text) => [...blocksOf(text)])) {
    const draft = drafts.get(file) ?? new Draft(file);
    for (const line of lines) translate(draft, line, place);
    if (lines.length > 0) drafts.set(file, draft);
  }
  return [...drafts.values()];
}

interface Block {
  readonly file: string;
  /** Its virtual host; '' for the whole server. */
  readonly place: string;
  readonly lines: readonly Line[];
}

function* blocksOf(text: string): Generator<Block> {
  const global: Line[] = [];
  let host: { readonly lines: Line[]; name: string } | undefined;
  for (const raw of text.replaceAll(/\\\r?\n/g, ' ').split('\n')) {
    const line = raw.trim();
    if (/^<VirtualHost\b/i.test(line)) host = { lines: [], name: line };
    if (/^<\/VirtualHost>/i.test(line) && host !== undefined) {
      yield { file: hostFile(host.lines), place: host.name, lines: host.lines };
      host = undefined;
    }
    const found = lineOf(line);
    if (found === undefined) continue;
    if (found.directive !== SERVER_NAME) (host?.lines ?? global).push(found);
    else if (host !== undefined) host.name = found.value;
  }
  yield { file: GLOBAL, place: '', lines: global };
}

const SERVER_NAME = 'ServerName';

/** A directive of the kind, or the name of a virtual host. */
function lineOf(text: string): Line | undefined {
  const [, word = '', value = ''] = /^(\w+)\s+(.*)$/s.exec(text) ?? [];
  if (/^ServerName$/i.test(word)) return { directive: SERVER_NAME, value };
  const directive = OLD_NAMES.get(word.toLowerCase()) ?? word;
  return /^(?:Fcgid|SuexecUserGroup)\w*$/i.test(directive) ? { directive, value } : undefined;
}

/** The user of the virtual host, or the placeholder for one that says none, or a number only. */
function hostFile(lines: readonly Line[]): string {
  const owner = lines.find(({ directive }) => /^SuexecUserGroup$/i.test(directive))?.value ?? '';
  const [, user = '', uid] = /^["']?((?:#(\d+)|[^"'\s#]+))/.exec(owner) ?? [];
  if (uid !== undefined) return `/etc/usherd/users.d/USER.toml, of the account with uid ${uid}`;
  return `/etc/usherd/users.d/${user === '' ? 'USER' : user}.toml`;
}

/** Without the quotes around it. */
const unquoted = (value: string): string => value.replace(/^(["'])(.*)\1$/s, '$2');

function translate(draft: Draft, { directive, value }: Line, place: string): void {
  const [name, rule] = BY_LOWER_CASE.get(directive.toLowerCase()) ?? [];
  if (name === GLOBAL_ONLY && place !== '') draft.remark(name, 'counts for the whole machine only');
  else if (name !== undefined && rule !== undefined)
    applyRule(draft, rule, { name, value: unquoted(value), place });
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
  draft.elsewhere(`[env] in ${APP_FILE}`, `${name} = ${quote(unquoted(text))}`);
}

function wrapper(draft: Draft, value: string): void {
  draft.remark(
    'FcgidWrapper',
    `${value} (PHP needs none; anything else is command in ${APP_FILE})`,
  );
}
