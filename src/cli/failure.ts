// What a person reads when a command fails, and what the program that started it is told.
import { ERRORS, ExitCode, isUsherdError, type Finding, type UsherdError } from '../errors.js';

/** A finding on three lines: where and what, what is expected, what to do. */
export function findingText({ path, rule, found, expected, remedy }: Finding): string {
  const place = path === undefined ? '' : `${path}: `;
  return `${place}${found}  (${rule})\n    expected: ${expected}\n    remedy:   ${remedy}`;
}

/** A mistake of the user without a stack trace; a mistake of ours with one. */
export function formatFailure(err: unknown): string {
  if (!isUsherdError(err)) {
    return `usherd: a bug: ${err instanceof Error ? (err.stack ?? err.message) : String(err)}`;
  }
  const headline = `usherd: ${ERRORS[err.code].meaning} (${err.code}): ${err.message}`;
  // Findings carry remedies of their own, nearer to the matter than that of the code.
  const rest =
    err.findings.length > 0
      ? err.findings.map(findingText)
      : [`    remedy:   ${ERRORS[err.code].remedy}`];
  return [headline, ...rest].join('\n');
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
