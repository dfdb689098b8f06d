// Words as sh(1) reads them back, all on one line.

/** For people: words that a shell would leave alone stay as they are. */
export const shellWord = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** A line that runs this command and has no line feed in it, whatever the words have. */
export function execLine(words: readonly string[]): string {
  const quoted = words.map(
    (word) => `'${word.replaceAll("'", "'\\''").replaceAll('\n', `'"$nl"'`)}'`,
  );
  return `nl=$(printf '\\nx'); nl=\${nl%x}; exec ${quoted.join(' ')}`;
}
