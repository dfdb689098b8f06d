// A launcher made of text: what a real one says, for tests of the other side of the dialogue.
import type { ErrorCode, Finding } from '../../src/errors.js';
import { LauncherDialogue, type LaunchReport } from '../../src/privdrop/index.js';

const UID = 1_001;
export const DIRECTORY = '/srv/alice/apps/blog';
export const NONCE = '0123456789abcdef0123456789abcdef';
export const NAMES: readonly string[] = ['app.fcgi', 'public', 'tmp/restart.txt'];

export const DESCRIPTORS_LINE = 'R 0 1 2 3 4\n';

/** st_mode in hexadecimal. */
export const Mode = {
  DIRECTORY_755: '41ed',
  DIRECTORY_775: '41fd',
  FILE_644: '81a4',
  FILE_755: '81ed',
  FILE_664: '81b4',
  FILE_666: '81b6',
  FILE_200: '8080',
  LINK_777: 'a1ff',
  FIFO_644: '11a4',
  SOCKET_755: 'c1ed',
  BLOCK_644: '61a4',
} as const;

export interface StatFields {
  readonly name: string;
  readonly uid?: number;
  readonly mode?: string;
  readonly size?: number;
  readonly mtime?: number;
  readonly links?: number;
}

export const statLine = (fields: StatFields): string => {
  const { name, uid = UID, mode = Mode.FILE_644, size = 10, mtime = 1_700_000_000 } = fields;
  return `S ${name}|${uid}|${mode}|${size}|${mtime}|${fields.links ?? 1}\n`;
};

export const directoryLine = (fields: Partial<StatFields> = {}): string =>
  statLine({ name: '.', mode: Mode.DIRECTORY_755, links: 2, ...fields });

export const manifestLines = (text: string): string => `F\n${text}\n`;
export const END_LINE = `L ${NONCE}\n`;

/** A whole report without surprises. */
export const report = (...lines: readonly string[]): string =>
  [`D ${DIRECTORY}\n`, directoryLine(), ...lines, END_LINE].join('');

/** A dialogue with everything that came out of it. */
export class Recorder {
  readonly texts: string[] = [];
  readonly reports: LaunchReport[] = [];
  readonly refusals: { readonly code: ErrorCode; readonly finding: Finding }[] = [];
  readonly descriptors: (readonly number[])[] = [];
  readonly dialogue: LauncherDialogue;

  constructor(options: { readonly directory?: string; readonly names?: readonly string[] } = {}) {
    this.dialogue = new LauncherDialogue({
      directory: options.directory ?? DIRECTORY,
      uid: UID,
      nonce: NONCE,
      names: options.names ?? NAMES,
      onText: (text) => this.texts.push(text),
      onDescriptors: (descriptors) => this.descriptors.push(descriptors),
      onReport: (launchReport) => this.reports.push(launchReport),
      onRefused: (code, finding) => this.refusals.push({ code, finding }),
    });
  }

  say(text: string | Buffer): void {
    this.dialogue.push(Buffer.from(text));
  }

  /** Up to the point where the launcher has been told to look. */
  static looking(options: { readonly directory?: string } = {}): Recorder {
    const recorder = new Recorder(options);
    recorder.say(DESCRIPTORS_LINE);
    recorder.dialogue.look();
    return recorder;
  }

  /** Up to the point where the launcher has been told to start. */
  static starting(): Recorder {
    const recorder = Recorder.looking();
    recorder.say(report());
    recorder.dialogue.start({ umask: 0o27, environment: ['A=b'], argv: ['./app.fcgi'] });
    return recorder;
  }

  /** The rule that refused, or '' if none did. */
  get rule(): string {
    return this.refusals[0]?.finding.rule ?? '';
  }
}
