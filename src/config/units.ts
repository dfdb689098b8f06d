// Durations and sizes as people write them: a whole number and its unit, nothing implied.
import { GIB, KIB, MIB } from '../limits.js';

const DURATION_UNITS_MS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

const SIZE_UNITS_BYTES = [
  ['TiB', 1_024 * GIB],
  ['GiB', GIB],
  ['MiB', MIB],
  ['KiB', KIB],
  ['B', 1],
] as const;

/** As umask(1) prints it. */
export const formatUmask = (mask: number): string => mask.toString(8).padStart(4, '0');

type Units = readonly (readonly [unit: string, factor: number])[];

// At most 15 digits, so that the number itself is exact; the product is checked.
const AMOUNT = /^(\d{1,15})([A-Za-z]{1,3})$/;

/** Milliseconds of "250ms", "30s", "5m", "1h", "10d"; undefined for everything else. */
export const parseDuration = (text: string): number | undefined =>
  parseAmount(text, DURATION_UNITS_MS);

/** Bytes of "512B", "64KiB", "16MiB", "4GiB", "1TiB" and of "0"; undefined for everything else. */
export const parseSize = (text: string): number | undefined =>
  text === '0' ? 0 : parseAmount(text, SIZE_UNITS_BYTES);

/** With the largest unit that leaves a whole number, as parseDuration() reads it. */
export const formatDuration = (ms: number): string => formatAmount(ms, DURATION_UNITS_MS);

/** With the largest unit that leaves a whole number, as parseSize() reads it. */
export const formatSize = (bytes: number): string =>
  bytes === 0 ? '0' : formatAmount(bytes, SIZE_UNITS_BYTES);

function parseAmount(text: string, units: Units): number | undefined {
  const [, digits, unit] = AMOUNT.exec(text) ?? [];
  const factor = units.find(([name]) => name === unit)?.[1];
  if (digits === undefined || factor === undefined) return undefined;
  const amount = Number(digits) * factor;
  return Number.isSafeInteger(amount) ? amount : undefined;
}

function formatAmount(amount: number, units: Units): string {
  const [unit, factor] = units.find(([, size]) => amount >= size && amount % size === 0) ??
    units.at(-1) ?? ['', 1];
  return `${amount / factor}${unit}`;
}
