// A root directory booted by systemd-nspawn, with systemd as its first process, and thrown away afterwards.
// To be called in namespaces of its own (`unshare --mount --pid --net --ipc …`): it is then the first process there.
import { spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Complaint } from './run.mjs';
import { runLine, startLine } from './step-shell.mjs';

const BOOT_DEADLINE_MS = 180_000;
const LOOK_MS = 200;
/** Of one command; the longest is the watchdog's, which waits a minute by itself. */
const COMMAND_DEADLINE_MS = 180_000;
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  HOME: '/root',
  DEBIAN_FRONTEND: 'noninteractive',
};

export class BootedRoot {
  #pid;
  #container;

  /**
   * Resolves when its systemd has nothing left to start.
   * @param {string} root stays as it is: what is written goes to memory
   * @param {{ readOnly?: Record<string, string>, log: string }} options directories to show inside, by their place there
   */
  static async boot(root, { readOnly = {}, log }) {
    const binds = Object.entries(readOnly).map(
      ([inside, outside]) => `--bind-ro=${outside}:${inside}`,
    );
    const args = [
      '-D',
      root,
      '--boot',
      '--register=no',
      '--keep-unit',
      '--quiet',
      '--console=read-only',
    ];
    const out = openSync(log, 'w');
    const container = spawn(
      'systemd-nspawn',
      [...args, '--private-network', '--volatile=overlay', '-M', 'usherd-test', ...binds],
      {
        stdio: ['ignore', out, out],
        // Where the machine has the old hierarchies, too: only the new one for the container.
        env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
      },
    );
    const booted = new BootedRoot();
    booted.#container = container;
    const giveUpMs = performance.now() + BOOT_DEADLINE_MS;
    for (;;) {
      if (container.exitCode !== null) break;
      booted.#pid = firstProcess();
      const state =
        booted.#pid === undefined ? '' : booted.run('systemctl is-system-running').output;
      if (/running|degraded/.test(state)) return booted;
      if (performance.now() > giveUpMs) break;
      await pause(LOOK_MS);
    }
    throw new Complaint(`${readFileSync(log, 'utf8')}\nthe container did not boot`);
  }

  /** Runs a line of shell inside, as root. */
  run(line) {
    return runLine(this.#inside(line), { env: ENVIRONMENT, deadlineMs: COMMAND_DEADLINE_MS });
  }

  /** The same beside us. */
  start(line) {
    return startLine(this.#inside(line), { env: ENVIRONMENT });
  }

  #inside(line) {
    return ['nsenter', '-t', String(this.#pid), '-a', 'sh', '-c', line];
  }

  stop() {
    this.#container.kill('SIGKILL');
  }
}

/** The systemd in our pid namespace; the machine's own is not in it. */
function firstProcess() {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'systemd') return Number(pid);
    } catch {
      // gone meanwhile
    }
  }
  return undefined;
}
