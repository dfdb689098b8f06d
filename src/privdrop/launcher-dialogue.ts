// The supervisor's side of descriptor 3: bytes in, events and text out; knows no process and no socket.
//
//   launcher                          supervisor
//   R 0 1 2 3 4 ─────────────────────►            its descriptors; it waits, and nothing of the user's was touched
//               ◄───────────────────── nonce, directory, count, names      look(), after the process was verified
//   D, S…, F, L ─────────────────────►            launcher-report.ts
//               ◄───────────────────── umask, counts, folders, walls, environment, needs, argv    start()
//   I ───────────────────────────────►            it is behind the walls, where it was told of some
//   (end of file: it has exec'ed)     or  X, N, P: what program-needs.ts says, M: a directory cannot be made,
//                                                 V: a line of .env cannot be used, O: the rehearsal is over
import assert from 'node:assert/strict';
import type { ErrorCode, Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import { entryRefusal, judgeApplication, type LaunchReport } from './application-rules.js';
import { encodeProgram, type Program } from './launcher-program.js';
import { componentsOf, outsideDialogue, ReportReader } from './launcher-report.js';
import { ENVIRONMENT_FILE, environmentFileFinding } from './environment-file.js';
import { MANIFEST_NAME } from './launcher-script.js';
import { interpreterFinding, needFinding, programFinding } from './program-needs.js';
import { descriptorsIn, OWN_DESCRIPTORS } from './own-descriptors.js';

export interface LauncherDialogueOptions {
  readonly directory: string;
  /** The uid that the launcher was verified to have, or will be before look(). */
  readonly uid: number;
  /** Hexadecimal, from a cryptographic source, never used twice. */
  readonly nonce: string;
  readonly names: readonly string[];
  /** Write this to descriptor 3. */
  onText(text: string): void;
  /** Verify the process now, then call look(). */
  onDescriptors(descriptors: readonly number[]): void;
  /** Decide what to run, then call start(). */
  onReport(report: LaunchReport): void;
  /** It is over; the process ends by itself or is to be killed. */
  onRefused(code: ErrorCode, finding: Finding, others: readonly Finding[]): void;
}

/** What the end of file on descriptor 3 means; `rehearsed`: it would have started. */
export type LauncherEnd = 'started' | 'rehearsed' | 'silent' | 'refused';

/** Whose turn it is. A launcher that speaks out of turn is not ours. */
type Phase = 'descriptors' | 'verifying' | 'looking' | 'deciding' | 'starting' | 'over';

const NONCE = /^[0-9a-f]{32,64}$/;
const MARK_NAME = /^(?!.*\.\.)[A-Za-z0-9._][A-Za-z0-9._/-]{0,127}$/;
const DIRECTORY = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\0\n]+)+$/;
const DIRECTORY_MAX_BYTES = 4_095;
const NEWLINE = 0x0a;

export class LauncherDialogue {
  readonly #options: LauncherDialogueOptions;
  readonly #report: ReportReader;
  readonly #names: readonly string[];
  readonly #manifestEnd: Buffer;
  /** All that the launcher says in its life; nothing is thrown away, because all of it is little. */
  readonly #bytes = Buffer.alloc(LIMITS.launcherReportMaxBytes);
  #length = 0;
  #cursor = 0;
  #inManifest = false;
  #phase: Phase = 'descriptors';
  #isRefused = false;
  #isRehearsed = false;
  #program: Program | undefined;
  /** What becomes of the order to isolate the program. */
  #walls: 'none' | 'awaited' | 'standing' = 'none';

  constructor(options: LauncherDialogueOptions) {
    const { directory, nonce, names } = options;
    assert(DIRECTORY.test(directory) && Buffer.byteLength(directory) <= DIRECTORY_MAX_BYTES);
    assert(NONCE.test(nonce));
    assert(names.every((name) => MARK_NAME.test(name)));
    this.#options = options;
    this.#names = [...new Set([...names, MANIFEST_NAME, ENVIRONMENT_FILE])];
    this.#report = new ReportReader(directory, this.#names);
    this.#manifestEnd = Buffer.from(`\nL ${nonce}\n`);
  }

