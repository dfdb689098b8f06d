// What is started for an application, by what was seen of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS } from '../../../src/config/defaults.js';
import { mergeLayers, type Layers } from '../../../src/config/layers.js';
import { parseManifest } from '../../../src/config/index.js';
import type { AppFacts } from '../../../src/ipc/messages.js';
import {
  BUILTIN_RUNTIMES,
  describeApplication,
  markNames,
  type Blueprint,
  type Description,
  type Mark,
} from '../../../src/runtimes/index.js';
import { DEFAULT_ORIGINS } from '../../support/config.js';
import { appLimits } from '../../../src/runtimes/describe.js';

const UID = 2_001;

const configOf = (main: Layers['main'] = {}) =>
  mergeLayers(
    { file: '', main, userFiles: new Map() },
    { builtinRuntimes: BUILTIN_RUNTIMES, memoryBytes: 2 ** 33 },
  );

const file = (name: string, mode = 0o640): Mark => ({ name, uid: UID, mode, kind: 'file' });
const directory = (name: string): Mark => ({ name, uid: UID, mode: 0o750, kind: 'directory' });
const link = (name: string): Mark => ({ name, uid: UID, mode: 0o777, kind: 'link' });

interface Given {
  readonly marks?: readonly Mark[];
  readonly wantedRuntime?: string;
  readonly manifest?: string;
  readonly main?: Layers['main'];
}

function describe({ marks = [], wantedRuntime = '', manifest, main }: Given): Description {
  const config = configOf(main);
  const sighting = {
    user: 'alice',
    app: 'alice/blog',
    directory: '/srv/alice/apps/blog',
    uid: UID,
  };
  const limits = config.users.get('alice')?.limits ?? config.defaults;
  const parsed = manifest === undefined ? undefined : parseManifest(manifest, limits);
  assert.ok(parsed?.ok !== false, JSON.stringify(parsed));
  return describeApplication(config, { ...sighting, marks, wantedRuntime }, parsed?.manifest);
}

function accepted(given: Given): Blueprint {
  const description = describe(given);
  assert.ok(description.ok, JSON.stringify(description));
  return description.blueprint;
}

function refusal(given: Given): { readonly code: string; readonly rule: string } {
  const description = describe(given);
  const text = JSON.stringify(description);
  assert.ok(!description.ok && !text.includes('""'), text);
  return { code: description.code, rule: description.findings[0]?.rule ?? '' };
}

test('facts have the shape that the router is told', () => {
  const facts: Omit<AppFacts, 'type' | 'app'> = accepted({ marks: [file('index.php')] }).facts;
  assert.deepEqual(facts, {
    defaultRuntime: 'php',
    webRoot: '',
    frontController: 'index.php',
    mode: 'production',
    bufferRequests: true,
    roles: ['responder'],
    accessLog: 'off',
    maxWorkersPerUser: 8,
    limits: withoutUserLimit(),
    origins: DEFAULT_ORIGINS,
  });
});

function withoutUserLimit(): object {
  const limits = appLimits(DEFAULTS.limits);
  assert.equal(Object.keys(limits).length, Object.keys(DEFAULTS.limits).length - 3);
  return limits;
}

test('a directory with an index script is a PHP application with it as front controller', () => {
  const blueprint = accepted({ marks: [file('index.php')] });
  assert.equal(blueprint.runtime, 'php');
  assert.equal(blueprint.argv[0], '/usr/bin/php-cgi');
  assert.ok(blueprint.argv.includes('-dcgi.fix_pathinfo=0'));
  assert.equal(blueprint.maxRequests, 10_000);
  assert.equal(blueprint.environment['PHP_FCGI_CHILDREN'], '0');
});

test('a CGI program is an index script, too, where there is none of PHP', () => {
  const cgi = accepted({ marks: [file('index.cgi')] });
  assert.deepEqual([cgi.runtime, cgi.facts.frontController], ['cgi', 'index.cgi']);
  const both = accepted({ marks: [file('index.cgi'), file('index.php')] });
  assert.deepEqual([both.runtime, both.facts.frontController], ['php', 'index.php']);
  const inside = accepted({ marks: [directory('public'), file('public/index.cgi')] });
  assert.deepEqual([inside.runtime, inside.facts.frontController], ['cgi', 'index.cgi']);
});

