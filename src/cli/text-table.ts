// Tables, ages and sizes for a terminal. Texts may be a tenant's: only printable ASCII goes out.

const CELL_MAX_LENGTH = 100;

/** One value on one line, without anything that a terminal would obey; `-` for nothing. */
export function cell(value: unknown, maxLength: number = CELL_MAX_LENGTH): string {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || value === '') return '-';
  return value.slice(0, maxLength).replace(/[^\x20-\x7e]/g, '?');
}

/** The first row is the heading; columns from `firstNumber` on are set to the right. */
export function formatTable(
  rows: readonly (readonly string[])[],
  firstNumber: number,
  lastNumber = Infinity,
): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const pad = (text: string, column: number): string => {
    const isNumber = column >= firstNumber && column <= lastNumber;
    return isNumber ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  };
  return rows.map((row) => row.map(pad).join('  ').trimEnd());
}

/** `3d 4h`, `2h 5m`, `7m 3s`: the two largest units. */
export function formatAge(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0s';
  return parts
    .slice(first, first + 2)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(' ');
}

export const formatMiB = (bytes: number): string => `${Math.round(bytes / 1_048_576)}M`;

/** `1 worker`, `2 workers`. */
export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;
