// Reads one configuration file, after making sure that only root (or ourselves) can have written it (R-M5).
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { ErrorCode, Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import { ownershipFindings, parentFindings, type TrustedUids } from './trusted-path.js';

export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly findings: readonly Finding[] };

// O_NONBLOCK: a FIFO or a device must not hold us up before fstat(2) says what it is.
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Reads the file; does not throw for anything that the file system says. */
export async function readTrustedFile(file: string, trusted: TrustedUids): Promise<FileText> {
  let handle: FileHandle | undefined;
  try {
    const parents = await parentFindings(file, trusted);
    if (parents.length > 0) return unsafe(parents);
    handle = await open(file, OPEN_FLAGS);
    return await readOpened(file, handle, trusted);
  } catch (err) {
    return refusalFrom(file, err);
  } finally {
    await handle?.close();
  }
}

async function readOpened(
  file: string,
  handle: FileHandle,
  trusted: TrustedUids,
): Promise<FileText> {
  const stats = await handle.stat();
  if (!stats.isFile()) {
    return unreadable(file, 'something that is not a regular file', 'a regular file');
  }
  const ownership = ownershipFindings(file, stats, trusted);
  if (ownership.length > 0) return unsafe(ownership);
  if (stats.size > LIMITS.configFileMaxBytes) {
    const expected = `at most ${LIMITS.configFileMaxBytes} bytes`;
    return unreadable(file, `a file of ${stats.size} bytes`, expected);
  }
  return decode(file, await handle.readFile());
}

function decode(file: string, bytes: Buffer): FileText {
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return unreadable(file, 'bytes that are not UTF-8', 'text in UTF-8');
  }
}

const unsafe = (findings: readonly Finding[]): FileText => ({
  kind: 'refused',
  code: 'E_CONFIG_UNSAFE',
  findings,
});

const unreadable = (path: string, found: string, expected: string): FileText => ({
  kind: 'refused',
  code: 'E_CONFIG_UNREADABLE',
  findings: [
    {
      rule: 'config-file',
      path,
      found,
      expected,
      remedy: 'mend the file, or name another with --config',
    },
  ],
});

function refusalFrom(file: string, err: unknown): FileText {
  const code = err instanceof Error && 'code' in err ? String(err.code) : String(err);
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
  if (code !== 'ELOOP')
    return unreadable(file, `an error of the system: ${code}`, 'a readable file');
  return unsafe([
    {
      rule: 'path-link',
      path: file,
      found: 'a symbolic link',
      expected: 'the file itself',
      remedy: 'name the file by its real path',
    },
  ]);
}