test('with public/ only the index script in it counts', () => {
  const inside = [directory('public'), file('public/index.php')];
  assert.equal(accepted({ marks: inside }).facts.webRoot, 'public');
  assert.equal(accepted({ marks: inside }).facts.frontController, 'index.php');
  const outside = [directory('public'), file('index.php')];
  assert.equal(refusal({ marks: outside }).code, 'E_APP_EMPTY');
});

test('a file called public is no web root, a link is one', () => {
  assert.equal(accepted({ marks: [file('public'), file('index.php')] }).facts.webRoot, '');
  assert.equal(
    accepted({ marks: [link('public'), file('public/index.php')] }).facts.webRoot,
    'public',
  );
});

test('an empty directory runs nothing, but a script in it that is asked for', () => {
  assert.deepEqual(refusal({}), { code: 'E_APP_EMPTY', rule: 'no-runtime' });
  const php = accepted({ wantedRuntime: 'php' });
  assert.equal(php.runtime, 'php');
  assert.equal(php.facts.defaultRuntime, '');
  assert.equal(accepted({ wantedRuntime: 'cgi' }).argv[0], '/usr/sbin/fcgiwrap');
});

test('each marker selects its runtime', () => {
  const rows: readonly (readonly [marker: string, runtime: string])[] = [
    ['app.fcgi', 'fastcgi'],
    ['index.fcgi', 'fastcgi'],
    ['dispatch.fcgi', 'fastcgi'],
    ['passenger_wsgi.py', 'python'],
    ['wsgi.py', 'python'],
    ['app.py', 'python'],
    ['manage.py', 'python'],
    ['asgi.py', 'asgi'],
    ['app.psgi', 'perl'],
    ['server.js', 'node'],
    ['server.mjs', 'node'],
    ['app.js', 'node'],
    ['app.mjs', 'node'],
    ['app.jar', 'jar'],
  ];
  for (const [marker, runtime] of rows) {
    const blueprint = accepted({ marks: [file(marker, 0o750)] });
    assert.equal(blueprint.runtime, runtime, marker);
    assert.equal(blueprint.facts.defaultRuntime, runtime);
    assert.equal(blueprint.facts.frontController, '');
    assert.ok(blueprint.argv.some((word) => word.endsWith(marker)));
    assert.ok(!blueprint.argv.some((word) => /\{(?:entry|libexec)\}/.test(word)));
  }
});

test('a marker that says how, and not what, is not in the command', () => {
  for (const [mark, runtime] of [
    [file('config.ru'), 'ruby'],
    [file('package.json'), 'node'],
    [file('Procfile'), 'procfile'],
    [{ ...file('WEB-INF', 0o755), kind: 'directory' }, 'java'],
  ] as const) {
    assert.equal(accepted({ marks: [mark] }).runtime, runtime);
    assert.equal(accepted({ marks: [mark] }).protocol, 'http');
  }
  assert.equal(refusal({ marks: [{ ...file('app.py'), kind: 'directory' }] }).rule, 'no-runtime');
});

test('what sites of PHP have too does not make them programs of Node', () => {
  for (const name of ['package.json', 'app.js', 'Procfile']) {
    const marks = [file(name), file('index.php')];
    assert.equal(accepted({ marks }).runtime, 'php', name);
    const inPublic = [
      file(name),
      { ...file('public'), kind: 'directory' as const },
      file('public/index.php'),
    ];
    assert.equal(accepted({ marks: inPublic }).runtime, 'php', name);
  }
  const asked = { marks: [file('app.js'), file('index.php')], manifest: 'runtime = "node"' };
  assert.equal(accepted(asked).runtime, 'node');
});

test("an application's own environment of Python or Ruby is preferred to the system's", () => {
  const venv = accepted({ marks: [file('wsgi.py'), file('venv/bin/python', 0o755)] });
  assert.equal(venv.argv[venv.argv.indexOf('--virtualenv') + 1], 'venv');
  assert.ok(!accepted({ marks: [file('wsgi.py')] }).argv.includes('--virtualenv'));
  const uvicorn = accepted({ marks: [file('asgi.py'), file('.venv/bin/uvicorn', 0o755)] });
  assert.equal(uvicorn.argv[0], './.venv/bin/python');
  assert.equal(accepted({ marks: [file('asgi.py')] }).argv[0], '/usr/bin/python3');
  const gems = accepted({ marks: [file('config.ru'), file('Gemfile.lock')] });
  assert.deepEqual(gems.argv.slice(0, 3), ['/usr/bin/bundle', 'exec', 'puma']);
});

