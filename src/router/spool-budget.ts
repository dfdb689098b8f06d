// What all waiting request bodies may hold together: memory, disk per user, disk in all, open files. Counts, and never acts.
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
  /** A web server sends pieces of 8 KiB, and the disk is often quicker than a block is full. */
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

  takePending(bytes: number): boolean {
    if (this.#pendingBytes + bytes > this.#limits.pendingMaxBytes) return false;
    this.#pendingBytes += bytes;
    return true;
  }

  givePending(bytes: number): void {
    this.#pendingBytes -= bytes;
  }

  /** For one write to disk; after takePending. Bytes of other bodies may be in it: only what was filled goes anywhere. */
  takeBlock(): Buffer {
    return this.#spareBlocks.pop() ?? Buffer.alloc(LIMITS.spoolBlockBytes);
  }

  /** Nobody reads or writes it any more. */
  giveBlock(block: Buffer): void {
    if (this.#spareBlocks.length < LIMITS.spoolSpareBlocksMaxCount) this.#spareBlocks.push(block);
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
}
