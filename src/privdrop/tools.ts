// The programs that the supervisor starts as root, or that a worker-to-be starts before its plan is known: found, checked, pinned.
import { spawnSync, type SpawnSyncOptions } from 'node:child_process';
import { lstatSync, realpathSync, statSync, type BigIntStats } from 'node:fs';
import { dirname } from 'node:path';
import { UsherdError, type Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import { bareOptions } from './bare-options.js';

interface Pin {
  readonly path: string;
  readonly version: string;
}

/**
 * Absolute paths as they are called. They are not resolved: a shell looks at its own name
 * (bash called `sh` reads no ~/.bashrc), and so do multi-call binaries. What they lead to is pinned.
 */
export interface Tools {
  readonly prlimit: string;
  readonly setpriv: string;
  readonly sh: string;
  readonly getent: string;
  readonly id: string;
  readonly stat: string;
  readonly head: string;
  readonly env: string;
  readonly mkdir: string;
  readonly find: string;
  readonly wc: string;
  /** setpriv --pdeathsig, util-linux >= 2.33. */
  readonly knowsParentDeathSignal: boolean;
  readonly pins: readonly Pin[];
}

const PACKAGES = {
  prlimit: 'util-linux',
  setpriv: 'util-linux',
  sh: 'dash',
  getent: 'libc-bin',
  id: 'coreutils',
  stat: 'coreutils',
  head: 'coreutils',
  env: 'coreutils',
  mkdir: 'coreutils',
  find: 'findutils',
  wc: 'coreutils',
} as const;
type ToolName = keyof typeof PACKAGES;

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'] as const;
// POSIX leaves its place open, but every script of the system begins with it.
const SHELL = '/bin/sh';

const WRITABLE_BY_OTHERS = 0o022;
const EXECUTABLE_BY_ALL = 0o111;

const versionOf = (stats: BigIntStats): string =>
  [stats.dev, stats.ino, stats.mtimeNs, stats.size, stats.mode, stats.uid].join(' ');

function* withParents(path: string): Generator<string> {
  yield path;
  if (path !== '/') yield* withParents(dirname(path));
}

/** Whoever could replace a component of `path` could run code as root. */
function unsafeComponent(path: string): Finding | undefined {
  for (const component of withParents(path)) {
    const stats = lstatSync(component);
    const { uid, mode } = stats;
    // A link's own mode means nothing; its owner and the directory it is in do.
    const isWritable = !stats.isSymbolicLink() && (mode & WRITABLE_BY_OTHERS) !== 0;
    if (uid !== 0 || isWritable) {
      return {
        rule: 'tool-owner',
        path: component,
        found: `owner ${uid}, mode ${(mode & 0o7777).toString(8)}`,
        expected: 'owner root, and nobody else may write',
        remedy: `chown root ${component} && chmod go-w ${component}`,
      };
    }
  }
  return undefined;
}

/** Why a program may not be used; undefined if it may. */
export function checkTool(path: string): Finding | undefined {
  const target = realpathSync(path);
  const unsafe = unsafeComponent(path) ?? unsafeComponent(target);
  if (unsafe !== undefined) return unsafe;
  const stats = statSync(target);
  if (stats.isFile() && (stats.mode & EXECUTABLE_BY_ALL) === EXECUTABLE_BY_ALL) return undefined;
  return {
    rule: 'tool-kind',
    path: target,
    found: 'not a program that everybody may run',
    expected: 'a regular file with mode 755',
    remedy: 'install its package again',
  };
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

function findTool(name: ToolName): string {
  const places = name === 'sh' ? [SHELL] : FOLDERS.map((folder) => `${folder}/${name}`);
  const path = places.find(exists);
  if (path === undefined) {
    const remedy = `install the package ${PACKAGES[name]}`;
    throw unusable(name, {
      rule: 'tool-missing',
      found: `no ${name} in ${FOLDERS.join(', ')}`,
      expected: `the program ${name}`,
      remedy,
    });
  }
  const finding = checkTool(path);
  if (finding !== undefined) throw unusable(name, finding);
  return path;
}

const unusable = (name: string, finding: Finding): UsherdError =>
  new UsherdError('E_STARTUP_TOOL', `${name} cannot be used`, { findings: [finding] });

/** Asked once, as the supervisor, of a program that has just been found safe. */
function knowsParentDeathSignal(setpriv: string): boolean {
  const options = bareOptions<SpawnSyncOptions>({ timeout: LIMITS.toolHelpDeadlineMs });
  const { error, stdout } = spawnSync(setpriv, ['--help'], options);
  return error === undefined && stdout.includes('--pdeathsig');
}

/**
 * Finds every program of the launch chain.
 * @throws UsherdError E_STARTUP_TOOL
 */
export function findTools(): Tools {
  const paths = {
    prlimit: findTool('prlimit'),
    setpriv: findTool('setpriv'),
    sh: findTool('sh'),
    getent: findTool('getent'),
    id: findTool('id'),
    stat: findTool('stat'),
    head: findTool('head'),
    env: findTool('env'),
    mkdir: findTool('mkdir'),
    find: findTool('find'),
    wc: findTool('wc'),
  };
  const pins = Object.values(paths).map((path) => ({
    path,
    version: versionOf(statSync(path, { bigint: true })),
  }));
  return { ...paths, knowsParentDeathSignal: knowsParentDeathSignal(paths.setpriv), pins };
}

/**
 * An upgrade of util-linux while usherd runs is ordinary; what it brought is looked at before it is used.
 * @throws UsherdError E_STARTUP_TOOL if a program is not the one that was checked
 */
export function recheckTools(tools: Tools): void {
  for (const { path, version } of tools.pins) {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined || versionOf(stats) !== version) {
      throw unusable(path, {
        rule: 'tool-changed',
        path,
        found: stats === undefined ? 'it is gone' : 'another file than at the start',
        expected: 'the program that was checked at the start',
        remedy: 'restart usherd, if the packages of the system were upgraded',
      });
    }
  }
}