test('what the administrator adds is looked for first, and his command has no variants', () => {
  const main = {
    runtimes: {
      rails: { command: ['/opt/rails', '{entry}'], markers: ['Rakefile'] },
      node: { command: ['/opt/node/bin/node', '{libexec}/node-start.cjs'] },
    },
  } as Layers['main'];
  const marks = [file('app.py'), file('Rakefile')];
  assert.deepEqual(accepted({ main, marks }).argv, ['/opt/rails', 'Rakefile']);
  assert.equal(accepted({ main, marks: [file('package.json')] }).argv[0], '/opt/node/bin/node');
});

test('of several runtimes for one extension the application chooses', () => {
  const main = {
    runtimes: { php83: { kind: 'script', command: ['/opt/php83'], extensions: ['.php'] } },
  } as Layers['main'];
  const marks = [file('index.php')];
  assert.equal(accepted({ main, marks }).runtime, 'php');
  for (const wantedRuntime of ['', 'php', 'php83']) {
    const chosen = accepted({ main, marks, wantedRuntime, manifest: 'runtime = "php83"' });
    assert.equal(chosen.runtime, 'php83');
    assert.equal(chosen.facts.defaultRuntime, 'php83');
  }
});

test('the first rule of the table that holds decides', () => {
  const marks = [file('app.py'), file('app.psgi'), file('index.php'), file('app.fcgi', 0o750)];
  assert.equal(accepted({ marks }).runtime, 'fastcgi');
  assert.equal(accepted({ marks: marks.slice(0, 3) }).runtime, 'python');
  assert.equal(accepted({ marks: marks.slice(1, 3) }).runtime, 'perl');
  assert.equal(accepted({ marks: marks.slice(2, 3) }).runtime, 'php');
  assert.equal(accepted({ marks, manifest: 'runtime = "perl"' }).runtime, 'perl');
});

test('a program is started by its marker, and only if it is executable', () => {
  assert.deepEqual(accepted({ marks: [file('app.fcgi', 0o700)] }).argv, ['./app.fcgi']);
  assert.deepEqual(refusal({ marks: [file('app.fcgi', 0o640)] }), {
    code: 'E_ACCESS_REFUSED',
    rule: 'entry-executable',
  });
  // uWSGI reads the file; nobody executes it.
  assert.equal(accepted({ marks: [file('app.py', 0o640)] }).runtime, 'python');
});

test('a directory called like a marker is none', () => {
  assert.equal(refusal({ marks: [directory('app.fcgi')] }).code, 'E_APP_EMPTY');
});

test('beside an entry application a script is run by its own runtime', () => {
  const marks = [file('app.py')];
  const php = accepted({ marks, wantedRuntime: 'php', manifest: 'concurrency = 9' });
  assert.equal(php.runtime, 'php');
  assert.equal(php.concurrency, 1);
  assert.equal(php.facts.defaultRuntime, 'python');
});

test('asked for a program that the application no longer has, it is what its files say now', () => {
  for (const wantedRuntime of ['python', 'perl', 'nonsense']) {
    assert.equal(accepted({ marks: [file('app.py')], wantedRuntime }).runtime, 'python');
    assert.equal(refusal({ marks: [], wantedRuntime }).rule, 'no-runtime');
  }
});

test('a command of its own makes a FastCGI application, without any marker', () => {
  const blueprint = accepted({ manifest: 'command = ["bin/serve", "-x"]\nconcurrency = 100' });
  assert.deepEqual(blueprint.argv, ['./bin/serve', '-x']);
  assert.equal(blueprint.runtime, 'fastcgi');
  assert.equal(blueprint.protocol, 'fastcgi');
  assert.equal(blueprint.concurrency, 100);
  assert.equal(blueprint.debianPackage, '');
});

test("a script runtime's own command is only for the runtime that the manifest names", () => {
  const manifest = 'runtime = "php"\ncommand = ["./my-php"]\nconcurrency = 50';
  const own = accepted({ manifest, marks: [file('index.php')] });
  assert.deepEqual(own.argv, ['./my-php']);
  assert.equal(own.concurrency, 1, 'how many requests php takes is not for the application to say');
  assert.equal(accepted({ manifest, wantedRuntime: 'php' }).argv[0], './my-php');
  assert.equal(accepted({ manifest, wantedRuntime: 'cgi' }).argv[0], '/usr/sbin/fcgiwrap');
});

