// A trial run of the whole chain: what cannot drop a program that does nothing will not be given a tenant's.
import { spawn, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { UsherdError, type Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import { bareOptions } from './bare-options.js';
import { launchChain } from './chain.js';
import { LauncherDialogue } from './launcher-dialogue.js';
import { LAUNCHER_REFUSED } from './launcher-exit.js';
import { launcherProgram } from './launcher-script.js';
import type { DropPlan } from './plan.js';
import type { Tools } from './tools.js';
import { verifyDrop } from './verify.js';

/** It is never sent: the canary ends after it was verified. */
const NOWHERE = '/nonexistent';

const failed = (detail: string, findings: readonly Finding[], cause?: unknown): UsherdError =>
  new UsherdError('E_STARTUP_CANARY', detail, { findings, cause });

/**
 * Starts the launcher as the plan says, verifies it, and lets it go.
 * @throws UsherdError E_STARTUP_CANARY with what was not as planned
 */
export async function runCanary(plan: DropPlan, tools: Tools): Promise<void> {
  const { file, args } = launchChain(plan, tools, launcherProgram(tools));
  const options = bareOptions<SpawnOptions>({
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    timeout: LIMITS.launchDeadlineMs,
    killSignal: 'SIGKILL',
  });
  const child = spawn(file, args, options);
  const line = child.stdio[3] as Socket;
  let verdict: UsherdError | 'verified' | undefined;
  const dialogue = new LauncherDialogue({
    directory: NOWHERE,
    uid: plan.uid,
    nonce: randomBytes(16).toString('hex'),
    names: [],
    onText: () => undefined,
    onDescriptors: () => {
      const findings = verifyDrop(child.pid ?? 0, plan, process.pid);
      verdict = findings.length === 0 ? 'verified' : failed('not as planned', findings);
      line.end();
    },
    onReport: () => undefined,
    onRefused: (_code, finding) => {
      verdict = failed('not as planned', [finding]);
    },
  });
  line.on('error', () => undefined);
  line.on('data', (chunk: Buffer) => {
    try {
      dialogue.push(chunk);
    } catch (err) {
      verdict = failed('the launcher is not ours', [], err);
    }
    if (verdict !== 'verified') child.kill('SIGKILL');
  });
  const [exitCode, signal] = await ended(child);
  if (verdict instanceof UsherdError) throw verdict;
  if (verdict === undefined) throw failed('the launcher did not get as far as its first line', []);
  if (exitCode !== LAUNCHER_REFUSED) {
    throw failed(`the launcher ended with ${exitCode ?? signal ?? 'nothing'}`, []);
  }
}

type Exit = readonly [exitCode: number | null, signal: NodeJS.Signals | null];

const ended = (child: ReturnType<typeof spawn>): Promise<Exit> =>
  new Promise((resolve, reject) => {
    child.once('error', (err) => reject(failed('the chain cannot be started', [], err)));
    child.once('close', (exitCode, signal) => resolve([exitCode, signal]));
  });
