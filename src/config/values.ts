// Kinds of values that a key may have: each is a zod schema that knows in plain words what it expects.
import { z } from 'zod';
import { LIMITS } from '../limits.js';
import { limitKey, type LimitName } from './limit-keys.js';
import { isOneLine } from './names.js';
import { formatDuration, formatSize, parseDuration, parseSize } from './units.js';

/** What `params` of every issue of ours carries besides the message, which is what was expected. */
export interface ValueHint {
  /** A value to write instead, as TOML. */
  readonly example: string;
}

interface Kind<T> {
  readonly expected: string;
  readonly example: (found: unknown) => string;
  readonly accept: (value: unknown) => T | undefined;
}

/** A schema from a total function: whatever `accept` does not take is one issue that says what is expected. */
function kind<T>({ expected, example, accept }: Kind<T>): z.ZodType<T> {
  return z.unknown().transform((value, context): T => {
    const accepted = accept(value);
    if (accepted !== undefined) return accepted;
    const params: ValueHint = { example: example(value) };
    context.addIssue({ code: 'custom', message: expected, params });
    return z.NEVER;
  });
}

const quoted = (text: string): string => JSON.stringify(text);

export const flag = (): z.ZodType<boolean> =>
  kind({
    expected: 'true or false, without quotes',
    example: (found) => (found === 'true' || found === 'yes' || found === 1n ? 'true' : 'false'),
    accept: (value) => (typeof value === 'boolean' ? value : undefined),
  });

export const choice = <T extends string>(choices: readonly [T, ...T[]]): z.ZodType<T> =>
  kind({
    expected: `one of ${choices.map(quoted).join(', ')}`,
    example: () => quoted(choices[0]),
    accept: (value) => choices.find((text) => text === value),
  });

/** A list of some of the choices, each once. One issue for all items: a tenant can write thousands. */
export const someOf = <T extends string>(choices: readonly [T, ...T[]]): z.ZodType<readonly T[]> =>
  kind({
    expected: `a list of some of ${choices.map(quoted).join(', ')}, each once`,
    example: () => `[${quoted(choices[0])}]`,
    accept: (value) => {
      if (!Array.isArray(value) || value.length > choices.length) return undefined;
      const found = choices.filter((text) => value.includes(text));
      return found.length > 0 && found.length === value.length ? found : undefined;
    },
  });

/** A plain number; `zeroMeans` says what 0 stands for where it is allowed besides min…max. */
export const count = (min: number, max: number, zeroMeans = ''): z.ZodType<number> =>
  kind({
    expected: `a whole number from ${min} to ${max}${zeroMeans && `, or 0 for ${zeroMeans}`}`,
    example: () => String(zeroMeans === '' ? min : 0),
    accept: (value) => inRange(wholeNumber(value), { min, max, orZero: zeroMeans !== '' }),
  });

interface TextRule {
  readonly expected: string;
  readonly example: string;
  readonly accept: (text: string) => boolean;
}

/** Text on one line that a rule accepts. */
export const text = ({ expected, example, accept }: TextRule): z.ZodType<string> =>
  kind({
    expected,
    example: () => quoted(example),
    accept: (value) => (isLine(value) && accept(value) ? value : undefined),
  });

const isLine = (value: unknown): value is string => typeof value === 'string' && isOneLine(value);

interface ArgvRule {
  readonly expected: string;
  readonly example: string;
  /** Judges the program, which is the first item. */
  readonly accept: (program: string) => boolean;
}

const ARGUMENTS_MAX_COUNT = 64;

/** A program with its arguments. One issue for all items: a tenant can write thousands. */
export const argv = ({ expected, example, accept }: ArgvRule): z.ZodType<readonly string[]> =>
  kind({
    expected: `a list of at most ${ARGUMENTS_MAX_COUNT} texts on one line each, the first ${expected}`,
    example: () => `[${quoted(example)}]`,
    accept: (value) =>
      Array.isArray(value) &&
      value.length <= ARGUMENTS_MAX_COUNT &&
      value.every(isLine) &&
      accept(value[0] ?? '')
        ? value
        : undefined,
  });

export const listOf = <T>(
  item: z.ZodType<T>,
  expected: string,
  maxCount = Number.MAX_SAFE_INTEGER,
): z.ZodType<T[]> => z.array(item, { error: expected }).max(maxCount, { error: expected });

/** The value of one key of a [limits] table. */
export function limitValue(name: LimitName): z.ZodType<number> {
  const { unit, min, max, zeroIsUnlimited: orZero = false } = limitKey(name);
  switch (unit) {
    case 'count':
      return count(min, max, orZero ? 'no limit' : '');
    case 'duration':
      return duration({ min, max, orZero, example: '30s' });
    case 'size':
      return kind({
        expected: `a size with its unit (B, KiB, MiB, GiB or TiB) from ${formatSize(min)} to ${formatSize(max)}, or "0" for no limit`,
        example: (found) => quoted(guessUnit(found, 'MiB', '64MiB')),
        accept: (value) => inRange(amountOf(value, parseSize), { min, max, orZero }),
      });
  }
}

/** A file mode creation mask: octal text, as shells take it. */
export const umask = (): z.ZodType<number> =>
  kind({
    expected: 'three or four octal digits with at least the bits 022, as in "0022" or "0077"',
    example: () => quoted('0027'),
    accept: (value) => {
      if (typeof value !== 'string' || !/^0?[0-7]{3}$/.test(value)) return undefined;
      const mask = Number.parseInt(value, 8);
      return (mask & LIMITS.umaskAlways) === LIMITS.umaskAlways ? mask : undefined;
    },
  });

interface Range {
  readonly min: number;
  readonly max: number;
  readonly orZero: boolean;
}

interface DurationRule extends Range {
  /** Written where nothing better can be guessed. */
  readonly example: string;
}

/** Milliseconds, from a number with its unit. */
export const duration = ({ example, ...range }: DurationRule): z.ZodType<number> =>
  kind({
    expected: `a duration with its unit (ms, s, m, h or d) from ${formatDuration(range.min)} to ${formatDuration(range.max)}`,
    example: (found) => quoted(guessUnit(found, 's', example)),
    accept: (value) => inRange(amountOf(value, parseDuration), range),
  });

const amountOf = (
  value: unknown,
  parse: (text: string) => number | undefined,
): number | undefined => (typeof value === 'string' ? parse(value) : undefined);

/** Within the range, or 0 where that is allowed besides. */
const inRange = (value: number | undefined, { min, max, orZero }: Range): number | undefined =>
  value !== undefined && ((value >= min && value <= max) || (orZero && value === 0))
    ? value
    : undefined;

/** The parser gives whole numbers as BigInt; what is not exact as a number is far out of every range. */
const wholeNumber = (value: unknown): number | undefined =>
  typeof value === 'bigint' ? Number(value) : undefined;

/** `30` was probably meant as `"30s"`, `"64MB"` as `"64MiB"`. */
function guessUnit(found: unknown, smallest: 's' | 'MiB', otherwise: string): string {
  const written = typeof found === 'string' || typeof found === 'bigint' ? String(found) : '';
  const [, digits, letter = ''] = /^\s*(\d{1,12})\s*([kmgt]?)/i.exec(written) ?? [];
  if (digits === undefined || Number(digits) === 0) return otherwise;
  if (smallest === 's') return `${digits}s`;
  return letter === '' ? `${digits}MiB` : `${digits}${letter.toUpperCase()}iB`;
}
