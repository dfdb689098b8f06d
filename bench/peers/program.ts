// One program of a peer: started in the foreground, ready when its port or socket accepts, stopped by its pid.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { waitFor } from '../../test/support/wait-for.js';

const START_DEADLINE_MS = 60_000;

function accepts(where: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(where);
    const done = (isOpen: boolean) => (): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.on('connect', done(true)).on('error', done(false));
  });
}

export class Program {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(
    command: readonly string[],
    logFile: string,
    isReady: NetConnectOpts,
  ): Promise<Program> {
    const [file = '', ...args] = command;
    const log = openSync(logFile, 'a');
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };
    const child = spawn(file, args, { stdio: ['ignore', log, log], env });
    closeSync(log);
    const isSettled = async (): Promise<boolean> =>
      child.exitCode !== null || (await accepts(isReady));
    await waitFor(`${file} to accept connections`, isSettled, START_DEADLINE_MS);
    if (child.exitCode !== null) throw new Error(`${command.join(' ')} did not start: ${logFile}`);
    return new Program(child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}