test('the file that decided is named', () => {
  const because = (manifest: string | undefined, ...names: readonly string[]): string =>
    accepted({
      ...(manifest !== undefined && { manifest }),
      marks: names.map((name) => file(name)),
    }).because;
  assert.equal(because(undefined, 'app.py', 'index.php'), 'app.py');
  assert.equal(because(undefined, 'index.php', 'package.json'), 'index.php');
  assert.equal(because('runtime = "php"', 'index.php'), 'usherd.toml');
  assert.equal(because('command = ["./serve"]', 'app.py'), 'usherd.toml');
  assert.equal(because('front_controller = "doku.php"', 'index.php'), 'usherd.toml');
});

test('the umask is that of the manifest, or the user, or everybody', () => {
  assert.equal(accepted({ marks: [file('index.php')] }).umask, 0o027);
  assert.equal(accepted({ marks: [file('index.php')], manifest: 'umask = "022"' }).umask, 0o022);
});

test('what a program needs goes with the command that was chosen', () => {
  const needed = (...names: readonly string[]): readonly string[] =>
    accepted({ marks: names.map((name) => file(name)) }).needs.map(({ what }) => what);
  assert.deepEqual(needed('asgi.py'), ['Python module uvicorn']);
  assert.match(needed('asgi.py', 'venv/bin/uvicorn').join(), /^Python of .* venv\/$/);
  assert.deepEqual(needed('app.py', '.venv/bin/python'), [
    ...needed('app.py'),
    'Python of the virtual environment .venv/',
  ]);
  assert.deepEqual(needed('index.php'), []);
  const bundled = accepted({ marks: [file('config.ru'), file('Gemfile.lock')] });
  assert.equal(bundled.debianPackage, 'bundler');
  assert.match(bundled.needs[0]?.what ?? '', /puma/);
  const own = accepted({ marks: [file('app.psgi')], manifest: 'command = ["./serve"]' });
  assert.deepEqual(own.needs, []);
});

test('a runtime that is not there, or needs a file that is not there, is refused by name', () => {
  assert.deepEqual(refusal({ manifest: 'runtime = "cobol"' }), {
    code: 'E_RUNTIME_MISSING',
    rule: 'manifest-runtime',
  });
  assert.deepEqual(refusal({ manifest: 'runtime = "python"' }), {
    code: 'E_MANIFEST_INVALID',
    rule: 'entry-missing',
  });
});

test('a manifest or the administrator names the protocol of a program', () => {
  const manifest = 'command = ["./serve"]\nprotocol = "http"';
  assert.equal(accepted({ manifest }).protocol, 'http');
  const main = {
    runtimes: { web: { command: ['./{entry}'], markers: ['web'], protocol: 'scgi' } },
  };
  const runtime = { main: main as Layers['main'], marks: [file('web', 0o700)] };
  assert.equal(accepted(runtime).protocol, 'scgi');
});

test('the front controller of the manifest wins, may be off, and selects the runtime of its extension', () => {
  const marks = [file('index.php')];
  const own = accepted({ marks, manifest: 'front_controller = "app.php"' });
  assert.equal(own.facts.frontController, 'app.php');
  assert.equal(own.facts.defaultRuntime, 'php');
  const cgi = accepted({ marks, manifest: 'front_controller = "site.cgi"' });
  assert.equal(cgi.runtime, 'cgi');
  assert.equal(refusal({ marks, manifest: 'front_controller = ""' }).rule, 'no-runtime');
  assert.equal(
    accepted({ marks, manifest: 'front_controller = ""', wantedRuntime: 'php' }).facts
      .defaultRuntime,
    '',
  );
});

test('limits come from the user and the manifest together, whichever is lower', () => {
  const main = { users: { alice: { limits: { queue_length: 50, max_requests: 20 } } } };
  const { facts, maxRequests } = accepted({
    marks: [file('index.php')],
    manifest: '[limits]\nqueue_length = 60\nmax_requests = 10\nidle_timeout = "1s"',
    main,
  });
  assert.equal(facts.limits.queueLength, 50);
  assert.equal(facts.limits.idleTimeoutMs, 1_000);
  assert.equal(maxRequests, 10);
});

