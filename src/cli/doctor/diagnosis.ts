// What the checks of `usherd doctor` are given and what they give back.
import type { Config } from '../../config/index.js';
import type { Finding } from '../../errors.js';
import type { Answer } from '../control-client.js';

/** `wrong`: something does not work, or is not safe. `note`: worth knowing, and perhaps meant so. */
export type Weight = 'wrong' | 'note';

export interface Symptom extends Finding {
  readonly weight: Weight;
}

export interface Patient {
  readonly config: Config;
  readonly isRoot: boolean;
  /** Of the running supervisor; undefined if it does not answer. */
  readonly status: Answer | undefined;
}

export interface Check {
  /** A noun: what is looked at. */
  readonly name: string;
  /** Undefined where it cannot be looked at: the check of what is missing for it has said so. */
  readonly run: (patient: Patient) => Promise<readonly Symptom[] | undefined>;
}

export const wrong = (finding: Finding): Symptom => ({ ...finding, weight: 'wrong' });
export const note = (finding: Finding): Symptom => ({ ...finding, weight: 'note' });