  /** @throws UsherdError E_PRIVDROP_REPORT for anything outside the dialogue or over the bound; then kill the process. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    try {
      if (this.#length + chunk.length > this.#bytes.length) outsideDialogue('too much was said');
      this.#length += chunk.copy(this.#bytes, this.#length);
      while (this.#step());
    } catch (err) {
      this.#phase = 'over';
      throw err;
    }
  }

  /** The process is verified: let it look at the application. */
  look(): void {
    assert.equal(this.#phase, 'verifying');
    this.#phase = 'looking';
    const { nonce, directory } = this.#options;
    const lines = [nonce, directory, this.#names.length, ...this.#names];
    this.#options.onText(lines.join('\n') + '\n');
  }

  /** @throws UsherdError E_START_FAILED for what cannot be sent; then kill the process. */
  start(program: Program): void {
    assert.equal(this.#phase, 'deciding');
    const text = encodeProgram(program);
    this.#phase = 'starting';
    this.#program = program;
    if (program.walls !== undefined) this.#walls = 'awaited';
    this.#options.onText(text);
  }

  ended(isWhole = true): LauncherEnd {
    if (this.#phase === 'starting' && this.#walls === 'awaited') {
      this.#refuse('E_ISOLATION_FAILED', wallsFinding('bubblewrap ended before the program ran'));
    }
    if (this.#isRefused) return 'refused';
    if (this.#isRehearsed) return 'rehearsed';
    if (this.#program?.isRehearsal === true) return 'silent';
    const isHeard = isWhole && this.#cursor === this.#length;
    return this.#phase === 'starting' && isHeard ? 'started' : 'silent';
  }

  /** Takes one line, or the manifest; false when there is no whole one. */
  #step(): boolean {
    if (this.#cursor === this.#length) return false;
    if (this.#phase !== 'descriptors' && this.#phase !== 'looking' && this.#phase !== 'starting') {
      outsideDialogue('the launcher spoke out of turn');
    }
    return this.#inManifest ? this.#takeManifest() : this.#takeLine();
  }

  #takeLine(): boolean {
    const end = this.#bytes.subarray(0, this.#length).indexOf(NEWLINE, this.#cursor);
    if (end < 0) return false;
    const line = this.#bytes.toString('utf8', this.#cursor, end);
    this.#cursor = end + 1;
    this.#read(line);
    return true;
  }

  #takeManifest(): boolean {
    const said = this.#bytes.subarray(0, this.#length);
    const end = said.indexOf(this.#manifestEnd, this.#cursor);
    if (end < 0) return false;
    this.#report.manifest(said.subarray(this.#cursor, end));
    this.#inManifest = false;
    this.#cursor = end + 1;
    return true;
  }

  #read(line: string): void {
    if (this.#phase === 'descriptors') this.#readDescriptors(line);
    else if (this.#phase === 'starting') this.#readStart(line);
    else if (line.startsWith('E ')) this.#readRefusedEntry(line);
    else if (line === `L ${this.#options.nonce}`) this.#finishReport();
    else if (line === 'F') this.#inManifest = true;
    else this.#report.line(line);
  }

  #readDescriptors(line: string): void {
    const found = descriptorsIn(line);
    this.#refuseBytesAhead();
    if (found.join(' ') === OWN_DESCRIPTORS) {
      this.#phase = 'verifying';
      this.#options.onDescriptors(found);
      return;
    }
    this.#refuse('E_PRIVDROP_VERIFY', {
      rule: 'drop-descriptors',
      found: `descriptors ${found.join(' ')}`,
      expected: `descriptors ${OWN_DESCRIPTORS}`,
      remedy: 'start usherd without extra open files',
    });
  }

  #finishReport(): void {
    const { directory, uid } = this.#options;
    const seen = this.#report.end();
    this.#refuseBytesAhead();
    const verdict = judgeApplication(seen, { directory, uid });
    if ('code' in verdict) {
      this.#refuse(verdict.code, verdict.finding, verdict.others);
      return;
    }
    this.#phase = 'deciding';
    this.#options.onReport(verdict);
  }

  #readRefusedEntry(line: string): void {
    const { directory, uid } = this.#options;
    const [, reason = '', path = ''] = /^E ([a-z]+) (.+)$/.exec(line) ?? [];
    if (!componentsOf(directory).includes(path)) outsideDialogue('a refusal of another path');
    const refusal = entryRefusal(reason, path, { directory, uid });
    if (refusal === undefined) outsideDialogue('a refusal without a known reason');
    this.#refuseBytesAhead();
    this.#refuse(refusal.code, refusal.finding);
  }

  #readStart(line: string): void {
    if (line.startsWith('M ') && this.#walls !== 'standing') {
      this.#readRefusedFolder(line.slice(2));
    } else if (this.#walls !== 'awaited') {
      this.#readRefusedProgram(line);
    } else if (line === 'I') {
      this.#walls = 'standing';
    } else if (line === 'I moved') {
      this.#refuse('E_ISOLATION_FAILED', wallsFinding('the directory was exchanged meanwhile'));
    } else {
      outsideDialogue('it is not behind its walls');
    }
  }

