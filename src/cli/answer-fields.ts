// Reads fields out of an answer of the supervisor, which may be of another version: what is not there is 0, '' or nothing.
import type { Answer } from './control-client.js';

export const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

export const tableOf = (value: unknown): Answer =>
  typeof value === 'object' && value !== null ? (value as Answer) : {};

export const tablesIn = (value: unknown): readonly Answer[] =>
  Array.isArray(value) ? value.map(tableOf) : [];

export const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
