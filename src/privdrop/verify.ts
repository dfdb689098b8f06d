// The proof that a process is what the plan says, read from /proc by the one who started it. No tool's exit code is believed.
//
// Sound only for an own child that has not been waited for (its pid cannot be another process) and that waits, in a
// constant program, for leave to go on.
import { readFileSync } from 'node:fs';
import type { Finding } from '../errors.js';
import { MARK_SUM, type DropPlan } from './plan.js';
import { groupsOf, parseStatus } from './proc-status.js';

/** The texts of /proc/PID/status, limits and stat. */
export interface ProcessTexts {
  readonly status: string;
  readonly limits: string;
  readonly stat: string;
}

interface Subject {
  readonly pid: number;
  readonly parentPid: number;
  readonly plan: DropPlan;
}

interface Claim {
  readonly rule: string;
  readonly found: string;
  readonly expected: string;
}

const REMEDY =
  'nothing of the user has run; look for changed tools (`usherd doctor`) and report it if there are none';

const MISSING = 'nothing';

const four = (id: number): string => [id, id, id, id].join(' ');
const sorted = (ids: readonly number[]): string =>
  [...new Set(ids)].sort((a, b) => a - b).join(' ');

function identityClaims(fields: ReadonlyMap<string, string>, plan: DropPlan): readonly Claim[] {
  const groups = groupsOf(fields);
  return [
    // Real, effective, saved and file system id: one that stays behind is a way back.
    { rule: 'drop-uid', found: fields.get('Uid') ?? MISSING, expected: four(plan.uid) },
    { rule: 'drop-gid', found: fields.get('Gid') ?? MISSING, expected: four(plan.gid) },
    {
      rule: 'drop-groups',
      found: groups === undefined ? MISSING : sorted(groups),
      expected: sorted(plan.groups),
    },
  ];
}

const ZERO = '0';

function privilegeClaims(fields: ReadonlyMap<string, string>, plan: DropPlan): readonly Claim[] {
  const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'];
  // The bounding set takes a privilege to shrink.
  if (plan.mode === 'root') sets.push('CapBnd');
  const claims = sets.map((set) => ({
    rule: `drop-${set.toLowerCase()}`,
    found: (fields.get(set) ?? MISSING).replace(/^0+(?=.)/, ''),
    expected: ZERO,
  }));
  // A supervisor that runs with no_new_privs hands it down whatever the plan says: more is not less.
  if (!plan.noNewPrivileges) return claims;
  const found = fields.get('NoNewPrivs') ?? MISSING;
  return [...claims, { rule: 'drop-no-new-privileges', found, expected: '1' }];
}

function limitOf(limits: string, name: string): string {
  const line = limits.split('\n').find((text) => text.startsWith(name));
  const [soft = MISSING, hard = MISSING] = line?.slice(name.length).trim().split(/ +/) ?? [];
  return `${soft} ${hard}`;
}

function limitClaims(limits: string, { rlimits, mark }: DropPlan): readonly Claim[] {
  const claim = (rule: string, name: string, wanted: number): Claim => ({
    rule,
    found: limitOf(limits, name),
    expected: `${wanted} ${wanted}`,
  });
  const claims = [
    claim('drop-rlimit-files', 'Max open files', rlimits.files),
    claim('drop-rlimit-core', 'Max core file size', 0),
  ];
  if (rlimits.processes > 0) {
    claims.push(claim('drop-rlimit-processes', 'Max processes', rlimits.processes));
  }
  if (rlimits.fileBytes > 0) {
    claims.push(claim('drop-rlimit-file-size', 'Max file size', rlimits.fileBytes));
  }
  if (mark > 0) {
    claims.push(claim('drop-mark', 'Max file locks', mark));
    claims.push(claim('drop-mark-seal', 'Max realtime timeout', MARK_SUM - mark));
  }
  return claims;
}

function sessionClaims(stat: string, { pid, parentPid }: Subject): readonly Claim[] {
  // The second field is the program's name in parentheses and may itself contain anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [, parent = MISSING, group = MISSING, session = MISSING, terminal = MISSING] = fields;
  return [
    { rule: 'drop-process', found: stat.slice(0, stat.indexOf(' ')), expected: String(pid) },
    { rule: 'drop-parent', found: parent, expected: String(parentPid) },
    { rule: 'drop-process-group', found: group, expected: String(pid) },
    { rule: 'drop-session', found: session, expected: String(pid) },
    { rule: 'drop-terminal', found: terminal, expected: ZERO },
  ];
}

/** Every claim of the plan that the texts do not bear out. */
export function findDropFaults(texts: ProcessTexts, subject: Subject): readonly Finding[] {
  const { plan } = subject;
  const fields = parseStatus(texts.status);
  const claims = [
    ...identityClaims(fields, plan),
    ...privilegeClaims(fields, plan),
    ...limitClaims(texts.limits, plan),
    ...sessionClaims(texts.stat, subject),
  ];
  return claims
    .filter(({ found, expected }) => found !== expected)
    .map((claim) => ({ ...claim, path: `/proc/${subject.pid}`, remedy: REMEDY }));
}

/** Proves the drop; [] means proved. Reads /proc synchronously (some 50 µs), and finds a fault where it cannot read. */
export function verifyDrop(pid: number, plan: DropPlan, parentPid: number): readonly Finding[] {
  const read = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1');
  try {
    const texts = { status: read('status'), limits: read('limits'), stat: read('stat') };
    return findDropFaults(texts, { pid, parentPid, plan });
  } catch (err) {
    const found = err instanceof Error ? err.message : String(err);
    const path = `/proc/${pid}`;
    return [
      { rule: 'drop-process', path, found, expected: 'a process to look at', remedy: REMEDY },
    ];
  }
}
