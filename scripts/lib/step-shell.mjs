// How the steps of package-test run a line of shell: with the words that lead to the machine where it is run.
import { spawn, spawnSync } from 'node:child_process';

/** @returns whether it went well, and all that it said */
export function runLine([file, ...args], { env, deadlineMs }) {
  const { status, stdout, stderr } = spawnSync(file, args, {
    env,
    encoding: 'utf8',
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
  });
  return { ok: status === 0, output: `${stdout}${stderr}`.trim() };
}

/** Runs it beside us; its output comes when it has ended. */
export function startLine([file, ...args], { env }) {
  const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once('close', () => resolve(output.trim())));
  return { ended, stdin: child.stdin };
}
