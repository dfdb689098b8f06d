// What all waiting bodies and answers may hold together: memory, disk per user, disk in all, open files. Counts, and never acts.
import { LIMITS } from '../limits.js';

export interface SpoolLimits {
  readonly memoryMaxBytes: number;
  readonly pendingMaxBytes: number;
  readonly userDiskMaxBytes: number;
  readonly diskMaxBytes: number;
  readonly filesMaxCount: number;
}

export const SPOOL_LIMITS: SpoolLimits = {
  memoryMaxBytes: LIMITS.bodyMemoryTotalMaxBytes,
  pendingMaxBytes: LIMITS.spoolPendingTotalMaxBytes,
  userDiskMaxBytes: LIMITS.spoolPerUserMaxBytes,
  diskMaxBytes: LIMITS.spoolTotalMaxBytes,
  filesMaxCount: LIMITS.spoolFilesMaxCount,
};

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
  readonly #userDiskBytes = new Map<string, number>();
  readonly #userAnswerFiles = new Map<string, number>();
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
    return this.#userDiskBytes.get(user) ?? 0;
  }

  takeMemory(bytes: number): boolean {
    if (this.#memoryBytes + bytes > this.#limits.memoryMaxBytes) return false;
    this.#memoryBytes += bytes;
    return true;
  }

  giveMemory(bytes: number): void {
    this.#memoryBytes -= bytes;
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
    this.#userDiskBytes.set(user, userBytes);
    return true;
  }

  /** Nobody needs these bytes any more: the user may have others, although the disk has them until the file is gone. */
  giveShare(user: string, bytes: number): void {
    const userBytes = this.userDiskBytes(user) - bytes;
    if (userBytes === 0) this.#userDiskBytes.delete(user);
    else this.#userDiskBytes.set(user, userBytes);
  }

  /** After giveShare, when the file is gone. */
  giveDisk(bytes: number): void {
    this.#diskBytes -= bytes;
  }

  takeFile(): boolean {
    if (this.#filesCount >= this.#limits.filesMaxCount) return false;
    this.#filesCount += 1;
    return true;
  }

  giveFile(): void {
    this.#filesCount -= 1;
  }

  /** An answer can wait in its worker instead, a body cannot: so they get no more than their share. */
  takeAnswerFile(user: string): boolean {
    const userCount = (this.#userAnswerFiles.get(user) ?? 0) + 1;
    if (userCount > LIMITS.answerSpillsPerUserMaxCount) return false;
    if (this.#filesCount >= this.#limits.filesMaxCount * LIMITS.answerSpillShare) return false;
    this.#userAnswerFiles.set(user, userCount);
    return this.takeFile();
  }

  giveAnswerFile(user: string): void {
    const userCount = (this.#userAnswerFiles.get(user) ?? 0) - 1;
    if (userCount === 0) this.#userAnswerFiles.delete(user);
    else this.#userAnswerFiles.set(user, userCount);
    this.giveFile();
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
