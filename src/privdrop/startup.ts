// What a supervisor asserts about itself before it does anything for anybody.
import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { UsherdError, type Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import { AccountFiles } from './account-files.js';
import { numericText } from './account-directory.js';
import type { Mode } from './identity.js';

// proc(5), fdinfo: octal open(2) flags.
const O_CLOEXEC = 0o2000000;
const STDERR = 2;

/** capabilities(7), by bit. */
const NEEDED: ReadonlyMap<number, string> = new Map([
  [0, 'CAP_CHOWN'], // of the users' private directories, when they are made
  [5, 'CAP_KILL'],
  [6, 'CAP_SETGID'],
  [7, 'CAP_SETUID'],
  [8, 'CAP_SETPCAP'],
]);

/** Undefined for a descriptor that closed meanwhile, such as the listing's own. */
function flagsOf(descriptor: string): number | undefined {
  try {
    const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
    const flags = /^flags:\s*([0-7]+)$/m.exec(info)?.[1];
    // An entry without flags is not understood, and what is not understood is not safe.
    return flags === undefined ? 0 : Number.parseInt(flags, 8);
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return undefined;
    throw err;
  }
}

/** Descriptors that a child would get, standard input and output aside. */
const leaking = (): readonly string[] =>
  readdirSync('/proc/self/fdinfo').filter((descriptor) => {
    const flags = Number(descriptor) > STDERR ? flagsOf(descriptor) : undefined;
    return flags !== undefined && (flags & O_CLOEXEC) === 0;
  });

/**
 * Every worker would get what is open here without O_CLOEXEC. Node sets the flag on the descriptors it opens, and
 * at its start on those it inherits without a gap from 0; a terminal or an editor may have left others, which
 * nobody here knows and which are closed.
 * @returns the numbers that were closed, for the log
 * @throws UsherdError E_STARTUP_DESCRIPTOR if one of them is still there
 */
export function closeInheritedDescriptors(): readonly number[] {
  const found = leaking();
  for (const descriptor of found) closeSync(Number(descriptor));
  const left = leaking();
  if (left.length === 0) return found.map(Number);
  const findings = left.map((descriptor) => ({
    rule: 'inherited-descriptor',
    path: `/proc/self/fd/${descriptor}`,
    found: `descriptor ${descriptor} is open and would be inherited`,
    expected: 'descriptors 0, 1 and 2 only',
    remedy: `close it in what starts usherd, e.g. with ${descriptor}>&- in a shell`,
  }));
  const detail = `inherited descriptors ${left.join(', ')}`;
  throw new UsherdError('E_STARTUP_DESCRIPTOR', detail, { findings });
}

function namesOf(bits: bigint): string {
  const names: string[] = [];
  for (let bit = 0; bits >> BigInt(bit) > 0n; bit += 1) {
    if (((bits >> BigInt(bit)) & 1n) === 1n) names.push(NEEDED.get(bit) ?? `capability ${bit}`);
  }
  return names.length === 0 ? 'none' : names.join(' ');
}

const REMEDIES: Readonly<Record<Mode, string>> = {
  root: 'start usherd with `usherd run` or the shipped unit (CapabilityBoundingSet)',
  self: 'start usherd as an ordinary user without file or ambient capabilities',
};

/** Exactly the capabilities of /proc/PID/status that a supervisor of this mode has to have. */
export function findCapabilityFaults(status: string, mode: Mode): readonly Finding[] {
  const needed = [...NEEDED.keys()].reduce((bits, bit) => bits | (1n << BigInt(bit)), 0n);
  const held = mode === 'root' ? needed : 0n;
  const wanted: [string, bigint][] = [
    ['CapInh', 0n],
    ['CapPrm', held],
    ['CapEff', held],
    ['CapAmb', 0n],
  ];
  if (mode === 'root') wanted.push(['CapBnd', held]);
  return wanted.flatMap(([set, bits]) => {
    const text = new RegExp(`^${set}:\\s*([0-9a-f]{1,16})$`, 'm').exec(status)?.[1];
    const found = text === undefined ? undefined : BigInt(`0x${text}`);
    if (found === bits) return [];
    return [
      {
        rule: 'supervisor-capabilities',
        path: '/proc/self/status',
        found: `${set}: ${found === undefined ? 'not said' : namesOf(found)}`,
        expected: `${set}: ${namesOf(bits)}`,
        remedy: REMEDIES[mode],
      },
    ];
  });
}

/** Without CAP_SYS_RESOURCE nobody gives a worker more descriptors than he may have himself. */
export function findLimitFaults(limits: string): readonly Finding[] {
  const hard = /^Max open files +\S+ +(\S+)/m.exec(limits)?.[1] ?? 'not said';
  if (hard === 'unlimited' || Number(hard) >= LIMITS.workerFilesMaxCount) return [];
  return [
    {
      rule: 'supervisor-files',
      path: '/proc/self/limits',
      found: `a hard limit of ${hard} open files`,
      expected: `at least ${LIMITS.workerFilesMaxCount}, which every worker gets`,
      remedy: 'raise LimitNOFILE of the unit, or `ulimit -Hn` of what starts usherd',
    },
  ];
}

/** @throws UsherdError E_STARTUP_CAPABILITIES for one too few, and for one too many */
export function assertCapabilities(mode: Mode): void {
  const findings = [...findCapabilityFaults(readFileSync('/proc/self/status', 'latin1'), mode)];
  const uid = process.geteuid?.();
  if ((uid === 0) !== (mode === 'root')) {
    findings.push({
      rule: 'supervisor-uid',
      found: `uid ${uid ?? 'unknown'}`,
      expected: mode === 'root' ? 'uid 0' : 'an ordinary user',
      remedy: REMEDIES[mode],
    });
  }
  findings.push(...findLimitFaults(readFileSync('/proc/self/limits', 'latin1')));
  if (findings.length === 0) return;
  const detail = 'the capabilities or limits of this process are not the expected ones';
  throw new UsherdError('E_STARTUP_CAPABILITIES', detail, { findings });
}

/**
 * setpriv(1) looks `--reuid=1001` up as a name first: an account called 1001 would decide who that is.
 * @throws UsherdError E_STARTUP_ACCOUNTS
 */
export async function assertAccountDatabase(files = new AccountFiles()): Promise<void> {
  const names = await Promise.resolve(files.numericNames());
  if (names.length === 0) return;
  const findings = names.map((name) => ({
    rule: 'account-numeric',
    path: '/etc/passwd or /etc/group',
    found: `the name ${name}`,
    expected: 'names that are not numbers',
    remedy: `usermod -l NEWNAME ${name}, or groupmod -n NEWNAME ${name}`,
  }));
  throw new UsherdError('E_STARTUP_ACCOUNTS', numericText(names), { findings });
}
