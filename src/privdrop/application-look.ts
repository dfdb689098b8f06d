// A launch that goes no further than its report: what an application looks like to its user, and every rule that refuses it.
import { spawn, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { ErrorCode, Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { LaunchReport } from './application-rules.js';
import { bareOptions } from './bare-options.js';
import { launchChain } from './chain.js';
import { LauncherDialogue } from './launcher-dialogue.js';
import { launcherProgram } from './launcher-script.js';
import type { DropPlan } from './plan.js';
import type { Tools } from './tools.js';
import { verifyDrop } from './verify.js';

export type Look =
  | { readonly ok: true; readonly report: LaunchReport }
  | { readonly ok: false; readonly code: ErrorCode; readonly findings: readonly Finding[] };

export interface LookOptions {
  readonly plan: DropPlan;
  readonly tools: Tools;
  readonly directory: string;
  /** Marker files to look for. */
  readonly names: readonly string[];
}

const refused = (code: ErrorCode, ...findings: readonly Finding[]): Look => ({
  ok: false,
  code,
  findings,
});

/**
 * Nothing of the application is run, and nothing of it is opened by anybody but its user.
 * @throws UsherdError E_PRIVDROP_* if the drop cannot be proved, or the launcher says what it should not
 */
export async function lookAtApplication(options: LookOptions): Promise<Look> {
  const { plan, tools, directory, names } = options;
  const { file, args } = launchChain(plan, tools, launcherProgram(tools));
  const spawnOptions = bareOptions<SpawnOptions>({
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    timeout: LIMITS.launchDeadlineMs,
    killSignal: 'SIGKILL',
  });
  const child = spawn(file, args, spawnOptions);
  const line = child.stdio[3] as Socket;
  let look: Look | undefined;
  let failure: Error | undefined;
  const dialogue: LauncherDialogue = new LauncherDialogue({
    directory,
    uid: plan.uid,
    nonce: randomBytes(16).toString('hex'),
    names,
    onText: (text) => line.write(text),
    onDescriptors: () => {
      const faults = verifyDrop(child.pid ?? 0, plan, process.pid);
      if (faults.length === 0) dialogue.look();
      else look = refused('E_PRIVDROP_VERIFY', ...faults);
    },
    onReport: (report) => (look = { ok: true, report }),
    onRefused: (code, finding, further) => (look = refused(code, finding, ...further)),
  });
  line.on('error', () => undefined); // the launcher is gone, which its exit says, too
  line.on('data', (chunk: Buffer) => {
    try {
      dialogue.push(chunk);
    } catch (err) {
      failure = err instanceof Error ? err : new Error(String(err));
    }
    if (look !== undefined || failure !== undefined) child.kill('SIGKILL');
  });
  await once(child, 'close');
  if (failure !== undefined) throw failure;
  return look ?? refused('E_PRIVDROP_DEADLINE');
}
