// What a person reads when a command fails, and what the program that started it is told.
import {
  ERRORS,
  ExitCode,
  isUsherdError,
  type ErrorCode,
  type Finding,
  type UsherdError,
} from '../errors.js';

/** A finding on three lines: where and what, what is expected, what to do. */
function findingText({ path, rule, found, expected, remedy }: Finding): string {
  const place = path === undefined ? '' : `${path}: `;
  // What was found may say it already.
  const more = [expected === '' ? '' : `expected: ${expected}`, remedyLine(remedy)];
  return [`${place}${found}  (${rule})`, ...more.filter((line) => line !== '').map(indented)].join(
    '\n',
  );
}

const remedyLine = (remedy: string): string => (remedy === '' ? '' : `remedy:   ${remedy}`);
const indented = (line: string): string => `    ${line}`;

/** A mistake of the user without a stack trace; a mistake of ours with one. */
export function formatFailure(err: unknown): string {
  if (!isUsherdError(err)) {
    return `usherd: a bug: ${err instanceof Error ? (err.stack ?? err.message) : String(err)}`;
  }
  const headline = `usherd: ${ERRORS[err.code].meaning} (${err.code}): ${err.message}`;
  return [headline, ...reasons(err.code, err.findings)].join('\n');
}

/** Findings carry remedies of their own, nearer to the matter than that of the code, which is there where none does. */
export function reasons(code: ErrorCode, findings: readonly Finding[]): readonly string[] {
  const hasRemedy = findings.some(({ remedy }) => remedy !== '');
  const last = hasRemedy ? [] : [indented(remedyLine(ERRORS[code].remedy))];
  return [...findings.map(findingText), ...last];
}

/** Whether starting the same thing again could help. */
export function exitCodeOf(err: unknown): number {
  return isUsherdError(err) ? exitCodeOfError(err) : ExitCode.TEMPORARY;
}

function exitCodeOfError({ code }: UsherdError): number {
  // Whoever listens there may be on his way out.
  if (code === 'E_STARTUP_SOCKET') return ExitCode.TEMPORARY;
  const { family } = ERRORS[code];
  return family === 'config' || family === 'startup' ? ExitCode.PERMANENT : ExitCode.FAILED;
}
