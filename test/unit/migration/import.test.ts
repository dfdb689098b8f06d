// Configuration of PHP-FPM and mod_fcgid becomes valid files of ours, and what has no counterpart is said.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS } from '../../../src/config/defaults.js';
import { mainFileSchema, userFileSchema } from '../../../src/config/schema.js';
import { parseToml, type Table } from '../../../src/config/toml.js';
import { USER_WORKERS_DEFAULT } from '../../../src/migration/fcgid.js';
import { importFcgid, importFpm, type Draft } from '../../../src/migration/index.js';

/** Without prototypes and 64-bit numbers of their own. */
const plain = (table: Table): Table =>
  JSON.parse(
    JSON.stringify(table, (_, value: unknown) =>
      typeof value === 'bigint' ? Number(value) : value,
    ),
  ) as Table;

/** The files to be, by their names, as the configuration loader would take them. */
function accepted(drafts: readonly Draft[]): ReadonlyMap<string, Table> {
  return new Map(
    drafts.map((draft) => {
      const parsed = parseToml(String(draft), draft.file);
      assert.ok(parsed.ok, String(draft));
      const isMain = draft.file === '/etc/usherd/usherd.toml';
      (isMain ? mainFileSchema : userFileSchema).parse(parsed.table);
      return [draft.file, plain(parsed.table)];
    }),
  );
}

const POOLS = `
[global]
pid = /run/php/php8.2-fpm.pid
process.max = 64
process_control_timeout = 20s

[alice]
user = alice
group = alice
listen = /run/php/alice.sock
pm = dynamic
pm.max_children = 5
pm.start_servers = 2
pm.process_idle_timeout = 10s;
pm.max_requests = 500
request_terminate_timeout = 0
request_slowlog_timeout = 3s
chroot = /srv/alice
env[APP_ENV] = production
php_value[memory_limit] = 256M
php_admin_flag[log_errors] = on

[www]
user = $pool
pm.max_children = 3
`;

test('a pool of PHP-FPM becomes the file of its user', () => {
  const drafts = importFpm(POOLS);
  const files = accepted(drafts);
  assert.deepEqual(
    [...files.keys()],
    ['/etc/usherd/usherd.toml', '/etc/usherd/users.d/alice.toml', '/etc/usherd/users.d/www.toml'],
  );
  assert.deepEqual(files.get('/etc/usherd/usherd.toml'), {
    limits: { max_workers: 64, stop_timeout: '20s' },
  });
  assert.deepEqual(files.get('/etc/usherd/users.d/alice.toml'), {
    limits: {
      ...{ max_workers_per_app: 5, max_workers_per_user: 5, min_workers: 2 },
      ...{ idle_timeout: '10s', max_requests: 500, slow_request: '3s' },
    },
  });
});

