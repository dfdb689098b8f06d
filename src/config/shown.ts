// A value of somebody else's in a message: escaped, short, of one line.

const SHOWN_MAX_LENGTH = 60;

/** A value as a person may see it: escaped, short, of one line. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Date) return 'a date';
  if (typeof value === 'object' && value !== null) return 'a table';
  if (typeof value === 'bigint') return `the number ${shortened(String(value))}`;
  if (typeof value !== 'string') return `the ${typeof value} ${String(value)}`;
  // JSON escapes control characters but neither U+007F…U+009F nor what changes the direction of writing.
  const printable = JSON.stringify(value.slice(0, SHOWN_MAX_LENGTH));
  const end = value.length > SHOWN_MAX_LENGTH ? '…' : '';
  return printable.replace(/[^\x20-\x7e]/g, escaped) + end;
}

const shortened = (text: string): string =>
  text.length > SHOWN_MAX_LENGTH ? `${text.slice(0, SHOWN_MAX_LENGTH)}…` : text;

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
