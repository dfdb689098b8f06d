// A supervisor as a program of its own: the setting is the JSON file named by the first argument, read again on reload.
import { existsSync, readFileSync } from 'node:fs';
import { readVhosts, vhostsVersion } from '../../src/config/index.js';
import { isUsherdError } from '../../src/errors.js';
import { appLimits } from '../../src/runtimes/describe.js';
import { wallsOf } from '../../src/runtimes/walls.js';
import { Supervisor, type Describe, type Log } from '../../src/spawner/index.js';
import { DEFAULT_ORIGINS } from './config.js';
import { closeInheritedDescriptors } from './launch.js';
import { configOf, type TestSetting } from './supervisor-setting.js';

const say = (level: string) => (fields: object, message: string) => {
  process.stdout.write(`${JSON.stringify({ level, msg: message, ...fields })}\n`);
};
const log: Log = {
  fatal: say('fatal'),
  error: say('error'),
  warn: say('warn'),
  info: say('info'),
  debug: say('debug'),
};

/** The simplest application there is: an executable app.fcgi. `mode` comes from the manifest. */
const describe: Describe = (config, input) => {
  const runtime = config.runtimes.get('fastcgi');
  const hasEntry = input.marks.some(({ name }) => name === 'app.fcgi');
  if (runtime === undefined || !hasEntry) {
    const marker = { rule: 'marker', found: 'no app.fcgi', expected: 'one', remedy: 'add it' };
    return { ok: false, code: 'E_APP_EMPTY', findings: [marker] };
  }
  const userLimits = config.users.get(input.user)?.limits ?? config.defaults;
  const { maxWorkersPerUser } = userLimits;
  // A manifest that lowers one limit, for the tests of cgroups.
  const lowered = /^memory_max = (\d+)$/m.exec(input.manifestText ?? '')?.[1];
  const own = lowered === undefined ? {} : { memoryMaxBytes: Number(lowered) };
  const limits = { ...appLimits(userLimits), ...own };
  const isDevelopment = input.manifestText?.includes('development') ?? false;
  return {
    ok: true,
    blueprint: {
      facts: {
        defaultRuntime: 'fastcgi',
        webRoot: '',
        frontController: '',
        mode: isDevelopment ? 'development' : 'production',
        bufferRequests: true,
        roles: ['responder'],
        origins: DEFAULT_ORIGINS,
        accessLog: 'off',
        maxWorkersPerUser,
        limits,
      },
      runtime: 'fastcgi',
      protocol: 'fastcgi',
      connect: '',
      concurrency: 1,
      maxRequests: runtime.maxRequests,
      argv: ['./app.fcgi', input.app],
      environment: {},
      manifestEnvironment: new Map(),
      temporaryDirectory: `${config.usersDirectory}/${input.uid}/tmp`,
      folders: [`${config.usersDirectory}/${input.uid}/tmp`],
      walls: wallsOf(config, input.user, undefined),
      stopSignal: runtime.stopSignal,
      debianPackage: '',
      needs: [],
      because: '',
      umask: 0o027,
    },
  };
};

const HOLD_MAX_MS = 10_000;

/** As a supervisor that gets no processor. */
function waitSynchronously(path: string): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const untilMs = performance.now() + HOLD_MAX_MS;
  while (!existsSync(path) && performance.now() < untilMs) Atomics.wait(clock, 0, 0, 1);
}

closeInheritedDescriptors();
const file = process.argv[2] ?? '';
const read = (): TestSetting => JSON.parse(readFileSync(file, 'utf8')) as TestSetting;
const setting = read();
const realNow = Date.now;
const supervisor = new Supervisor({
  threads: 4,
  vhosts: { version: vhostsVersion, read: (directory) => readVhosts(directory, true) },
  config: configOf(setting),
  mode: process.getuid?.() === 0 ? 'root' : 'self',
  log,
  describe,
  markNames: () => ['app.fcgi'],
  loadConfig: () => {
    const { clockOffsetMs = 0 } = read();
    Date.now = () => realNow() + clockOffsetMs;
    return Promise.resolve(configOf(read()));
  },
  version: 'test',
  ...(setting.cleanTimes && { cleanTimes: setting.cleanTimes }),
  onLaunchStep: (step, pid) => {
    if (setting.disturb?.step === step) process.kill(pid, setting.disturb.signal);
    const { hold } = read();
    if (hold?.step === step) waitSynchronously(hold.until);
  },
});

process.on('SIGTERM', () => {
  void supervisor.stop();
});
try {
  await supervisor.start();
} catch (err) {
  const code = isUsherdError(err) ? err.code : 'unexpected';
  const findings = isUsherdError(err) ? err.findings : [];
  log.fatal({ errorCode: code, findings, detail: String(err) }, 'supervisor cannot start');
  process.exitCode = 100;
}