test('what belongs elsewhere or nowhere is said, and what usherd does by itself is not', () => {
  const alice = String(importFpm(POOLS)[1]);
  assert.match(
    alice,
    /\[env\] in the usherd\.toml of what pool alice runs:\n# +APP_ENV = "production"/,
  );
  assert.match(alice, /\[php\] in .*\n# +memory_limit = "256M"/);
  assert.match(alice, /\[php\.settings\] in .*\n# +log_errors = "on"/);
  assert.match(alice, /# chroot: is `isolation = "strict"` of the application/);
  assert.match(alice, /# request_terminate_timeout: 0 is left out/);
  assert.doesNotMatch(alice, /listen|# group/);
});

const SEVERAL = `
include=/etc/php/8.2/fpm/pool.d/*.conf
[alice] ; the blog
user = 'alice'
pm = ondemand
pm.max_children = 5
pm.start_servers = 3
request_terminate_timeout = 30s
env[HOSTNAME] = $HOSTNAME
php_admin_value[open_basedir] = "/srv/alice:/tmp"
php_admin_value[memory_limit] = '256M'
php_value[session.name] = $pool
[alice-shop]
user = alice
pm = static
pm.max_children = 10
request_terminate_timeout = 120s ; reports
`;

test('pools of one user become one file, with room for all of them', () => {
  const [server, alice, ...others] = importFpm(SEVERAL);
  assert.deepEqual(others, []);
  assert.match(String(server), /^# include: is not followed; name these files behind this one$/m);
  assert.deepEqual(accepted(importFpm(SEVERAL)).get('/etc/usherd/users.d/alice.toml'), {
    limits: { max_workers_per_app: 10, max_workers_per_user: 15, request_timeout: '120s' },
  });
  const text = String(alice);
  assert.match(text, /pm\.max_children: pool alice has 5; .*max_workers_per_app = 5 in \[limits\]/);
  assert.match(text, /request_terminate_timeout: pool alice has "30s"/);
  assert.match(text, /what pool alice runs:\n# +session\.name = "alice"/);
});

test('what would be wrong for everybody, or is a name only, is not copied', () => {
  const text = String(importFpm(SEVERAL)[1]);
  assert.match(text, /php_admin_value\[open_basedir\]: \/srv\/alice:\/tmp is left out/);
  assert.match(text, /env\[HOSTNAME\]: \$HOSTNAME is PHP-FPM's own/);
  assert.doesNotMatch(text, /(?:open_basedir|HOSTNAME) =/);
  assert.match(text, /memory_limit = "256M"/);
});

test('files are read one after the other, each from its beginning', () => {
  const [server, www] = importFpm(
    '[global]\nprocess.max = 9\n[www]\n',
    'process.max = 8\n[www]\npm.max_requests = 7',
  );
  assert.match(String(server), /max_workers = 8 /);
  assert.match(String(www), /max_requests = 7 /);
});

const HOSTS = `
FcgidMaxProcesses 100
FcgidIdleTimeout 240
<IfModule mod_fcgid.c>
  FcgidMaxRequestLen 134217728
</IfModule>
<VirtualHost *:80>
  ServerName alice.example.test
  SuexecUserGroup alice alice
  fcgidmaxprocessesperclass 5
  FcgidBusyTimeout 3600
  FcgidMaxProcesses 7
  FcgidInitialEnv PHPRC \\
    "/srv/alice/etc"
  FcgidWrapper /srv/alice/bin/php-wrapper .php
  FcgidFixPathinfo 1
  FcgidAuthorizer /srv/alice/bin/auth
</VirtualHost>
<VirtualHost *:80>
  ServerName plain.example.test
</VirtualHost>
`;

test('directives of mod_fcgid become limits of the machine and of the users of virtual hosts', () => {
  const files = accepted(importFcgid(HOSTS));
  assert.deepEqual(Object.fromEntries(files), {
    '/etc/usherd/users.d/alice.toml': {
      limits: { max_workers_per_app: 5, request_timeout: '3600s' },
    },
    '/etc/usherd/usherd.toml': {
      limits: { max_workers: 100, idle_timeout: '240s', max_body: '134217728B' },
    },
  });
  const alice = String(importFcgid(HOSTS)[0]);
  assert.match(alice, /PHPRC = "\/srv\/alice\/etc"/);
  assert.match(alice, /FcgidWrapper: \/srv\/alice\/bin\/php-wrapper \.php/);
  assert.match(alice, /FcgidMaxProcesses: counts for the whole machine only/);
  assert.match(alice, /FcgidAuthorizer: .*usherd-authorizer\.conf/);
  assert.doesNotMatch(alice, /FixPathinfo/);
});

test('what usherd sets itself for PHP is not taken over', () => {
  const text = String(importFcgid('FcgidInitialEnv PHP_FCGI_MAX_REQUESTS 500\n')[0]);
  assert.match(text, /PHP_FCGI_MAX_REQUESTS 500 \(usherd sets it itself; max_requests counts\)/);
  assert.doesNotMatch(text, /\[env\]/);
});

const WITH_QUOTES = `
FcgidIOTimeout 3600
MaxRequestLen 15728640
<VirtualHost *:80>
  ServerName one.example.test
  SuexecUserGroup "web1" "client1"
  FcgidMaxProcessesPerClass 20
  FcgidBusyTimeout 60
  FcgidInitialEnv PHPRC '/srv/web1/etc'
</VirtualHost>
<VirtualHost *:80>
  ServerName two.example.test
  SuexecUserGroup "web1" "client1"
  FcgidMaxProcessesPerClass 10
  FcgidBusyTimeout 300
</VirtualHost>
<VirtualHost *:443>
  SuexecUserGroup "#1001" "#1001"
  FcgidMaxRequestsPerProcess "500"
</VirtualHost>
`;

test('names in quotes, numbers for names, and names of before are understood', () => {
  const drafts = importFcgid(WITH_QUOTES);
  assert.deepEqual(Object.fromEntries(accepted(drafts)), {
    '/etc/usherd/users.d/web1.toml': {
      limits: { max_workers_per_app: 20, max_workers_per_user: 30, request_timeout: '300s' },
    },
    '/etc/usherd/users.d/USER.toml, of the account with uid 1001': {
      limits: { max_requests: 500 },
    },
    '/etc/usherd/usherd.toml': {
      limits: { first_byte_timeout: '3600s', silence_timeout: '3600s', max_body: '15728640B' },
    },
  });
  assert.match(String(drafts[0]), /PHPRC = "\/srv\/web1\/etc"/);
  assert.match(String(drafts[0]), /FcgidBusyTimeout: one\.example\.test has "60s"/);
});

test('an application may have as many workers as it had, although all of its user have fewer by default', () => {
  const limitsOf = (count: number): unknown =>
    accepted(importFcgid(`FcgidMaxProcessesPerClass ${count}\n`)).get('/etc/usherd/usherd.toml');
  assert.equal(USER_WORKERS_DEFAULT, DEFAULTS.limits.maxWorkersPerUser);
  assert.deepEqual(limitsOf(8), { limits: { max_workers_per_app: 8 } });
  assert.deepEqual(limitsOf(9), { limits: { max_workers_per_app: 9, max_workers_per_user: 9 } });
});

test('nothing that is copied ends a comment or reaches a terminal', () => {
  const esc = String.fromCharCode(27);
  const text = String(importFcgid(`FcgidInitialEnv X "${esc}[2J\rmax_workers = 1"`)[0]);
  assert.ok(!text.includes(esc) && !text.includes('\r'));
  assert.ok(text.split('\n').every((line) => line === '' || line.startsWith('#')));
});

test('a file with nothing of the kind gives nothing', () => {
  assert.deepEqual(importFcgid('ServerName x\n'), []);
  assert.deepEqual(importFpm('# nothing\n'), []);
});
