// Step 4 of a launch: the one place where root starts a process for a tenant.
import { spawn, type ChildProcess } from 'node:child_process';
import { launchChain, launcherProgram, type DropPlan, type Tools } from '../privdrop/index.js';

/** Descriptors 0, 1 and 2 of a process. */
export type Descriptors = readonly [stdin: number, stdout: number, stderr: number];

/** Constants and integers only; nothing here comes from a tenant. */
export function spawnChain(plan: DropPlan, tools: Tools, descriptors: Descriptors): ChildProcess {
  const chain = launchChain(plan, tools, launcherProgram(tools));
  // Without prototypes: spawn() would honour an inherited `uid`, and hand inherited names of env to the child.
  const options = Object.assign(Object.create(null) as object, {
    cwd: '/',
    env: Object.create(null) as NodeJS.ProcessEnv,
    detached: true, // setsid(2): no controlling terminal, and a process group of its own
    shell: false,
    stdio: [...descriptors, 'pipe'] as (number | 'pipe')[],
  });
  const child = spawn(chain.file, chain.args, options);
  child.on('error', () => undefined); // told by the missing pid, or a signal that came too late
  if (child.pid === undefined) throw new Error(`${chain.file} cannot be started`);
  return child;
}
