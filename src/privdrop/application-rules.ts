// What an application directory has to be before anything in it is used: rules with names, in the spirit of suEXEC's.
//
// They are no privilege check: everything here was seen by a process that is already the user, so the worst that a lie or
// a race can bring is what this user could have read or run anyway.
import { TextDecoder } from 'node:util';
import type { ErrorCode, Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import { ENVIRONMENT_FILE } from './environment-file.js';
import { MANIFEST_NAME } from './launcher-script.js';
import { componentsOf, type Mark, type Sighting } from './launcher-report.js';

export interface Refusal {
  readonly code: ErrorCode;
  /** The first rule that refuses; one is enough. */
  readonly finding: Finding;
  /** What else would refuse, once this is mended. */
  readonly others?: readonly Finding[];
}

export interface LaunchReport {
  readonly directory: Mark;
  readonly marks: readonly Mark[];
  readonly manifestText: string | undefined;
}

export interface AskedFor {
  readonly directory: string;
  readonly uid: number;
}

const WRITABLE_BY_OTHERS = 0o022;
const SET_ID = 0o6000;
const OPEN_TO_OTHERS = 0o077;

// Whoever can touch these can only make the application restart, and `tmp` is often everybody's.
const RESTART_MARKS: ReadonlySet<string> = new Set(['restart.txt', 'tmp', 'tmp/restart.txt']);

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

// A link's own mode means nothing.
const isWritableByOthers = (mark: Mark): boolean =>
  mark.kind !== 'link' && (mark.mode & WRITABLE_BY_OTHERS) !== 0;

const modeFinding = (rule: string, path: string, mark: Mark): Finding => ({
  rule,
  path,
  found: `mode ${octal(mark.mode)}`,
  expected: 'nobody but the owner may write',
  remedy: `chmod go-w ${path}`,
});

const ownerFinding = (rule: string, path: string, mark: Mark, uid: number): Finding => ({
  rule,
  path,
  found: `owner uid ${mark.uid}`,
  expected: `owner uid ${uid}`,
  remedy: `chown ${uid} ${path}`,
});

/** A link on the way is fine if root made it; a user's own could lead the application anywhere. */
function judgeWay(seen: Sighting, asked: AskedFor): Finding | undefined {
  if (seen.physicalDirectory === asked.directory) return undefined;
  const links = seen.components.filter((component) => component.kind === 'link');
  const foreign = links.find((link) => link.uid !== 0);
  // A component that is gone meanwhile explains nothing.
  const isWhole = seen.components.length === componentsOf(asked.directory).length;
  if (isWhole && links.length > 0 && foreign === undefined) return undefined;
  return {
    rule: 'app-directory-symlink',
    path: foreign?.name ?? asked.directory,
    // The user chose where it leads, so the text may be anything.
    found: `a symbolic link; it leads to ${JSON.stringify(seen.physicalDirectory.slice(0, 200))}`,
    expected: 'a directory, or a link that root made',
    remedy: 'put the directory itself there',
  };
}

function judgeDirectory(seen: Sighting, asked: AskedFor): Finding | undefined {
  const { directory: path, uid } = asked;
  const way = judgeWay(seen, asked);
  if (way !== undefined) return way;
  if (seen.directory.uid !== uid) {
    return ownerFinding('app-directory-owner', path, seen.directory, uid);
  }
  return isWritableByOthers(seen.directory)
    ? modeFinding('app-directory-mode', path, seen.directory)
    : undefined;
}

function judgeManifestKind(path: string, mark: Mark): Finding | undefined {
  if (mark.kind === 'file' && mark.links === 1) return undefined;
  return {
    rule: 'manifest-kind',
    path,
    found: mark.kind === 'file' ? `a file with ${mark.links} names (hard links)` : mark.kind,
    expected: 'a regular file with one name',
    remedy: `replace ${path} by a copy of its own`,
  };
}

function judgeManifestSize(path: string, sizeBytes: number): Finding | undefined {
  if (sizeBytes <= LIMITS.manifestMaxBytes) return undefined;
  return {
    rule: 'manifest-size',
    path,
    found: `${sizeBytes} bytes`,
    expected: `at most ${LIMITS.manifestMaxBytes} bytes`,
    remedy: `shorten ${path}`,
  };
}

function judgeManifest(seen: Sighting, asked: AskedFor): Finding | undefined {
  const path = `${asked.directory}/${MANIFEST_NAME}`;
  const mark = seen.marks.find(({ name }) => name === MANIFEST_NAME);
  if (mark === undefined) return undefined;
  const kind = judgeManifestKind(path, mark);
  if (kind !== undefined) return kind;
  if (mark.uid !== asked.uid) return ownerFinding('manifest-owner', path, mark, asked.uid);
  if (isWritableByOthers(mark)) return modeFinding('manifest-mode', path, mark);
  if (seen.manifestBytes !== undefined) {
    // It may have grown between lstat(2) and open(2).
    return judgeManifestSize(path, Math.max(mark.sizeBytes, seen.manifestBytes.length));
  }
  return {
    rule: 'manifest-mode',
    path,
    found: `mode ${octal(mark.mode)}, not readable for its owner`,
    expected: 'a file that its owner can read',
    remedy: `chmod u+r ${path}`,
  };
}

/** It holds secrets: a file that somebody else reads has none. */
function judgeEnvironmentFile(mark: Mark, asked: AskedFor): Finding | undefined {
  const path = `${asked.directory}/${mark.name}`;
  const kind = judgeManifestKind(path, mark);
  if (kind !== undefined) return { ...kind, rule: 'env-file-kind' };
  if (mark.uid !== asked.uid) return ownerFinding('env-file-owner', path, mark, asked.uid);
  if ((mark.mode & OPEN_TO_OTHERS) === 0) return undefined;
  return {
    rule: 'env-file-mode',
    path,
    found: `mode ${octal(mark.mode)}`,
    expected: 'a file that nobody but its owner may read or write',
    remedy: `chmod 600 ${path}`,
  };
}

function judgeEntry(mark: Mark, asked: AskedFor): Finding | undefined {
  if (mark.name === ENVIRONMENT_FILE) return judgeEnvironmentFile(mark, asked);
  if (mark.name === MANIFEST_NAME || RESTART_MARKS.has(mark.name)) return undefined;
  const path = `${asked.directory}/${mark.name}`;
  if (mark.uid !== asked.uid && mark.uid !== 0) {
    return ownerFinding('entry-owner', path, mark, asked.uid);
  }
  if (isWritableByOthers(mark)) return modeFinding('entry-mode', path, mark);
  return judgeEntryKind(path, mark);
}

/** Nobody gains anything by set-id bits here, but who sets them expects something else than what will happen. */
function judgeEntryKind(path: string, mark: Mark): Finding | undefined {
  if (mark.kind === 'other') {
    return {
      rule: 'entry-kind',
      path,
      found: 'a FIFO, a socket or a device',
      expected: 'a regular file, a directory or a link',
      remedy: `remove ${path}`,
    };
  }
  if (mark.kind !== 'file' || (mark.mode & SET_ID) === 0) return undefined;
  return {
    rule: 'entry-set-id',
    path,
    found: `mode ${octal(mark.mode)}, set-user-ID or set-group-ID`,
    expected: 'a program without these bits: it runs as its owner anyway',
    remedy: `chmod u-s,g-s ${path}`,
  };
}

function decodeManifest(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const refuse = (finding: Finding, others: readonly Finding[] = []): Refusal => ({
  code: 'E_ACCESS_REFUSED',
  finding,
  others,
});

/** What may be used of what was seen, or the first rule that refuses it. */
export function judgeApplication(seen: Sighting, asked: AskedFor): LaunchReport | Refusal {
  const findings = [
    judgeDirectory(seen, asked),
    judgeManifest(seen, asked),
    ...seen.marks.map((mark) => judgeEntry(mark, asked)),
  ];
  const [finding, ...others] = findings.filter((found) => found !== undefined);
  if (finding !== undefined) return refuse(finding, others);
  const { directory, marks, manifestBytes } = seen;
  if (manifestBytes === undefined) return { directory, marks, manifestText: undefined };
  const manifestText = decodeManifest(manifestBytes);
  if (manifestText !== undefined) return { directory, marks, manifestText };
  const path = `${asked.directory}/${MANIFEST_NAME}`;
  return refuse({
    rule: 'manifest-text',
    path,
    found: 'bytes that are not UTF-8',
    expected: 'a text file in UTF-8',
    remedy: `save ${path} as UTF-8`,
  });
}

type EntryRefusal = (path: string, uid: number) => Refusal;

/** Why a launcher could not enter the directory; keys are the reasons it gives. */
const ENTRY_REFUSALS: ReadonlyMap<string, EntryRefusal> = new Map<string, EntryRefusal>([
  [
    'missing',
    (path, uid) => ({
      code: 'E_APP_UNKNOWN',
      finding: {
        rule: 'app-directory-missing',
        path,
        found: 'nothing',
        expected: 'the directory of the application',
        remedy: `install -d -o ${uid} ${path}`, // mkdir of root's would be refused for its owner
      },
    }),
  ],
  [
    'kind',
    (path) => ({
      code: 'E_APP_UNKNOWN',
      finding: {
        rule: 'app-directory-kind',
        path,
        found: 'something that is not a directory',
        expected: 'the directory of the application',
        remedy: `put a directory at ${path}`,
      },
    }),
  ],
  [
    'link',
    (path) =>
      refuse({
        rule: 'app-directory-symlink',
        path,
        found: 'a symbolic link to nothing that this user can enter',
        expected: 'a directory, or a link that root made',
        remedy: 'put the directory itself there',
      }),
  ],
  [
    'search',
    (path, uid) =>
      refuse({
        rule: 'app-directory-search',
        path,
        found: `uid ${uid} may not enter it`,
        expected: 'a directory that the user of the application may enter',
        remedy: `chmod a+x ${path}, or give it to the user`,
      }),
  ],
]);

/** Undefined for a reason that the launcher does not have. */
export const entryRefusal = (reason: string, path: string, asked: AskedFor): Refusal | undefined =>
  ENTRY_REFUSALS.get(reason)?.(path, asked.uid);
