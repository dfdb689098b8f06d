// /proc/PID/status as names and values.

/** `Uid:\t1\t1\t1\t1` and so on; the words of a value are joined by one space. */
export function parseStatus(status: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of status.split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const words = line.slice(colon + 1).split(/[\t ]+/);
    fields.set(line.slice(0, colon), words.filter((word) => word !== '').join(' '));
  }
  return fields;
}

/** Supplementary groups; undefined if nothing is said about them. */
export function groupsOf(fields: ReadonlyMap<string, string>): readonly number[] | undefined {
  const groups = fields.get('Groups');
  if (groups === undefined) return undefined;
  return groups === '' ? [] : groups.split(' ').map(Number);
}
