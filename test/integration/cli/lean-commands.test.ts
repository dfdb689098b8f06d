// What a command costs is what it loads: those that only ask what runs leave the schema, the services and their packages alone.
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fakeControl } from '../../support/fake-control.js';
import { loadedBy } from '../../support/loaded-modules.js';

const ANSWER = { app: 'alice/blog', workers: 1, apps: [], failures: [], requests: [] };
const FOREIGN_PACKAGES = ['zod', 'pino', 'prom-client'];
const FOREIGN =
  /^dist\/src\/(?:spawner|router|privdrop|pool|gateway|runtimes)\/|^dist\/src\/log\.js$/;
/** Loaded with these the answer came after 90 modules; with the schema, after 220. */
const MODULES_MAX_COUNT = 100;

const COMMANDS = [
  ['status'],
  ['status', '--json'],
  ['requests'],
  ['restart', 'alice/blog'],
  ['suspend', 'alice'],
  ['logs', 'alice/blog'],
  ['ready', 'supervisor'],
] as const;

for (const command of COMMANDS) {
  test(`\`usherd ${command.join(' ')}\` loads no schema and no service`, async (t) => {
    const file = await fakeControl(t, ANSWER);
    const log = join(dirname(file), 'alice/blog.log');
    mkdirSync(dirname(log));
    writeFileSync(log, 'hello\n');
    appendFileSync(file, `log = "${dirname(file)}"\n`);
    const { packages, paths, code, stderr } = await loadedBy('main.js', [
      ...command,
      '--config',
      file,
    ]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.ok(paths.includes('dist/src/config/places.js'));
    assert.deepEqual(
      FOREIGN_PACKAGES.filter((name) => packages.has(name)),
      [],
    );
    assert.deepEqual(
      paths.filter((path) => FOREIGN.test(path)),
      [],
    );
    assert.ok(paths.length <= MODULES_MAX_COUNT, `${paths.length} modules`);
  });
}

const COMPLETING = ['--get-yargs-completions', 'usherd'];
/** What only says what there is, and whether it looks for names in the configuration. */
const TELLING = [
  [['--help'], false],
  [['no-such-command'], false],
  [['check', '--help'], false],
  [['gateway', '--help'], false],
  [['token', '--help'], false],
  [[...COMPLETING, ''], false],
  [[...COMPLETING, 'token', ''], false],
  [[...COMPLETING, 'explain', '--'], false],
  [[...COMPLETING, 'restart', ''], true],
  [[...COMPLETING, 'explain', ''], true],
] as const;
/** Of all commands together, as help names them. */
const HELP_MODULES_MAX_COUNT = 120;

for (const [argv, looks] of TELLING) {
  test(`\`usherd ${argv.join(' ')}\` loads no work of a command`, async (t) => {
    const file = await fakeControl(t, ANSWER);
    const args = looks ? [...argv.slice(0, -1), '--config', file, ''] : argv;
    const { packages, paths, code, stderr } = await loadedBy('main.js', args);
    if (argv[0] !== 'no-such-command') assert.deepEqual([code, stderr], [0, '']);
    assert.ok(paths.includes('dist/src/cli/heavy-commands.js'));
    assert.deepEqual(
      FOREIGN_PACKAGES.filter((name) => packages.has(name)),
      [],
    );
    const foreign =
      /^dist\/src\/cli\/(?:run|check|doctor|token|vhost|import|explain|dev|demo|gateway)\.js$/;
    assert.deepEqual(
      paths.filter((path) => FOREIGN.test(path) || foreign.test(path)),
      [],
    );
    assert.ok(paths.length <= HELP_MODULES_MAX_COUNT, `${paths.length} modules`);
  });
}

test('looking at one application loads no supervisor and none of its messages', async () => {
  const { paths, packages } = await loadedBy('spawner/lean.js');
  assert.ok(paths.includes('dist/src/spawner/visit.js'));
  assert.deepEqual([...packages], []);
  const foreign = /^dist\/src\/(?:ipc\/|spawner\/(?:supervisor|operations|control|commands)\.js$)/;
  assert.deepEqual(
    paths.filter((path) => foreign.test(path)),
    [],
  );
});

test('files that changed after the supervisor has read them are judged, and a mistake is said', async (t) => {
  const file = await fakeControl(t, ANSWER, Date.now());
  const sound = await loadedBy('main.js', ['requests', '--config', file]);
  assert.deepEqual([sound.code, sound.stderr, sound.packages.has('zod')], [0, '', true]);
  appendFileSync(file, 'nonsense = 1\n');
  const mistaken = await loadedBy('main.js', ['requests', '--config', file]);
  assert.equal(mistaken.code, 0);
  assert.match(mistaken.stderr, /configuration has mistakes.*what runs has the old one/);
});

test('a log is shown from where it is by default, and the mistake said, if the file does not say where', async (t) => {
  const file = await fakeControl(t, ANSWER);
  writeFileSync(file, '[paths]\nlog = "somewhere"\n');
  const { code, stderr } = await loadedBy('main.js', ['logs', 'no-such/blog', '--config', file]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /configuration has mistakes[^]*there is no \/var\/log\/usherd\/no-such\/blog/,
  );
});
