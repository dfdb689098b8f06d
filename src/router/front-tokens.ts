// Front tokens: the proof that a request comes by way of its user's own virtual host. Only digests are known here (R-F2).
//
//   <state>/tokens/digests/<user>     root:router 0640, at most two lines `sha256 until`; until: 0 or ms since 1970
import { createHash, timingSafeEqual } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '../limits.js';
import type { Logger } from '../log.js';
import type { Params } from './resolve.js';

/** The param in which a web server says the token; no worker and no log ever sees it. */
const TOKEN_PARAM = 'USHERD_TOKEN';

/** The same for the status page, whose token belongs to no user. */
export const STATUS_PARAM = 'USHERD_STATUS';
const STATUS_PAGE = '@status';

interface Digest {
  readonly sha256: Buffer;
  /** Wall clock, because it outlives every process; 0: no end. */
  readonly untilMs: number;
}

interface Known {
  readonly lookedAtMs: number;
  /** Changes with the file; '' where there is none. */
  readonly version: string;
  readonly digests: readonly Digest[];
}

export interface FrontTokensParts {
  readonly stateDirectory: string;
  readonly log: Logger;
  /** Owners whose files are believed: root, and in self mode the current user. */
  readonly trustedUids: ReadonlySet<number>;
  readonly nowMs?: () => number;
}

/** `user.secret`; the name says whose it claims to be, so that a refusal can say so, too. */
const TOKEN = /^([a-z_][a-z0-9_-]{0,31})\.[A-Za-z0-9_-]{43}$/;
const LINE = /^([0-9a-f]{64}) ([0-9]{1,15})$/;
const GROUP_OR_OTHER_WRITE = 0o022;
const OPEN_FLAGS = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
/** Compared where there is no digest, so that every judgement takes as many steps. No token has it. */
const NOBODYS = Buffer.alloc(32);

export class FrontTokens {
  readonly #parts: FrontTokensParts;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, Known>();

  constructor(parts: FrontTokensParts) {
    this.#parts = parts;
    this.#nowMs = parts.nowMs ?? Date.now;
  }

  /** Users about whom something is remembered, bounded. */
  get rememberedCount(): number {
    return this.#known.size;
  }

  /**
   * Why a request may not go to this user's application; undefined if its token is the user's. The token is taken out
   * of the params either way.
   */
  refusal(params: Params, user: string): string | undefined {
    const token = params.get(TOKEN_PARAM);
    params.delete(TOKEN_PARAM);
    if (token === undefined || token === '') return 'no token';
    if (this.#isOf(user, token)) return undefined;
    const claimed = TOKEN.exec(token)?.[1];
    const isAnothers = claimed !== undefined && claimed !== user && this.#isOf(claimed, token);
    return isAnothers ? `the token of ${claimed}` : 'an unknown token';
  }

  /** Whether a request is for the status page: only who has read root's files can say so. Taken out of the params. */
  isForStatusPage(params: Params): boolean {
    const token = params.get(STATUS_PARAM) ?? '';
    params.delete(STATUS_PARAM);
    return this.#isOf(STATUS_PAGE, token);
  }

  /** Constant time in what the token is: both places are compared, whole, whether or not they are taken. */
  #isOf(user: string, token: string): boolean {
    const sha256 = createHash('sha256').update(token, 'latin1').digest();
    const [newer, older] = this.#digests(user);
    const isNewer = timingSafeEqual(sha256, newer?.sha256 ?? NOBODYS);
    const isOlder = timingSafeEqual(sha256, older?.sha256 ?? NOBODYS);
    return (isNewer && this.#isValid(newer)) || (isOlder && this.#isValid(older));
  }

  #isValid(digest: Digest | undefined): boolean {
    if (digest === undefined) return false;
    return digest.untilMs === 0 || this.#nowMs() < digest.untilMs;
  }

  /** Looked at again at most once a second, before the judgement: a token that was taken away is refused then. */
  #digests(user: string): readonly Digest[] {
    const nowMs = this.#nowMs();
    const known = this.#known.get(user);
    // A clock that was set back must not make an old answer last.
    const ageMs = known === undefined ? Infinity : Math.abs(nowMs - known.lookedAtMs);
    if (known !== undefined && ageMs < LIMITS.frontTokenCheckMs) return known.digests;
    const fresh = this.#look(user, known, nowMs);
    this.#known.delete(user);
    if (this.#known.size >= LIMITS.frontTokenUsersMaxCount) this.#forgetOne();
    this.#known.set(user, fresh);
    return fresh.digests;
  }

  #look(user: string, known: Known | undefined, lookedAtMs: number): Known {
    const path = join(this.#parts.stateDirectory, 'tokens/digests', user);
    const none = { lookedAtMs, version: '', digests: [] };
    let descriptor: number | undefined;
    try {
      // An exception costs ten times as much as this look, and names that nobody has are free to ask for.
      if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) return none;
      descriptor = fs.openSync(path, OPEN_FLAGS);
      const stats = fs.fstatSync(descriptor, { bigint: true });
      const version = [stats.dev, stats.ino, stats.mtimeNs, stats.ctimeNs, stats.size].join(' ');
      if (known?.version === version) return { ...known, lookedAtMs };
      const digests = this.#parse(path, stats, descriptor);
      return { lookedAtMs, version, digests };
    } catch (err) {
      this.#parts.log.error({ path, err: String(err) }, 'front token not readable');
      return none;
    } finally {
      if (descriptor !== undefined) fs.closeSync(descriptor);
    }
  }

  /** What is not understood is no token: nobody comes in by it. */
  #parse(path: string, stats: fs.BigIntStats, descriptor: number): readonly Digest[] {
    const isOurs = this.#parts.trustedUids.has(Number(stats.uid));
    const isWritable = (Number(stats.mode) & GROUP_OR_OTHER_WRITE) !== 0;
    const isSmall = stats.size <= LIMITS.frontTokenFileMaxBytes;
    const lines =
      stats.isFile() && isOurs && !isWritable && isSmall
        ? fs.readFileSync(descriptor, 'latin1').split('\n').slice(0, -1)
        : [];
    const found = lines.map((line) => LINE.exec(line) ?? undefined);
    if (found.length === 0 || found.length > 2 || found.includes(undefined)) {
      this.#parts.log.error({ path }, 'front token refused: not a file of `usherd token`');
      return [];
    }
    return found.map((line) => ({
      sha256: Buffer.from(line?.[1] ?? '', 'hex'),
      untilMs: Number(line?.[2]),
    }));
  }

  #forgetOne(): void {
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}
