// The command lines of supervisor and router: exactly these words, and no id that setpriv(1) could misread.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childArgv, type Ids } from '../../../src/cli/child-argv.js';
import { LIMITS } from '../../../src/limits.js';
import { nodeEnvironment, nodeFlags, threadsOf } from '../../../src/cli/node-flags.js';

const PROGRAM = { node: '/usr/bin/node', main: '/opt/main.js', config: '/etc/u.toml' };
const SETPRIV = { path: '/usr/bin/setpriv', knowsParentDeathSignal: true };
const IDS: Ids = { routerUid: 900, routerGid: 901, frontGids: [33, 48] };

const rest = (service: 'supervisor' | 'router'): readonly string[] => [
  '--',
  '/usr/bin/node',
  ...nodeFlags(service),
  '/opt/main.js',
  service,
  '--config',
  '/etc/u.toml',
];

test('the supervisor stays root with five capabilities and the groups of router and web servers', () => {
  assert.deepEqual(childArgv('supervisor', PROGRAM, { setpriv: SETPRIV, ids: IDS }), [
    '/usr/bin/setpriv',
    '--bounding-set=-all,+setuid,+setgid,+setpcap,+kill,+chown',
    '--inh-caps=-all',
    '--groups=901,33,48',
    '--pdeathsig=TERM',
    ...rest('supervisor'),
  ]);
});

test('the router keeps nothing but the groups of the web servers', () => {
  assert.deepEqual(childArgv('router', PROGRAM, { setpriv: SETPRIV, ids: IDS }), [
    '/usr/bin/setpriv',
    '--reuid=900',
    '--regid=901',
    '--groups=33,48',
    '--inh-caps=-all',
    '--bounding-set=-all',
    '--no-new-privs',
    '--pdeathsig=TERM',
    ...rest('router'),
  ]);
});

test('an old setpriv is not asked for a signal that it does not know', () => {
  const setpriv = { ...SETPRIV, knowsParentDeathSignal: false };
  const argv = childArgv('router', PROGRAM, { setpriv, ids: IDS });
  assert.ok(!argv.some((word) => word.includes('pdeathsig')));
});

test('without ids nothing is dropped: setpriv sets the signal, or is not needed at all', () => {
  assert.deepEqual(childArgv('router', PROGRAM, { setpriv: SETPRIV, ids: undefined }).slice(0, 3), [
    '/usr/bin/setpriv',
    '--pdeathsig=TERM',
    '--',
  ]);
  for (const setpriv of [undefined, { ...SETPRIV, knowsParentDeathSignal: false }]) {
    assert.equal(childArgv('router', PROGRAM, { setpriv, ids: undefined })[0], '/usr/bin/node');
  }
});

test('without web server groups the supplementary groups are cleared, never kept', () => {
  const argv = childArgv('router', PROGRAM, { setpriv: SETPRIV, ids: { ...IDS, frontGids: [] } });
  assert.ok(argv.includes('--clear-groups'));
});

test('no id that would be root, or become root in setpriv, gets into a command line', () => {
  for (const bad of [0, -1, 1.5, NaN, 2 ** 31 - 1, 2 ** 32, 2 ** 32 - 1, Infinity]) {
    for (const ids of [
      { ...IDS, routerUid: bad },
      { ...IDS, routerGid: bad },
      { ...IDS, frontGids: [33, bad] },
    ]) {
      assert.throws(() => childArgv('router', PROGRAM, { setpriv: SETPRIV, ids }), RangeError);
    }
  }
});

test('without a configuration file none is named', () => {
  const program = { ...PROGRAM, config: undefined };
  const argv = childArgv('router', program, { setpriv: SETPRIV, ids: IDS });
  assert.equal(argv.at(-1), 'router');
});

test('the inspector signal is turned off where node knows how', () => {
  assert.ok(nodeFlags('supervisor', new Set(['--disable-sigusr1'])).includes('--disable-sigusr1'));
  assert.ok(!nodeFlags('supervisor', new Set()).includes('--disable-sigusr1'));
});

test('__proto__ and eval are off in both', () => {
  for (const service of ['supervisor', 'router'] as const) {
    const flags = nodeFlags(service);
    assert.ok(flags.includes('--disable-proto=throw'));
    assert.ok(flags.includes('--disallow-code-generation-from-strings'));
  }
  assert.ok(nodeFlags('supervisor').includes('--max-old-space-size=64'));
});

test('the supervisor knows how many threads it has: those that it is given, or those of libuv', () => {
  assert.equal(threadsOf(nodeEnvironment('supervisor')), LIMITS.supervisorThreadsCount);
  for (const none of [{}, { UV_THREADPOOL_SIZE: '' }, { UV_THREADPOOL_SIZE: '-1' }]) {
    assert.equal(threadsOf(none), 4);
  }
  assert.deepEqual(nodeEnvironment('router'), {});
});
