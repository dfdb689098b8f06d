// The systemd units: systemd itself finds nothing to complain of, they are as closed as promised, and they start what the code expects.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { loadConfig } from '../../src/config/index.js';
import { childArgv } from '../../src/cli/child-argv.js';
import { planDirectories } from '../../src/cli/directory-plan.js';
import { nodeEnvironment, nodeFlags } from '../../src/cli/node-flags.js';
import { ExitCode } from '../../src/errors.js';
import { BUILTIN_RUNTIMES } from '../../src/runtimes/index.js';
import { scratchDirectory } from '../support/scratch.js';

const ROOT = join(import.meta.dirname, '../../..');
const UNITS = join(ROOT, 'conf.example/systemd');
const SERVICES = ['usherd.service', 'usherd-router.service', 'usherd-watchdog.service'];
const ALL = [
  ...SERVICES,
  ...['usherd.target', 'usherd.socket', 'usherd-metrics.socket', 'usherd-watchdog.timer'],
];

const DROP_IN = 'usherd-isolation.conf';

/** Exposure that `systemd-analyze security` may find at most, times ten (docs/decisions/service-units.md). */
const EXPOSURE_MAX = { 'usherd.service': 34, 'usherd-router.service': 10 } as const;

const noAnalyze =
  spawnSync('systemd-analyze', ['--version']).status === 0 ? false : 'systemd is not installed';

const text = (name: string): string => readFileSync(join(UNITS, name), 'utf8');

/** The values of a directive, in order; comments and continuation are not used in our units. */
const values = (unit: string, directive: string): readonly string[] =>
  text(unit)
    .split('\n')
    .filter((line) => line.startsWith(`${directive}=`))
    .map((line) => line.slice(directive.length + 1));

function analyze(args: readonly string[]): {
  readonly status: number | null;
  readonly said: string;
} {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, {
    encoding: 'utf8',
    env: { ...process.env, SYSTEMD_COLORS: '0', LC_ALL: 'C.UTF-8' },
  });
  return { status, said: `${stdout}${stderr}` };
}

describe('systemd on our units', { skip: noAnalyze }, () => {
  test('verify finds nothing', (t) => {
    const directory = scratchDirectory(t);
    // With the drop-in for isolated applications, which is verified with the unit that it changes.
    mkdirSync(join(directory, 'usherd.service.d'));
    copyFileSync(join(UNITS, DROP_IN), join(directory, 'usherd.service.d', DROP_IN));
    for (const name of ALL) {
      // It wants the programs to be there; where they are installed is not its business.
      const here = text(name)
        .replaceAll('/usr/bin/node', process.execPath)
        .replaceAll('/usr/bin/usherd', join(ROOT, 'bin/usherd'));
      writeFileSync(join(directory, name), here);
    }
    const { status, said } = analyze([
      'verify',
      '--man=no',
      '--recursive-errors=no',
      ...ALL.map((name) => join(directory, name)),
    ]);
    // Only what it says of our files: a machine's own units may have faults.
    const ours = said.split('\n').filter((line) => line.includes('usherd'));
    assert.deepEqual(ours, []);
    assert.equal(status, 0, said);
  });

  for (const [name, threshold] of Object.entries(EXPOSURE_MAX)) {
    test(`the exposure of ${name} is at most ${threshold / 10}`, () => {
      const limit = `--threshold=${threshold}`;
      const { status, said } = analyze(['security', '--offline=true', limit, join(UNITS, name)]);
      assert.equal(status, 0, said.trim().split('\n').at(-1));
      // The judge is awake: one tenth of a point is more than any of our services reaches.
      const strict = analyze(['security', '--offline=true', '--threshold=1', join(UNITS, name)]);
      assert.notEqual(strict.status, 0);
    });
  }
});

/** Lines of [Service] that close a unit or limit it. */
const HARDENING =
  /^(?:Capability|Ambient|NoNew|UMask|Unset|Limit|Tasks|Delegate|Supplementary|Protect|Private|Proc|Restrict|Lock|Remove|Keyring|SystemCall|IPAddress|SocketBind|NoExec|Exec(?:Paths)|Inaccessible|ReadWrite)/;

