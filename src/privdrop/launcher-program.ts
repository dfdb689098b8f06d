// The last thing that a launcher is told: umask, directories to make, walls, environment, needs and argv, checked so that no line can become two.
import { UsherdError, type Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import { needLine, type Need } from './program-needs.js';

export interface Program {
  readonly umask: number;
  /** `NAME=value` each. */
  readonly environment: readonly string[];
  readonly argv: readonly string[];
  /** Absolute; made with mode 0700 where they are missing, in a rehearsal only for walls to show them. */
  readonly folders?: readonly string[];
  /** bubblewrap and its words, without the program; the rest of the dialogue then takes place behind them. */
  readonly walls?: readonly string[];
  /** What has to be there besides argv[0]. */
  readonly needs?: readonly Need[];
  /** Where argv[0] comes from, for people; '' if nobody knows. */
  readonly debianPackage?: string;
  /** Everything is looked at as for a start, and nothing is started. */
  readonly isRehearsal?: boolean;
}

// Absolute, or `./` and then relative to the application; no `=`, which env(1) would take for a variable.
const PROGRAM_PATH = /^\.?(?:\/(?!\.{1,2}(?:\/|$))[^/=]+)+$/u;
const ABSOLUTE = /^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/;
const SETTING = /^[A-Za-z_][A-Za-z0-9_]{0,255}=/;
const LINE_BREAKERS = /[\n\0]/;
const UMASK_MAX = 0o777;

const refused = (
  rule: string,
  found: string,
  expected: string,
  remedy = 'mend the command or environment',
): UsherdError => {
  const finding: Finding = { rule, found, expected, remedy };
  return new UsherdError('E_START_FAILED', `${rule}: ${found}`, { findings: [finding] });
};

const linesOf = (program: Program): readonly string[] => {
  const { environment, argv, folders = [], walls = [], needs = [] } = program;
  return [...folders, ...walls, ...environment, ...needs.map(patternsOf), ...argv];
};

function patternsOf(need: Need): string {
  const line = needLine(need);
  if (line !== undefined) return line;
  throw refused('program-needs', need.what, 'paths of letters, digits, ".", "_", "-" and "*"');
}

function checkSizes(program: Program): void {
  const { environment, argv, walls = [] } = program;
  const lines = linesOf(program);
  const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  if (environment.length > LIMITS.environmentMaxCount || argv.length > LIMITS.argvMaxCount) {
    const found = `${environment.length} variables, ${argv.length} words`;
    const expected = `at most ${LIMITS.environmentMaxCount} and ${LIMITS.argvMaxCount}`;
    throw refused('program-size', found, expected);
  }
  if (walls.length > LIMITS.wallsMaxCount) {
    throw refused('program-size', `${walls.length} walls`, `at most ${LIMITS.wallsMaxCount}`);
  }
  if (bytes > LIMITS.environmentMaxBytes) {
    const expected = `at most ${LIMITS.environmentMaxBytes} bytes`;
    throw refused('program-size', `${bytes} bytes of environment and command`, expected);
  }
}

function checkLines(program: Program): void {
  const { environment } = program;
  if (linesOf(program).some((line) => LINE_BREAKERS.test(line))) {
    throw refused('program-text', 'a newline or NUL', 'values without newline and NUL');
  }
  if (!environment.every((line) => SETTING.test(line))) {
    throw refused('program-text', 'a variable without a proper name', 'NAME=value');
  }
}

/**
 * The lines that make a launcher exec.
 * @throws UsherdError E_START_FAILED for what cannot be sent
 */
export function encodeProgram(program: Program): string {
  const { umask, argv, folders = [], walls = [] } = program;
  if (!Number.isInteger(umask) || umask < 0 || umask > UMASK_MAX) {
    throw refused('program-umask', String(umask), '0 to 0777');
  }
  checkSizes(program);
  checkLines(program);
  const path = argv[0] ?? '';
  if (!PROGRAM_PATH.test(path)) {
    const expected = 'an absolute path, or ./ and a path below the application, without .. and =';
    const remedy = 'rename the program, and name it so in `command`';
    throw refused('program-path', JSON.stringify(path), expected, remedy);
  }
  if (!folders.every((folder) => ABSOLUTE.test(folder))) {
    throw refused('program-folder', 'a directory that is no absolute path', 'an absolute path');
  }
  if (walls[0] !== undefined && !ABSOLUTE.test(walls[0])) {
    throw refused('program-walls', JSON.stringify(walls[0]), 'the absolute path of bubblewrap');
  }
  return [...headOf(program), ...linesOf(program)].join('\n') + '\n';
}

function headOf(program: Program): readonly (string | number)[] {
  const { umask, environment, argv, folders = [], walls = [], needs = [] } = program;
  const counts = [folders, walls, environment, needs, argv].map(({ length }) => length);
  const rehearsal = program.isRehearsal === true ? 1 : 0;
  return [umask.toString(8).padStart(4, '0'), ...counts, rehearsal];
}
