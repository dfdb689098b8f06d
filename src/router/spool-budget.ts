// What all waiting bodies and answers may hold together: memory, disk per user, disk in all, open files. Counts, and never acts.
import { LIMITS } from '../limits.js';
import { Shares } from './shares.js';

export interface SpoolLimits {
  readonly userMemoryMaxBytes: number;
  readonly memoryMaxBytes: number;
  readonly pendingMaxBytes: number;
  readonly userDiskMaxBytes: number;
  readonly diskMaxBytes: number;
  readonly userFilesMaxCount: number;
  readonly filesMaxCount: number;
}

export const SPOOL_LIMITS: SpoolLimits = {
  userMemoryMaxBytes: LIMITS.bodyMemoryPerUserMaxBytes,
  memoryMaxBytes: LIMITS.bodyMemoryTotalMaxBytes,
  pendingMaxBytes: LIMITS.spoolPendingTotalMaxBytes,
  userDiskMaxBytes: LIMITS.spoolPerUserMaxBytes,
  diskMaxBytes: LIMITS.spoolTotalMaxBytes,
  userFilesMaxCount: LIMITS.spoolFilesPerUserMaxCount,
  filesMaxCount: LIMITS.spoolFilesMaxCount,
};

/**
 * Whose bodies are that go to an application of which nothing is known yet. Names are free to make up, so all of them
 * have one user's share. No user has such a name.
 */
export const STRANGERS = '';

/**
 * Every `take` that says true is followed by one `give` of the same size. Memory that waits and memory on its way to disk are
 * counted apart: bodies that wait for one application's workers must not keep the others' from reaching the disk.
 */
export class SpoolBudget {
  readonly #limits: SpoolLimits;
  #memoryBytes = 0;
  #pendingBytes = 0;
  #diskBytes = 0;
  #filesCount = 0;
  readonly #userMemoryBytes = new Shares();
  readonly #userDiskBytes = new Shares();
  readonly #userFiles = new Shares();
  readonly #userAnswerFiles = new Shares();
  readonly #spareLargeBlocks: Buffer[] = [];
  readonly #spareBlocks: Buffer[] = [];

  constructor(limits: SpoolLimits = SPOOL_LIMITS) {
    this.#limits = limits;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }
  get pendingBytes(): number {
    return this.#pendingBytes;
  }
  get diskBytes(): number {
    return this.#diskBytes;
  }
  get filesCount(): number {
    return this.#filesCount;
  }

  userDiskBytes(user: string): number {
    return this.#userDiskBytes.of(user);
  }

  takeMemory(user: string, bytes: number): boolean {
    const userBytes = this.#userMemoryBytes.of(user) + bytes;
    if (userBytes > this.#limits.userMemoryMaxBytes) return false;
    if (this.#memoryBytes + bytes > this.#limits.memoryMaxBytes) return false;
    this.#memoryBytes += bytes;
    this.#userMemoryBytes.add(user, bytes);
    return true;
  }

  giveMemory(user: string, bytes: number): void {
    this.#memoryBytes -= bytes;
    this.#userMemoryBytes.add(user, -bytes);
  }

  /** For writes to disk: a large block while few are out, then a small one, then none. Bytes of other bodies may be in it. */
  takeBlock(): Buffer | undefined {
    return this.takeLargeBlock() ?? this.#takeBlock(LIMITS.spoolBlockBytes, 1);
  }

  takeLargeBlock(): Buffer | undefined {
    return this.#takeBlock(LIMITS.spoolLargeBlockBytes, LIMITS.spoolLargeBlocksShare);
  }

  /** An answer can wait without. */
  takeAnswerBlock(): Buffer | undefined {
    return (
      this.takeLargeBlock() ?? this.#takeBlock(LIMITS.spoolBlockBytes, LIMITS.answerSpillShare)
    );
  }

  #takeBlock(bytes: number, share: number): Buffer | undefined {
    if (this.#pendingBytes + bytes > this.#limits.pendingMaxBytes * share) return undefined;
    this.#pendingBytes += bytes;
    return this.#sparesOf(bytes).pop() ?? Buffer.alloc(bytes);
  }

  /** Nobody reads or writes it any more. */
  giveBlock(block: Buffer): void {
    this.loseBlocks(block.length);
    const spares = this.#sparesOf(block.length);
    if (spares.length < LIMITS.spoolSpareBlocksMaxCount) spares.push(block);
  }

  /** Blocks that somebody may still read or write: they are not used again. */
  loseBlocks(bytes: number): void {
    this.#pendingBytes -= bytes;
  }

  #sparesOf(bytes: number): Buffer[] {
    return bytes === LIMITS.spoolLargeBlockBytes ? this.#spareLargeBlocks : this.#spareBlocks;
  }

  takeDisk(user: string, bytes: number): boolean {
    const userBytes = this.userDiskBytes(user) + bytes;
    if (userBytes > this.#limits.userDiskMaxBytes) return false;
    if (this.#diskBytes + bytes > this.#limits.diskMaxBytes) return false;
    this.#diskBytes += bytes;
    this.#userDiskBytes.add(user, bytes);
    return true;
  }

  /** Nobody needs these bytes any more: the user may have others, although the disk has them until the file is gone. */
  giveShare(user: string, bytes: number): void {
    this.#userDiskBytes.add(user, -bytes);
  }

  /** After giveShare, when the file is gone. */
  giveDisk(bytes: number): void {
    this.#diskBytes -= bytes;
  }

  takeFile(user: string): boolean {
    if (this.#userFiles.of(user) >= this.#limits.userFilesMaxCount) return false;
    if (this.#filesCount >= this.#limits.filesMaxCount) return false;
    this.#filesCount += 1;
    this.#userFiles.add(user, 1);
    return true;
  }

  giveFile(user: string): void {
    this.#filesCount -= 1;
    this.#userFiles.add(user, -1);
  }

  /** An answer can wait in its worker instead, a body cannot: so they get no more than their share. */
  takeAnswerFile(user: string): boolean {
    if (this.#userAnswerFiles.of(user) >= LIMITS.answerSpillsPerUserMaxCount) return false;
    if (this.#filesCount >= this.#limits.filesMaxCount * LIMITS.answerSpillShare) return false;
    this.#filesCount += 1;
    this.#userAnswerFiles.add(user, 1);
    return true;
  }

  giveAnswerFile(user: string): void {
    this.#filesCount -= 1;
    this.#userAnswerFiles.add(user, -1);
  }

  /** Given back as that of a body is. */
  takeAnswerDisk(user: string, bytes: number): boolean {
    const { userDiskMaxBytes, diskMaxBytes } = this.#limits;
    const userBytes = this.userDiskBytes(user) + bytes;
    if (userBytes > userDiskMaxBytes * LIMITS.answerSpillShare) return false;
    if (this.#diskBytes + bytes > diskMaxBytes * LIMITS.answerSpillShare) return false;
    return this.takeDisk(user, bytes);
  }
}