test('every line that closes a unit stands below its reason, and those of the supervisor name what they cost tenants', () => {
  for (const unit of SERVICES) {
    let above: string[] = [];
    let isCode = false;
    for (const line of text(unit).split('\n')) {
      if (line.startsWith('#')) above = isCode ? [line] : [...above, line];
      else if (line === '') above = [];
      isCode = !line.startsWith('#') && line !== '';
      if (!HARDENING.test(line)) continue;
      const reason = above.filter((it) => !it.startsWith('# ---')).join(' ');
      const heading = above.find((it) => it.startsWith('# ---')) ?? '';
      assert.ok(reason !== '' || heading.includes(': '), `${unit}: ${line} has no reason above it`);
    }
  }
  const sandbox = text('usherd.service').split('# --- Sandbox')[1]?.split('[Install]')[0] ?? '';
  const parts = sandbox.split(/^(?=#)(?<=^[A-Z].*\n)/m).filter((part) => /^[A-Z]/m.test(part));
  assert.ok(parts.length > 15, String(parts.length));
  const silent = parts.filter((part) => !/Tenants|tenant|Sites|Users/.test(part));
  assert.deepEqual(silent, []);
});

test('a broken configuration is said in the journal, and tried again by nobody', () => {
  // systemd forgives the line before; what the main process ends with is what counts for a restart.
  assert.deepEqual(values('usherd.service', 'ExecStartPre'), ['-/usr/bin/usherd check']);
  for (const unit of ['usherd.service', 'usherd-router.service']) {
    assert.deepEqual(values(unit, 'RestartPreventExitStatus'), [String(ExitCode.PERMANENT)], unit);
  }
});

test('the watchdog kills for silence only, and no system call of Node ends it', () => {
  for (const part of ['supervisor', 'router']) {
    const line = values('usherd-watchdog.service', 'ExecStart').find((it) =>
      it.includes(`ready ${part}`),
    );
    const order = [
      'is-active',
      `ready ${part} --timeout 60s; code=$$?`,
      'test $$code -eq 111 || exit',
      'systemctl kill',
    ];
    const places = order.map((piece) => line?.indexOf(piece) ?? -1);
    assert.deepEqual(
      places,
      [...places].sort((one, other) => one - other),
    );
    assert.ok(!places.includes(-1), line);
  }
  for (const unit of SERVICES) {
    if (values(unit, 'SystemCallFilter').length === 0) continue;
    assert.deepEqual(values(unit, 'SystemCallErrorNumber'), ['EPERM'], unit);
  }
});

/** An empty file: all defaults. */
function defaultConfig(t: TestContext): ReturnType<typeof loadConfig> {
  const file = join(scratchDirectory(t), 'usherd.toml');
  writeFileSync(file, '');
  return loadConfig(file, { builtinRuntimes: BUILTIN_RUNTIMES, requireRootOwned: false });
}

const NODE = '/usr/bin/node';
const MAIN = '/usr/lib/usherd/dist/src/main.js';

test('the services start node with the flags that `usherd run` uses', () => {
  for (const service of ['supervisor', 'router'] as const) {
    const unit = service === 'supervisor' ? 'usherd.service' : 'usherd-router.service';
    // Without flags that only some of the supported versions of Node know.
    const flags = nodeFlags(service, new Set<string>());
    const first = service === 'supervisor' ? '/usr/bin/setpriv --inh-caps=-all -- ' : '';
    const wanted = `${first}${[NODE, ...flags, MAIN, service].join(' ')}`;
    assert.deepEqual(values(unit, 'ExecStart'), [wanted]);
    const environment = Object.entries(nodeEnvironment(service));
    assert.deepEqual(
      values(unit, 'Environment'),
      environment.map(([name, value]) => `${name}=${value}`),
    );
  }
});

test('the supervisor has the capabilities that `usherd run` leaves it, and the router none', () => {
  const ids = { routerUid: 101, routerGid: 102, frontGids: [33] };
  const program = { node: NODE, main: MAIN, config: undefined };
  const setpriv = { path: '/usr/bin/setpriv', knowsParentDeathSignal: false };
  const argv = childArgv('supervisor', program, { setpriv, ids }).join(' ');
  const bounding = /--bounding-set=-all,(\S+)/.exec(argv)?.[1] ?? '';
  const wanted = bounding.split(',').map((name) => name.replace('+', 'CAP_').toUpperCase());
  const [held = ''] = values('usherd.service', 'CapabilityBoundingSet');
  assert.deepEqual(new Set(held.split(' ')), new Set(wanted));
  assert.deepEqual(values('usherd-router.service', 'CapabilityBoundingSet'), ['']);
});

test('the front socket is the first of the default configuration', async (t) => {
  const config = await defaultConfig(t);
  const [front] = config.front.sockets;
  assert.deepEqual(values('usherd.socket', 'ListenStream'), [front?.path]);
  assert.deepEqual(values('usherd.socket', 'SocketGroup'), [front?.group]);
});

test('tmpfiles.d makes the directories that `usherd run` makes', async (t) => {
  const names = new Map([
    ['root', 0],
    ['usherd', 101],
    ['www-data', 33],
  ]);
  const rows = text('tmpfiles.d/usherd.conf')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [type, path = '', mode = '', user = '', group = ''] = line.split(/\s+/);
      assert.equal(type, 'd');
      return { path, uid: names.get(user), gid: names.get(group), mode: Number.parseInt(mode, 8) };
    });
  const ids = { routerUid: 101, routerGid: 101, frontGids: [33] };
  const planned = planDirectories(await defaultConfig(t), ids);
  const byPath = (a: { readonly path: string }, b: { readonly path: string }): number =>
    a.path.localeCompare(b.path);
  assert.deepEqual(rows.sort(byPath), [...planned].sort(byPath));
});