  #readRefusedProgram(line: string): void {
    if (line.startsWith('V ')) {
      const finding = environmentFileFinding(line.slice(2), this.#options.directory);
      if (finding === undefined) outsideDialogue('a line of .env without a number');
      this.#refuseBytesAhead();
      this.#refuse('E_MANIFEST_INVALID', finding);
      return;
    }
    if (line === 'O' && this.#program?.isRehearsal === true) {
      this.#refuseBytesAhead();
      this.#phase = 'over';
      this.#isRehearsed = true;
      return;
    }
    const finding = this.#missing(line);
    if (finding === undefined) outsideDialogue('neither an exec nor something that is missing');
    this.#refuseBytesAhead();
    this.#refuse('E_RUNTIME_MISSING', finding);
  }

  /** What a program that cannot run lacks. */
  #missing(line: string): Finding | undefined {
    const { argv = [], needs = [], debianPackage = '' } = this.#program ?? {};
    const [path = ''] = argv;
    const { directory } = this.#options;
    if (line.startsWith('N ')) return needFinding(line.slice(2), needs, directory);
    if (line.startsWith('P ')) return interpreterFinding(line.slice(2), path, directory);
    const isIsolated = this.#walls !== 'none';
    return line === 'X'
      ? programFinding(path, { debianPackage, isIsolated, directory })
      : undefined;
  }

  #readRefusedFolder(path: string): void {
    if (this.#program?.folders?.includes(path) !== true)
      outsideDialogue('a directory that it was not told of');
    this.#refuseBytesAhead();
    this.#refuse('E_START_FAILED', {
      rule: 'private-folder',
      path,
      found: 'no directory, and none that this user can make',
      expected: 'a directory of his own for temporary files',
      remedy: 'see whether his disk quota is used up, or something else lies there',
    });
  }

  /** A launcher that waits for an answer, or has ended, has nothing more to say. */
  #refuseBytesAhead(): void {
    if (this.#cursor !== this.#length) outsideDialogue('the launcher spoke ahead');
  }

  #refuse(code: ErrorCode, finding: Finding, others: readonly Finding[] = []): void {
    this.#phase = 'over';
    this.#isRefused = true;
    this.#options.onRefused(code, finding, others);
  }
}

const wallsFinding = (found: string): Finding => ({
  rule: 'isolation-walls',
  found,
  expected: 'namespaces of its own for mounts, processes and IPC',
  remedy: 'read what bubblewrap says in the log of the application',
});
