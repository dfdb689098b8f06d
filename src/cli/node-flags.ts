// How supervisor and router run node: less for an attacker to use, less memory, threads for file systems that hang.
import { LIMITS } from '../limits.js';

/**
 * What may keep a heap small: the supervisor's is copied, as page tables, at every fork. The router's nursery is larger:
 * with 2 MiB an eighth of its busy time went into collecting what requests leave behind. Why it collects by itself as well
 * is in router/read-garbage.ts.
 */
const HEAP_FLAGS = {
  supervisor: ['--max-old-space-size=64', '--max-semi-space-size=1'],
  router: ['--max-old-space-size=256', '--max-semi-space-size=8', '--expose-gc'],
} as const;

export type ServiceName = keyof typeof HEAP_FLAGS;

const HARDENING_FLAGS = [
  '--disable-proto=throw',
  // No eval: what is not in our files never runs. (--frozen-intrinsics would go further, but pino assigns
  // Error.prepareStackTrace, and node calls the flag experimental at every start.)
  '--disallow-code-generation-from-strings',
] as const;

/** From Node 22.14: SIGUSR1 does not open the inspector, not even before our own handler is there. */
const NO_INSPECTOR_SIGNAL = '--disable-sigusr1';

export const nodeFlags = (
  service: ServiceName,
  known: { has(flag: string): boolean } = process.allowedNodeEnvironmentFlags,
): readonly string[] => [
  ...HARDENING_FLAGS,
  ...(known.has(NO_INSPECTOR_SIGNAL) ? [NO_INSPECTOR_SIGNAL] : []),
  ...HEAP_FLAGS[service],
];

const THREADS_NAME = 'UV_THREADPOOL_SIZE';
/** libuv's own. */
const THREADS_DEFAULT_COUNT = 4;

/** What `usherd run` gives them, and usherd.service: node reads it before it reads our first line. */
export const nodeEnvironment = (service: ServiceName): Readonly<Record<string, string>> =>
  service === 'supervisor' ? { [THREADS_NAME]: String(LIMITS.supervisorThreadsCount) } : {};

/** How many threads read files in this process. */
export function threadsOf(environment: NodeJS.ProcessEnv): number {
  const count = Number(environment[THREADS_NAME]);
  return Number.isInteger(count) && count > 0 ? count : THREADS_DEFAULT_COUNT;
}
