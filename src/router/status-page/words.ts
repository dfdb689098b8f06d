// Numbers as people read them on the status page.
import { GIB, MIB } from '../../limits.js';

const STEPS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** `3 min`, in the largest unit of which there is one; `0 s` below a second. */
export function age(ms: number): string {
  const [unit, factor] = STEPS.find(([, step]) => ms >= step) ?? ['s', 1_000];
  return `${Math.floor(ms / factor)} ${unit}`;
}

export function size(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${(bytes / MIB).toFixed(0)} MiB`;
}

export const rate = (perS: number): string => `${perS >= 10 ? perS.toFixed(0) : perS.toFixed(1)}/s`;

export const percent = (permille: number): string => `${(permille / 10).toFixed(0)} %`;

/** Thousands apart, by a space that does not break. */
export const count = (value: number): string =>
  String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');

export const duration = (ms: number): string =>
  ms >= 1_000 ? `${(ms / 1_000).toFixed(1)} s` : `${ms.toFixed(0)} ms`;