test('an application cannot keep or have more workers than its user', () => {
  const limits = { max_workers_per_user: 2, max_workers_per_app: 9, min_workers: 5 };
  const { facts } = accepted({ marks: [file('index.php')], main: { limits } });
  assert.equal(facts.limits.maxWorkersPerApp, 2);
  assert.equal(facts.limits.minWorkers, 2);
});

test("the manifest's environment is kept apart from the runtime's", () => {
  const blueprint = accepted({ marks: [file('index.php')], manifest: '[env]\nA = "1"' });
  assert.equal(blueprint.environment['A'], undefined);
  assert.equal(blueprint.manifestEnvironment.get('A'), '1');
});

test('the launcher is asked for every name that anything here looks at, once', () => {
  const names = markNames(configOf().runtimes);
  assert.equal(new Set(names).size, names.length);
  for (const name of [
    ...['public', 'index.php', 'public/index.php', 'app.fcgi', 'passenger_wsgi.py', 'app.psgi'],
    ...['usherd.toml', 'tmp/restart.txt', 'restart.txt'],
  ]) {
    assert.ok(names.includes(name), name);
  }
});

const STRICT = 'isolation = "strict"';

test('an application has walls if it or the administrator asks for them, and only he can leave them out', () => {
  const marks = [file('index.php')];
  const isIsolated = (given: Given): boolean => accepted({ marks, ...given }).walls !== undefined;
  const everybody: Layers['main'] = { isolation: { mode: 'strict' } };
  assert.equal(isIsolated({}), false);
  assert.equal(isIsolated({ manifest: STRICT }), true);
  assert.equal(isIsolated({ main: everybody }), true);
  assert.equal(isIsolated({ main: everybody, manifest: 'isolation = "none"' }), true);
  assert.equal(isIsolated({ main: { users: { alice: { isolation: 'strict' } } } }), true);
  const butAlice = { ...everybody, users: { alice: { isolation: 'none' as const } } };
  assert.equal(isIsolated({ main: butAlice }), false);
  assert.equal(isIsolated({ main: butAlice, manifest: STRICT }), true);
});

test('walls show what the administrator names and our own programs, and hide roots, sockets, logs and states', () => {
  const main: Layers['main'] = {
    apps: { roots: ['/opt/sites/{user}/{app}', '/srv/{user}/apps/{app}'] },
    isolation: { visible: ['/run/redis.sock'], home: true },
  };
  const { walls } = accepted({ marks: [file('index.php')], manifest: STRICT, main });
  assert.ok(walls !== undefined);
  assert.match(walls.visible[0] ?? '', /\/libexec$/);
  assert.deepEqual(walls.visible.slice(1), ['/run/redis.sock']);
  assert.equal(walls.showsHome, true);
  for (const path of ['/opt/sites', '/srv', '/run/usherd', '/var/log/usherd', '/var/lib/usherd']) {
    assert.ok(walls.hidden.includes(path), path);
  }
});

test('an isolated application has temporary files that its user’s other ones do not share', () => {
  const marks = [file('index.php')];
  const own = '/var/lib/usherd/users/2001';
  assert.equal(accepted({ marks }).temporaryDirectory, `${own}/tmp`);
  const { temporaryDirectory, folders } = accepted({ marks, manifest: STRICT });
  assert.equal(temporaryDirectory, `${own}/isolated/blog`);
  assert.ok(folders.includes(temporaryDirectory));
});

test('roles other than Responder are for programs of the application’s own that speak FastCGI', () => {
  const offering = (text: string, marks: readonly Mark[]) =>
    ({ manifest: `roles = ["responder", "authorizer"]\n${text}`, marks }) as const;
  const own = offering('', [file('app.fcgi', 0o750)]);
  assert.deepEqual(accepted(own).facts.roles, ['responder', 'authorizer']);
  // php-cgi would run the page that somebody wants to see, and its 200 would open the door.
  for (const [text, marks] of [
    ['', [file('index.php')]],
    ['runtime = "cgi"', []],
    ['protocol = "http"', [file('app.fcgi', 0o750)]],
    ['', [file('server.js')]],
    ['', []],
  ] as const) {
    const { code, rule } = refusal(offering(text, marks));
    assert.deepEqual({ code, rule }, { code: 'E_MANIFEST_INVALID', rule: 'manifest-roles' });
  }
  const pages = { manifest: 'roles = ["responder"]', marks: [file('index.php')] };
  assert.deepEqual(accepted(pages).facts.roles, ['responder']);
});
