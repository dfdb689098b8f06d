// What getent(1) and id(1) print, read strictly: anything unusual is no answer.
import { isPlainId } from './identity.js';

export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

const DECIMAL = /^(?:0|[1-9][0-9]{0,9})$/;
const HOME = /^\/[\x20-\x7e\x80-\u{10ffff}]*$/u;

/** A uid or gid; undefined for signs, spaces, leading zeros, hexadecimal and whatever does not fit. */
export function parseId(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const id = Number(text);
  return isPlainId(id) ? id : undefined;
}

/** The one line of `output`, without its newline; undefined if there are more or none. */
function onlyLine(output: string): string | undefined {
  const end = output.indexOf('\n');
  return end > 0 && end === output.length - 1 ? output.slice(0, end) : undefined;
}

/** passwd(5): exactly one line of seven fields, for exactly this name. */
export function parsePasswd(output: string, name: string): PasswdEntry | undefined {
  const fields = onlyLine(output)?.split(':');
  if (fields?.length !== 7 || fields[0] !== name) return undefined;
  const uid = parseId(fields[2] ?? '');
  const gid = parseId(fields[3] ?? '');
  const home = fields[5] ?? '';
  if (uid === undefined || gid === undefined || !HOME.test(home)) return undefined;
  return { name, uid, gid, home };
}

/** `id -G`: numbers with one space between them. */
export function parseGroupIds(output: string): readonly number[] | undefined {
  const gids: number[] = [];
  for (const word of onlyLine(output)?.split(' ') ?? ['']) {
    const gid = parseId(word);
    if (gid === undefined) return undefined;
    gids.push(gid);
  }
  return gids;
}

/** group(5) lines to gid and name; undefined if one of them is not a group that was asked for. */
export function parseGroups(
  output: string,
  asked: readonly string[],
): ReadonlyMap<number, string> | undefined {
  const groups = new Map<number, string>();
  for (const line of output.split('\n').slice(0, -1)) {
    const fields = line.split(':');
    const name = fields[0] ?? '';
    const gid = parseId(fields[2] ?? '');
    if (fields.length !== 4 || gid === undefined || !asked.includes(name)) return undefined;
    groups.set(gid, name);
  }
  return output === '' || output.endsWith('\n') ? groups : undefined;
}

/** group(5): groups that belong to one user have its name and nobody else in them (adduser(8), useradd(8), pam_umask(8)). */
export function isOwnGroup(
  output: string,
  { name, gid }: Pick<PasswdEntry, 'name' | 'gid'>,
): boolean {
  const [group, , id, members = '', ...more] = onlyLine(output)?.split(':') ?? [];
  if (more.length > 0) return false;
  const others = members.split(',').filter((member) => member !== '' && member !== name);
  return group === name && id === String(gid) && others.length === 0;
}
