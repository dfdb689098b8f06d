// How much of one processor a process has had since it is watched.
import { readFileSync } from 'node:fs';
import { waitFor } from './wait-for.js';

/** USER_HZ, what proc(5) counts in: 100 on every architecture that Debian has. */
const TICKS_PER_S = 100;

export class CpuWatch {
  readonly #pid: number;
  readonly #startedMs = performance.now();
  readonly #ticks: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.#ticks = ticksOf(pid);
  }

  /** 1: a whole one. */
  share(): number {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    return (ticksOf(this.#pid) - this.#ticks) / TICKS_PER_S / seconds;
  }

  /** So that there is something to be measured. */
  async after(ms: number): Promise<void> {
    await waitFor(`${ms} ms of watching`, () => performance.now() - this.#startedMs >= ms);
  }
}

/** proc(5): user and system time are the 12th and 13th field after the name. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
