// The supervisor's side of descriptor 3 of a cleaner: two lines come in, one order goes out; knows no process and no socket.
import assert from 'node:assert/strict';
import { LIMITS } from '../limits.js';
import { outsideDialogue } from './launcher-report.js';
import { descriptorsIn, OWN_DESCRIPTORS } from './own-descriptors.js';

export interface CleanerOrder {
  /** Of one user, in a directory of root's. */
  readonly directory: string;
  /** What was touched within this time stays; 0: all of it. */
  readonly temporaryAgeMs: number;
  readonly emptyAgeMs: number;
  readonly sessionAgeMs: number;
}

/** Why nothing was touched, or how many files and directories are gone. */
export type CleanerAnswer = 'absent' | 'foreign' | 'mounted' | { readonly removedCount: number };

function minutes(ms: number): string {
  assert(Number.isFinite(ms) && ms >= 0);
  return ms === 0 ? '0' : (Math.max(1, ms) / 60_000).toFixed(5);
}

const ANSWERS = ['absent', 'foreign', 'mounted'] as const;
const COUNT = /^C ([0-9]{1,15})$/;

export class CleanerDialogue {
  readonly #onDescriptors: () => void;
  #text = '';
  #lineCount = 0;
  #answer: CleanerAnswer | undefined;

  /** @param onDescriptors verify the process now, then send order() */
  constructor(onDescriptors: () => void) {
    this.#onDescriptors = onDescriptors;
  }

  /** @throws UsherdError E_PRIVDROP_REPORT for anything else than a cleaner says; then kill the process. */
  push(chunk: Buffer): void {
    this.#text += chunk.toString('latin1');
    if (this.#text.length > LIMITS.cleanerAnswerMaxBytes) outsideDialogue('too much was said');
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 1);
      this.#read(line);
    }
  }

  /** What to write to descriptor 3. */
  order({ directory, temporaryAgeMs, emptyAgeMs, sessionAgeMs }: CleanerOrder): string {
    assert(directory.startsWith('/') && !directory.includes('\n'));
    const ages = [temporaryAgeMs, emptyAgeMs, sessionAgeMs].map(minutes);
    return `${[directory, ...ages].join('\n')}\n`;
  }

  /** Undefined if it ended without a word. */
  get answer(): CleanerAnswer | undefined {
    return this.#text === '' ? this.#answer : undefined;
  }

  #read(line: string): void {
    this.#lineCount += 1;
    if (this.#lineCount === 1) {
      const found = descriptorsIn(line).join(' ');
      if (found !== OWN_DESCRIPTORS) outsideDialogue(`descriptors ${found}`);
      this.#onDescriptors();
      return;
    }
    const count = COUNT.exec(line)?.[1];
    const answer = count === undefined ? ANSWERS.find((word) => word === line) : undefined;
    this.#answer = count === undefined ? answer : { removedCount: Number(count) };
    if (this.#answer === undefined || this.#lineCount > 2) outsideDialogue('not a word of ours');
  }
}
