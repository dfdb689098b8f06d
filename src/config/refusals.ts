// What was found wrong with the configuration, and as which error that is thrown.
import { UsherdError, type ErrorCode, type Finding } from '../errors.js';

/** What is wrong so far, in every file. */
export class Refusals {
  readonly findings: Finding[] = [];
  readonly #codes = new Set<ErrorCode>();

  add(code: ErrorCode, findings: readonly Finding[]): void {
    if (findings.length === 0) return;
    this.#codes.add(code);
    this.findings.push(...findings);
  }

  addAll(other: Refusals): void {
    for (const code of other.#codes) this.#codes.add(code);
    this.findings.push(...other.findings);
  }

  addFile(path: string, what: Pick<Finding, 'found' | 'expected' | 'remedy'>): void {
    this.add('E_CONFIG_UNREADABLE', [{ rule: 'config-file', path, ...what }]);
  }

  /** @throws UsherdError with the code that weighs most, if anything at all was found */
  throwIfAny(): void {
    const code = SEVEREST_FIRST.find((it) => this.#codes.has(it));
    if (code === undefined) return;
    const { findings } = this;
    const things = findings.length === 1 ? '1 thing is' : `${findings.length} things are`;
    throw new UsherdError(code, `${things} wrong with the configuration`, { findings });
  }
}

const SEVEREST_FIRST = ['E_CONFIG_UNSAFE', 'E_CONFIG_UNREADABLE', 'E_CONFIG_INVALID'] as const;
