// Whether a script can be run by the user of its application: looked at as a worker would, by a shell that only looks.
import { once } from 'node:events';
import type { Config } from '../config/index.js';
import { UsherdError, type Finding } from '../errors.js';
import { nowhere, visitApp, type AppPlace, type Errand } from './app-visit.js';
import { shellWord } from './shell-words.js';

interface Script {
  readonly file: string;
  /** Of the application. */
  readonly directory: string;
  readonly user: string;
  readonly wantedRuntime: string;
  /** A program that is started, and not a text that is read. */
  readonly isProgram: boolean;
}

const MISSING = 1;
const UNREADABLE = 2;
const NO_PROGRAM = 3;
/** And one more for each directory further down. */
const CLOSED = 32;
const DIRECTORIES_MAX_COUNT = 64;

/** What is asked of the file, then the directories from the application's on, then the file. One line, as the launcher takes words. */
const LOOK = [
  `asked=$1 code=${CLOSED}; shift`,
  `while [ $# -gt 1 ]; do [ -d "$1" ] || exit ${MISSING}; [ -x "$1" ] || exit $code; code=$((code + 1)); shift; done`,
  `[ -f "$1" ] || exit ${MISSING}`,
  `if [ $asked = program ]; then [ -x "$1" ] || exit ${NO_PROGRAM}; else [ -r "$1" ] || exit ${UNREADABLE}; fi`,
].join('; ');

/** `/srv/alice/apps/blog`, `/srv/alice/apps/blog/sub`, …, the file. */
function stepsTo({ file, directory }: Script): readonly string[] {
  const names = file.slice(directory.length + 1).split('/');
  return [directory, ...names.map((_, at) => [directory, ...names.slice(0, at + 1)].join('/'))];
}

function findingOf(code: number | null, script: Script, steps: readonly string[]): Finding {
  const { file, user, isProgram } = script;
  const own = (path: string, mode: string): string =>
    `chown ${user} ${shellWord(path)} && chmod ${mode} ${shellWord(path)}`;
  const expected = isProgram ? 'a program of his' : 'a script that he can read';
  switch (code) {
    case MISSING: {
      const remedy = 'check the URL, or put the script there';
      return { rule: 'script-missing', path: file, found: 'no such file', expected, remedy };
    }
    case UNREADABLE: {
      const found = `a file that ${user} may not read`;
      return { rule: 'script-mode', path: file, found, expected, remedy: own(file, 'u+r') };
    }
    case NO_PROGRAM: {
      const found = `a file that ${user} may not run`;
      return { rule: 'script-mode', path: file, found, expected, remedy: own(file, 'u+x') };
    }
    case null:
    default: {
      const path = steps[(code ?? CLOSED) - CLOSED] ?? file;
      const found = `a directory that ${user} may not enter`;
      return { rule: 'script-directory', path, found, expected, remedy: own(path, 'u+x') };
    }
  }
}

/** Undefined if nothing is in the way of it, or if it cannot be told. @throws UsherdError */
export async function scriptFinding(
  config: Config,
  place: AppPlace,
  script: Script,
): Promise<Finding | undefined> {
  const steps = stepsTo(script);
  if (steps.length > DIRECTORIES_MAX_COUNT) return undefined;
  const asked = script.isProgram ? 'program' : 'script';
  const errand: Errand = {
    command: ['/bin/sh', '-c', LOOK, 'sh', asked, ...steps],
    descriptors: nowhere(),
    cgroups: undefined,
  };
  const { outcome } = await visitApp(config, place, errand, script.wantedRuntime);
  if (!outcome.ok) throw new UsherdError(outcome.code, script.file, { findings: outcome.findings });
  const { child } = outcome;
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode === 0 || child.signalCode !== null
    ? undefined
    : findingOf(child.exitCode, script, steps);
}
