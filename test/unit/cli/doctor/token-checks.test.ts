// Whether `usherd doctor` says that a machine needs front tokens, and how they are turned on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeTokens, type TokenSituation } from '../../../../src/cli/doctor/token-checks.js';

const apacheOf = (text: string, modules: readonly string[] = []): TokenSituation['apache'] => ({
  modules: new Set(modules),
  problem: '',
  files: [{ path: '/x.conf', text }],
});

const judge = (change: Partial<TokenSituation>): ReturnType<typeof judgeTokens> =>
  judgeTokens({
    authentication: 'none',
    users: ['alice', 'bob'],
    usersWithToken: [],
    apache: apacheOf('AllowOverride None\n'),
    ...change,
  });

const rules = (change: Partial<TokenSituation>): readonly string[] =>
  judge(change).map(({ rule }) => rule);

test('.htaccess files that may set handlers need tokens where several users share the web server', () => {
  for (const value of ['All', 'AuthConfig FileInfo', 'fileinfo']) {
    const apache = apacheOf(`AllowOverride None\n  AllowOverride ${value}\n`);
    assert.deepEqual(rules({ apache }), ['tokens-needed'], value);
    assert.deepEqual(rules({ apache, users: undefined }), ['tokens-needed'], value);
    assert.deepEqual(rules({ apache, users: ['alice'] }), [], value);
  }
  for (const text of ['AllowOverride AuthConfig Limit\n', '# AllowOverride All\n']) {
    assert.deepEqual(rules({ apache: apacheOf(text) }), [], text);
  }
  assert.deepEqual(rules({ apache: undefined }), []);
});

test('what a package of Debian allows below /usr is nobody’s to write, and what stands beside it counts', () => {
  const section = (directory: string): string =>
    `<Directory ${directory}>\n  Options FollowSymLinks\n  AllowOverride All\n</Directory>\n`;
  for (const directory of ['/usr/share/dokuwiki/', '"/usr/share/x"'])
    assert.deepEqual(rules({ apache: apacheOf(section(directory)) }), [], directory);
  for (const directory of ['/srv', '/', '/usr/*/x', '~ "^/usr/"', '/usrx'])
    assert.deepEqual(rules({ apache: apacheOf(section(directory)) }), ['tokens-needed'], directory);
  const both = section('/usr/share/a/') + section('/home');
  assert.deepEqual(rules({ apache: apacheOf(both) }), ['tokens-needed']);
});

test('the remedy is the commands, in their order', () => {
  const [symptom] = judge({ apache: apacheOf('AllowOverride All\n') });
  assert.equal(symptom?.weight, 'wrong');
  assert.match(
    symptom.remedy,
    /^for user in alice bob; do usherd token new \$user; done; .*authentication = "token".*apachectl graceful; usherd reload/,
  );
  const many = Array.from({ length: 9 }, (_, i) => `u${i}`);
  const [other] = judge({ apache: apacheOf('AllowOverride All\n'), users: many });
  assert.match(other?.remedy ?? '', /^`usherd token new USER` for each/);
});

test('programs of users under the web server’s account are told, because a token does not keep them out', () => {
  const apache = apacheOf('', ['proxy', 'php', 'cgid', 'mime']);
  const [symptom] = judge({ apache });
  assert.equal(symptom?.rule, 'web-server-code');
  assert.match(symptom.found, /mod_php, mod_cgid:/);
  assert.match(symptom.remedy, /^a2dismod 'php\*' cgid && /, 'as a2dismod(8) takes it');
});

test('where tokens are on, who has none is told', () => {
  const on = { authentication: 'token', usersWithToken: ['alice'] } as const;
  const [symptom, ...others] = judge({ ...on, apache: apacheOf('AllowOverride All\n') });
  assert.equal(symptom?.rule, 'token-missing');
  assert.match(symptom.remedy, /usherd token new bob/);
  assert.deepEqual(others, []);
  assert.deepEqual(rules({ ...on, usersWithToken: ['alice', 'bob'] }), []);
  const many = Array.from({ length: 5_000 }, (_, i) => `u${i}`);
  const found = judge({ ...on, users: many });
  assert.equal(found.length, 9);
  assert.match(found.at(-1)?.found ?? '', /^4992 more users/);
});
