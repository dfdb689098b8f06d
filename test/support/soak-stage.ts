// What every endurance run stands on: usherd with many users behind a real Apache, eyes on its processes, and a report.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askSupervisor, type ControlRequest } from '../../src/cli/control-client.js';
import { Apache } from './apache.js';
import { rssMiB, UsherdRun, type StatusShape, type TestUser } from './usherd-run.js';

export interface StageOptions {
  readonly users: number;
  /** More lines of usherd.toml. */
  readonly more?: string;
  /** More lines of the Apache configuration. */
  readonly apache?: string;
}

const FIRST_UID = 53_001;
const ROUTER_UID = 52_991;

export class SoakStage {
  readonly usherd: UsherdRun;
  readonly apache: Apache;

  private constructor(usherd: UsherdRun, apache: Apache) {
    this.usherd = usherd;
    this.apache = apache;
  }

  static async open(options: StageOptions): Promise<SoakStage> {
    const users = Array.from({ length: options.users }, (_, n): TestUser => ({
      name: `user${n}`,
      uid: FIRST_UID + n,
    }));
    const usherd = await UsherdRun.start(users, {
      routerUid: ROUTER_UID,
      more: options.more ?? '',
    });
    const apache = await Apache.start({
      directory: join(usherd.directory, 'apache'),
      socketPath: usherd.frontSocket,
      root: usherd.root,
      more: options.apache ?? '',
    });
    return new SoakStage(usherd, apache);
  }

  get port(): number {
    return this.apache.port;
  }

  /** One word to the supervisor without starting a program for it. */
  tell(request: ControlRequest): Promise<unknown> {
    return askSupervisor(join(this.usherd.directory, 'run/control.sock'), request);
  }

  async status(): Promise<StatusShape> {
    return (await this.tell({ command: 'status' })) as StatusShape;
  }

  look(): Sight {
    return {
      supervisor: sightOf(this.usherd.pidOf('supervisor')),
      router: sightOf(this.usherd.pidOf('router')),
    };
  }

  /** Lines of usherd's own log, from so many bytes on. */
  logLines(fromByte = 0): readonly string[] {
    const text = readFileSync(this.usherd.logFile).subarray(fromByte).toString('utf8');
    return text.split('\n').filter((line) => line !== '');
  }

  get logBytes(): number {
    return readFileSync(this.usherd.logFile).length;
  }

  async close(): Promise<void> {
    await this.apache.stop();
    await this.usherd.stop();
  }
}

export interface ProcessSight {
  readonly rssMiB: number;
  readonly descriptors: number;
  readonly children: number;
  readonly zombies: number;
}

export interface Sight {
  readonly supervisor: ProcessSight;
  readonly router: ProcessSight;
}

function sightOf(pid: number): ProcessSight {
  const children = childrenOf(pid);
  return {
    rssMiB: rssMiB(pid),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    children: children.length,
    zombies: children.filter((state) => state === 'Z').length,
  };
}

/** States of all children, from proc(5): state and parent follow the name in parentheses. */
function childrenOf(parent: number): readonly string[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^[0-9]+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const [state = '', ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(ppid) === parent ? [state] : [];
    } catch {
      return []; // gone meanwhile
    }
  });
}

export const formatSight = ({ supervisor, router }: Sight): string =>
  [['supervisor', supervisor] as const, ['router', router] as const]
    .map(
      ([name, one]) =>
        `${name} ${one.rssMiB.toFixed(0)} MiB ${one.descriptors} descriptors ${one.zombies} zombies`,
    )
    .join(', ');

/** What a scenario found out: figures for people, and what was not as promised. */
export class Report {
  readonly figures: (readonly [what: string, value: string])[] = [];
  readonly problems: string[] = [];

  figure(what: string, value: unknown): void {
    this.figures.push([what, String(value)]);
  }

  expect(isAsPromised: boolean, promise: string): void {
    if (!isAsPromised) this.problems.push(promise);
  }
}

/** One of them a file in test/soak; the short form of it is a test of `npm test`. */
export interface Scenario {
  readonly name: string;
  readonly promise: string;
  run(scale: 'full' | 'short', report: Report): Promise<void>;
}
