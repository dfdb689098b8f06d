// The programs that `usherd run` itself calls, by absolute path and with an empty environment.
import { execFile } from 'node:child_process';
import { lstat, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { directoryFindings, ownershipFindings, trustedUids } from '../config/index.js';
import { UsherdError, type Finding } from '../errors.js';
import type { Setpriv } from './child-argv.js';

const ANSWER_MAX_BYTES = 64 * 1024;
const ANSWER_DEADLINE_MS = 2_000;

const PLACES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'] as const;

/** A program of the operating system that only root can have put there; undefined if there is none. */
export async function findTool(name: string): Promise<string | undefined> {
  for (const place of PLACES) {
    const path = await realpath(`${place}/${name}`).catch(() => undefined);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** @throws UsherdError E_STARTUP_TOOL if somebody other than root could have changed the program */
async function assertRootOwned(path: string): Promise<void> {
  const root = trustedUids(true);
  const findings = [
    ...(await directoryFindings(dirname(path), root)),
    ...ownershipFindings(path, await lstat(path), root),
  ];
  if (findings.length > 0) throw new UsherdError('E_STARTUP_TOOL', path, { findings });
}

export async function findSetpriv(): Promise<Setpriv | undefined> {
  const path = await findTool('setpriv');
  if (path === undefined) return undefined;
  const { stdout } = await runTool(path, ['--help']);
  return { path, knowsParentDeathSignal: stdout.includes('--pdeathsig') };
}

/**
 * setpriv(1) as root needs it.
 * @throws UsherdError E_STARTUP_TOOL
 */
export async function requireSetpriv(): Promise<Setpriv> {
  const setpriv = await findSetpriv();
  if (setpriv === undefined) {
    throw new UsherdError('E_STARTUP_TOOL', 'setpriv', { findings: [missingTool('setpriv')] });
  }
  await assertRootOwned(setpriv.path);
  return setpriv;
}

const missingTool = (name: string): Finding => ({
  rule: 'tool-missing',
  path: name,
  found: `no ${name} in ${PLACES.join(', ')}`,
  expected: 'the program, as the distribution packages it',
  remedy: 'install util-linux',
});

export interface ToolAnswer {
  /** Undefined if the program did not end by itself. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export function runTool(
  path: string,
  args: readonly string[],
  deadlineMs: number = ANSWER_DEADLINE_MS,
): Promise<ToolAnswer> {
  return new Promise((resolve) => {
    const options = Object.assign(Object.create(null) as object, {
      cwd: '/',
      env: {},
      encoding: 'utf8' as const,
      timeout: deadlineMs,
      killSignal: 'SIGKILL' as const,
      maxBuffer: ANSWER_MAX_BYTES,
    });
    const child = execFile(path, [...args], options, (_err, stdout, stderr) => {
      resolve({ exitCode: child.exitCode ?? undefined, stdout, stderr });
    });
  });
}
