// Whether a pool may start a worker now, and what its requests are told while it may not and has none.
import { ERRORS, type ErrorCode } from '../errors.js';
import { LIMITS } from '../limits.js';
import {
  NO_BACKOFF,
  afterCrash,
  afterHealth,
  afterLoss,
  afterReset,
  afterStart,
  blockedMs,
  isProbing,
  backoffDelayMs,
  startBatch,
  type Backoff,
  type Crash,
} from './backoff.js';
import type { Refusal } from './pool-contract.js';

/** Refusals that say nothing about the application: its requests keep waiting. */
const LIMIT_CODES: ReadonlySet<ErrorCode> = new Set(['E_SPAWN_LIMIT', 'E_SUPERVISOR_AWAY']);

/** Refusals after a start was tried: they count as crashes. */
const isFailedStart = (code: ErrorCode): boolean =>
  ERRORS[code].family === 'privdrop' || code === 'E_START_FAILED' || code === 'E_START_TIMEOUT';

export const isAboutLimits = (code: ErrorCode): boolean => LIMIT_CODES.has(code);

export const retryAfterMsOf = (code: ErrorCode): number => ERRORS[code].retryAfterS * 1000;

interface Hold {
  readonly code: ErrorCode;
  readonly untilMs: number;
  readonly retryAfterMs: number;
}

function holdAfter(refusal: Refusal, nowMs: number): Hold {
  const { code, retryAfterMs } = refusal;
  const holdMs = isAboutLimits(code)
    ? clamp(retryAfterMs, LIMITS.poolLimitHoldMinMs, LIMITS.poolLimitHoldMaxMs)
    : code === 'E_CRASH_LOOP'
      ? clamp(retryAfterMs, LIMITS.poolRefusalHoldMs, LIMITS.backoffMaxMs)
      : LIMITS.poolRefusalHoldMs;
  return { code, retryAfterMs, untilMs: nowMs + holdMs };
}

/** sh(1) and env(1): the command was found and cannot be executed, or was not found. */
const NO_COMMAND: readonly (number | undefined)[] = [126, 127];

export class StartGate {
  #backoff: Backoff = NO_BACKOFF;
  /** What requests are told while it backs off. */
  #backoffCode: ErrorCode = 'E_CRASH_LOOP';
  #hold: Hold | undefined = undefined;
  /** Refusals in a row, and until when nothing is started that nobody waits for. */
  #refusalsCount = 0;
  #unaskedFromMs = -Infinity;
  /** The first of the refusals in a row that say that there is no such application. */
  #goneSinceMs = Infinity;

  get isProbing(): boolean {
    return isProbing(this.#backoff);
  }

  /** The number that starts of now carry; see Backoff. */
  get batch(): number {
    return startBatch(this.#backoff);
  }

  /** A request waits whose worker died. */
  claimSecondTry(): void {
    this.#backoff = afterLoss(this.#backoff);
  }

  /** A worker was asked for. */
  started(): void {
    this.#backoff = afterStart(this.#backoff);
  }

  crashed(crash: Crash): void {
    this.#backoff = afterCrash(this.#backoff, crash);
  }

  /** A worker ended by itself; one that had answered has everything that it needs. */
  ended(exitCode: number | undefined, isProved: boolean): void {
    const isMissing = !isProved && NO_COMMAND.includes(exitCode);
    this.#backoffCode = isMissing ? 'E_RUNTIME_MISSING' : 'E_CRASH_LOOP';
  }

  /** A worker gave its first answer. */
  proved(): void {
    this.#backoff = afterHealth(this.#backoff);
  }

  /** The supervisor did not start a worker. */
  refused(refusal: Refusal, crash: Crash): void {
    const isGone = refusal.code === 'E_APP_UNKNOWN';
    this.#goneSinceMs = isGone ? Math.min(this.#goneSinceMs, crash.nowMs) : Infinity;
    if (isFailedStart(refusal.code)) {
      this.crashed(crash);
      return;
    }
    this.#hold = holdAfter(refusal, crash.nowMs);
    if (isAboutLimits(refusal.code)) return;
    this.#refusalsCount += 1;
    this.#unaskedFromMs = crash.nowMs + backoffDelayMs(this.#refusalsCount, crash.random);
  }

  /** The supervisor started a worker, whatever becomes of it. */
  spawned(): void {
    this.#forgetRefusals();
    this.#goneSinceMs = Infinity;
  }

  /** The application changed, or somebody said to try again. */
  reset(): void {
    this.#backoff = afterReset(this.#backoff);
    this.#hold = undefined;
    this.#forgetRefusals();
  }

  /** It is not being put in place anew, which takes a moment: it was removed. */
  isGone(nowMs: number): boolean {
    return nowMs - this.#goneSinceMs >= LIMITS.appGoneAfterMs;
  }

  /** Milliseconds until a worker may be started; 0: now. */
  waitMs(nowMs: number): number {
    return Math.max(blockedMs(this.#backoff, nowMs), (this.#hold?.untilMs ?? 0) - nowMs, 0);
  }

  /**
   * The same for a worker that is to be kept although no request waits: the longer, the more often it was refused, because
   * an application may be gone for good.
   */
  unaskedWaitMs(nowMs: number): number {
    return Math.max(this.waitMs(nowMs), this.#unaskedFromMs - nowMs);
  }

  isBackingOff(nowMs: number): boolean {
    return blockedMs(this.#backoff, nowMs) > 0;
  }

  #forgetRefusals(): void {
    this.#refusalsCount = 0;
    this.#unaskedFromMs = -Infinity;
  }

  /** For requests of a pool without any worker; undefined if it is worth waiting. */
  refusal(nowMs: number): Refusal | undefined {
    const backoffMs = blockedMs(this.#backoff, nowMs);
    if (backoffMs > 0) return { code: this.#backoffCode, retryAfterMs: backoffMs };
    const hold = this.#hold;
    if (hold === undefined || hold.untilMs <= nowMs || isAboutLimits(hold.code)) return undefined;
    return { code: hold.code, retryAfterMs: Math.max(hold.retryAfterMs, hold.untilMs - nowMs) };
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
