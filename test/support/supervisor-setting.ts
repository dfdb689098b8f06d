// What a test tells the supervisor that it starts in a process of its own; travels as JSON.
import type { Config, UserLimits } from '../../src/config/index.js';
import type { LaunchStep } from '../../src/spawner/index.js';
import { TEST_LIMITS, TEST_RUNTIME, testConfig, testUser } from './config.js';

export interface TestSetting {
  readonly run: string;
  readonly roots: readonly string[];
  readonly usersDirectory: string;
  readonly privateDirectories?: Config['privateDirectories'];
  readonly vhosts?: string;
  readonly users: readonly {
    readonly name: string;
    readonly uid: number;
    readonly suspended?: boolean;
    readonly limits?: Partial<UserLimits>;
  }[];
  readonly isolation?: 'strict';
  readonly maxWorkers?: number;
  readonly maxRequests?: number;
  readonly cleanTimes?: { readonly firstAfterMs: number; readonly intervalMs: number };
  /** What is done to each process between two steps of its launch. */
  readonly disturb?: { readonly step: LaunchStep; readonly signal: NodeJS.Signals };
  /** How far the clock of the machine is off; taken over at a reload. */
  readonly clockOffsetMs?: number;
  /** At this step of any launch the whole supervisor waits until the file is there. May be changed while it runs. */
  readonly hold?: { readonly step: LaunchStep; readonly until: string };
}

export function configOf(setting: TestSetting): Config {
  const users = setting.users.map(({ name, uid, suspended = false, limits = {} }) =>
    testUser(name, uid, {
      suspended,
      isolation: setting.isolation ?? 'none',
      limits: { ...TEST_LIMITS, ...limits },
    }),
  );
  const runtime = { ...TEST_RUNTIME, maxRequests: setting.maxRequests ?? 0 };
  return testConfig({
    paths: { run: setting.run, log: '/nonexistent', state: '/nonexistent' },
    usersDirectory: setting.usersDirectory,
    ...(setting.privateDirectories && { privateDirectories: setting.privateDirectories }),
    isolation: { mode: setting.isolation ?? 'none', visible: [], home: false },
    apps: { roots: setting.roots, vhosts: setting.vhosts ?? '', prestart: [] },
    maxWorkers: setting.maxWorkers ?? 64,
    runtimes: new Map([['fastcgi', runtime]]),
    users: new Map(users.map((user) => [user.name, user])),
  });
}
