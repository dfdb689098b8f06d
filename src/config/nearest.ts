// The known name that somebody probably meant.

/** Longer than any key of ours, with room for a slip: no time is spent on what cannot be near. */
const NAME_MAX_LENGTH = 40;

/** The candidate with the fewest edits, if they are few enough to be a slip of the finger. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > NAME_MAX_LENGTH) return undefined;
  const wanted = name.toLowerCase().replaceAll('-', '_');
  let nearest: string | undefined;
  let fewest = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = editDistance(wanted, candidate);
    if (edits < fewest) {
      nearest = candidate;
      fewest = edits;
    }
  }
  return nearest;
}

/** Levenshtein's distance, one row at a time, where two letters that have changed places count as one edit. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  let before: readonly number[] = [];
  for (let line = 1; line <= from.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= to.length; column += 1) {
      const replace = (row[column - 1] ?? 0) + (from[line - 1] === to[column - 1] ? 0 : 1);
      const swapped = from[line - 1] === to[column - 2] && from[line - 2] === to[column - 1];
      const swap = swapped ? (before[column - 2] ?? Infinity) + 1 : Infinity;
      next.push(Math.min(replace, swap, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[to.length] ?? 0;
}
