// What each front sends for a request, as seen on the wire, and short ways to write facts and runtimes.
import type { RuntimeConfig } from '../../../src/config/config-types.js';
import type { AppFacts } from '../../../src/ipc/messages.js';
import { Roots } from '../../../src/router/resolve.js';
import { runtimeTable } from '../../../src/router/script.js';
import { DEFAULT_ORIGINS } from '../../support/config.js';

export const ROOTS = new Roots(['/srv/{user}/apps/{app}', '/home/{user}/public_html/{app}']);

export const paramsOf = (fields: Readonly<Record<string, string>>): Map<string, string> =>
  new Map(Object.entries(fields));

const runtime = (
  name: string,
  kind: 'script' | 'entry',
  extensions: readonly string[] = [],
): RuntimeConfig => ({
  name,
  kind,
  protocol: 'fastcgi',
  command: ['/usr/bin/true'],
  extensions,
  markers: [],
  environment: {},
  concurrency: 1,
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  debianPackage: '',
  missingScriptBody: '',
});

export const RUNTIMES = runtimeTable(
  new Map(
    [
      runtime('php', 'script', ['.php']),
      runtime('cgi', 'script', ['.cgi', '.php']),
      runtime('python', 'entry'),
    ].map((r) => [r.name, r]),
  ),
);

export const factsOf = (changes: Partial<AppFacts> = {}): AppFacts => ({
  type: 'facts',
  app: 'alice/blog',
  defaultRuntime: 'php',
  webRoot: '',
  frontController: 'index.php',
  mode: 'production',
  bufferRequests: true,
  roles: ['responder'],
  origins: DEFAULT_ORIGINS,
  accessLog: 'off',
  maxWorkersPerUser: 8,
  limits: {
    maxWorkersPerApp: 4,
    minWorkers: 0,
    queueLength: 100,
    queueTimeoutMs: 30_000,
    idleTimeoutMs: 300_000,
    startTimeoutMs: 30_000,
    firstByteTimeoutMs: 300_000,
    silenceTimeoutMs: 300_000,
    requestTimeoutMs: 3_600_000,
    stopTimeoutMs: 10_000,
    maxRequests: 0,
    recycleMemoryBytes: 0,
    maxBodyBytes: 0,
    memoryMaxBytes: 0,
    memoryHighBytes: 0,
    pidsMax: 256,
    slowRequestMs: 10_000,
  },
  ...changes,
});

export const PHP = factsOf();
export const PHP_PUBLIC = factsOf({ webRoot: 'public' });
export const PHP_BARE = factsOf({ frontController: '' });
export const PYTHON = factsOf({ defaultRuntime: 'python', frontController: '' });
export const PYTHON_PUBLIC = factsOf({
  defaultRuntime: 'python',
  frontController: '',
  webRoot: 'public',
});
