// Running one program after another, as every script here does: plain Node, no packages, because they run before any is installed.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The checkout that these scripts belong to. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** A mistake or a lack that the person at the keyboard can mend: printed without a stack trace. */
export class Complaint extends Error {}

/** Prints what went wrong and makes the process end with 1; a complaint as one line, anything else in full. */
export function fail(err) {
  process.stderr.write(`${err instanceof Complaint ? err.message : err.stack}\n`);
  process.exitCode = 1;
}

/**
 * Runs one program in the checkout and waits for it.
 * `quiet` keeps its output back; it is in the result either way only then.
 */
export function run(file, args, { quiet = false, env = process.env, cwd = ROOT } = {}) {
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'];
  const result = spawnSync(file, args, { cwd, env, stdio, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.error !== undefined && result.error.code !== 'ENOENT') throw result.error;
  return {
    found: result.error === undefined,
    ok: result.status === 0,
    output: `${result.stdout ?? ''}${result.stderr ?? ''}`,
    signal: result.signal,
  };
}

/** The program of an installed package, run by this same Node, so that no PATH and no shell decide. */
export const tool = (path) => [process.execPath, `${ROOT}/node_modules/${path}`];

/** Seconds since `startMs`, for a person. */
export const seconds = (startMs) => `${((Date.now() - startMs) / 1000).toFixed(1)} s`;
