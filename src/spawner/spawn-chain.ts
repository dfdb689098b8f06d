// Step 4 of a launch: the one place where root starts a process for a tenant.
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { bareOptions, launchChain, type DropPlan, type Tools } from '../privdrop/index.js';

/** Ours, or the other end of a pipe that we keep. */
type Descriptor = number | 'pipe';

/** Descriptors 0, 1 and 2 of a process. */
export type Descriptors = readonly [stdin: Descriptor, stdout: Descriptor, stderr: Descriptor];

export interface ChainOrder {
  readonly plan: DropPlan;
  readonly tools: Tools;
  readonly descriptors: Descriptors;
  /** The launcher, or another constant one that waits to be verified. */
  readonly program: readonly string[];
}

/** Constants and integers only; nothing here comes from a tenant. */
export function spawnChain({ plan, tools, descriptors, program }: ChainOrder): ChildProcess {
  const chain = launchChain(plan, tools, program);
  const options = bareOptions<SpawnOptions>({
    detached: true, // setsid(2): no controlling terminal, and a process group of its own
    stdio: [...descriptors, 'pipe'],
  });
  const child = spawn(chain.file, chain.args, options);
  child.on('error', () => undefined); // told by the missing pid, or a signal that came too late
  if (child.pid === undefined) throw new Error(`${chain.file} cannot be started`);
  return child;
}
