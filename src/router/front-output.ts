// Everything that leaves on one front connection, and who is paused for it: what a web server does not read waits in memory, then
// on disk, and only then holds up the worker.
import type net from 'node:net';
import { cutIntoRecords, encodeStream } from '../fcgi-protocol/index.js';
import { LIMITS } from '../limits.js';
import { AnswerSpill } from './answer-spill.js';
import type { RouterContext } from './context.js';
import { UNWATCHED, type Watched } from './deadline-watch.js';
import { FrontWriter } from './front-writer.js';
import type { Pausable } from './request-types.js';

type OutputContext = Pick<
  RouterContext,
  'writeBudget' | 'deadlineWatch' | 'spoolBudget' | 'spoolDirectory'
>;

const NEVER_MS = Infinity;

function isSmall(parts: readonly Buffer[]): boolean {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  return bytes <= LIMITS.frontJoinMaxBytes;
}

export class FrontOutput implements Watched {
  place = UNWATCHED;
  readonly #socket: net.Socket;
  readonly #context: OutputContext;
  readonly #writer: FrontWriter;
  readonly #paused = new Set<Pausable>();
  #countedBytes = 0;
  /** Behind what the writer has. */
  #spill: AnswerSpill | undefined;
  #isReading = false;
  #spillAtMs = NEVER_MS;
  #isFinished = false;
  #whenEmpty: (() => void) | undefined;

  constructor(socket: net.Socket, context: OutputContext) {
    this.#socket = socket;
    this.#context = context;
    this.#writer = new FrontWriter(socket, context.writeBudget, () => this.#moved());
  }

  /** The web server has taken all of it. */
  get isEmpty(): boolean {
    return this.#spill === undefined && this.#writer.waitingBytes === 0;
  }

  /** Given away: it stays as it is until it is written. */
  add(part: Buffer): void {
    if (this.#isFinished) return;
    (this.#spill ?? this.#writer).add(part);
  }

  /** In as few records as hold it. Copies. */
  addStream(type: number, id: number, parts: readonly Buffer[]): void {
    if (this.#isFinished) return;
    if (this.#spill === undefined && this.#writer.waitingBytes === 0 && isSmall(parts)) {
      this.#writer.add(encodeStream(type, id, parts));
    } else {
      cutIntoRecords(this.#spill ?? this.#writer, type, id, parts);
    }
  }

  /** Write what was gathered; pause `source` if there is no room for more of it. */
  flush(source: Pausable | undefined): void {
    if (this.#spill === undefined) {
      this.#writer.flush();
      this.#count();
      if (source !== undefined && this.#isFull) this.#pause(source);
      return;
    }
    // The disk is of the user whose answer it is.
    if (source?.spillsFor === this.#spill.user) this.#spill.flush();
    else this.#spill.seal();
    this.#count();
    if (source !== undefined && !this.#spill.hasRoom) this.#pause(source);
  }

  /** Takes no more; calls back, once and only who asked last, when the web server has taken everything. */
  finish(act: () => void): void {
    this.#isFinished = true;
    if (this.isEmpty) act();
    else this.#whenEmpty = act;
  }

  forget(source: Pausable): void {
    this.#paused.delete(source);
    if (this.#paused.size === 0) this.#forgetDeadline();
  }

  /** The connection is gone. */
  close(): void {
    this.#isFinished = true;
    this.#whenEmpty = undefined;
    this.#endSpill();
    this.#writer.close();
    this.#count();
    this.#resume();
  }

  // --- sources -------------------------------------------------------------------------------

  get #isFull(): boolean {
    return this.#writer.waitingBytes > this.#context.writeBudget.perConnectionMaxBytes;
  }

  get #hasRoom(): boolean {
    if (this.#spill !== undefined) return this.#spill.hasRoom;
    return this.#writer.waitingBytes <= this.#context.writeBudget.perConnectionMaxBytes / 2;
  }

  #pause(source: Pausable): void {
    if (this.#paused.has(source)) return;
    this.#paused.add(source);
    source.pause();
    if (this.#spill !== undefined || source.spillsFor === undefined) return;
    this.#expectSpill(LIMITS.answerSpillAfterMs);
  }

  #resume(): void {
    if (this.#paused.size === 0) return;
    this.#forgetDeadline();
    const paused = [...this.#paused];
    this.#paused.clear();
    for (const source of paused) source.resume();
  }

  // --- the disk ------------------------------------------------------------------------------

  nearestMs(): number {
    return this.#spillAtMs;
  }

  /** A source has been paused for so long that the client must be slow, and not only the web server busy. */
  ring(): void {
    this.#forgetDeadline();
    const [user, ...others] = [...this.#paused].flatMap(({ spillsFor }) => spillsFor ?? []);
    if (this.#spill !== undefined || user === undefined || others.length > 0) return;
    const { spoolBudget: budget, spoolDirectory: directory } = this.#context;
    const onWritten = (): void => this.#moved();
    this.#spill = AnswerSpill.open({ user, directory, budget, onWritten });
    if (this.#spill === undefined) {
      this.#expectSpill(LIMITS.answerSpillRetryMs);
      return;
    }
    this.#writer.moveTo(this.#spill); // memory is for those who read
    this.#spill.flush();
    this.#moved();
  }

  #expectSpill(afterMs: number): void {
    const { deadlineWatch } = this.#context;
    this.#spillAtMs = deadlineWatch.now() + afterMs;
    deadlineWatch.expect(this, this.#spillAtMs);
  }

  #forgetDeadline(): void {
    this.#spillAtMs = NEVER_MS;
    this.#context.deadlineWatch.forget(this);
  }

  /** From disk to memory, as much as keeps the socket busy. */
  #feed(spill: AnswerSpill): void {
    if (this.#isReading || this.#writer.waitingBytes > LIMITS.answerSpillAheadBytes) return;
    if (spill.isCaughtUp) {
      if (spill.isWriting) return; // and calls back
      for (const part of spill.takePending()) this.#writer.add(part);
      this.#endSpill();
      this.#writer.flush();
      return;
    }
    this.#isReading = true;
    spill.read((bytes) => {
      this.#isReading = false;
      if (spill !== this.#spill) return;
      if (bytes === undefined) {
        this.#socket.destroy(); // the answer cannot be whole
        return;
      }
      this.#writer.add(bytes);
      this.#writer.flush();
      this.#moved();
    });
  }

  #endSpill(): void {
    const spill = this.#spill;
    this.#spill = undefined;
    spill?.close();
  }

  // --- both ----------------------------------------------------------------------------------

  /** Something has gone on: to the web server, to disk, or from it. */
  #moved(): void {
    if (this.#spill !== undefined) this.#feed(this.#spill);
    this.#count();
    if (this.#hasRoom) this.#resume();
    if (this.#whenEmpty === undefined || !this.isEmpty) return;
    const act = this.#whenEmpty;
    this.#whenEmpty = undefined;
    act();
  }

  #count(): void {
    const waitingBytes = this.#writer.waitingBytes + (this.#spill?.pendingBytes ?? 0);
    this.#context.writeBudget.add(waitingBytes - this.#countedBytes);
    this.#countedBytes = waitingBytes;
  }
}
