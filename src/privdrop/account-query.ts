// Asking the account database, in processes that have nothing to lose: name services run foreign code and may hang.
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { LIMITS } from '../limits.js';
import { bareOptions } from './bare-options.js';
import { setprivArgv } from './chain.js';
import { LOOKUP_ID, type Mode } from './identity.js';
import type { DropPlan } from './plan.js';
import type { Tools } from './tools.js';

export interface Answer {
  readonly exitCode: number;
  readonly output: string;
}

/** getent(1) and id(1): asked and found nothing. */
export const NOT_FOUND = { getent: 2, id: 1 } as const;

/** Whoever asks; in self mode there is nothing to drop. */
const inquirer = (mode: Mode): DropPlan => ({
  mode,
  uid: LOOKUP_ID,
  gid: LOOKUP_ID,
  groups: [],
  noNewPrivileges: true,
  mark: 0,
  rlimits: { files: LIMITS.workerFilesMaxCount, processes: 0, fileBytes: 0 },
});

export interface Query {
  readonly mode: Mode;
  readonly tools: Tools;
  /** Constants, and names that have passed the rule for names. */
  readonly argv: readonly string[];
  /** Kills the process and whatever it has started; what waits for the answer gives up by itself. */
  readonly signal: AbortSignal;
}

/**
 * Entry, groups, the group of the same name, and groups that nobody may be in, each followed by a line with its exit code:
 * one process of ours for four questions, because a fork of the supervisor costs more than all of them. Nothing more is
 * asked about who does not exist.
 */
const LOOK_UP = `
getent=$1 id=$2 name=$3
shift 3
"$getent" passwd -- "$name"
code=$?
echo "= $code"
[ "$code" = 0 ] || exit 0
[ -z "$id" ] || "$id" -G -- "$name"
echo "= $?"
"$getent" group -- "$name"
echo "= $?"
[ "$#" = 0 ] || "$getent" group -- "$@"
echo "= $?"
`;

export interface AccountAnswers {
  readonly passwd: Answer;
  /** Undefined for who does not exist. */
  readonly others:
    { readonly groupIds: Answer; readonly ownGroup: Answer; readonly groups: Answer } | undefined;
}

export interface AccountQuestion {
  readonly name: string;
  readonly wantsGroupIds: boolean;
  readonly groupNames: readonly string[];
}

/** Undefined if nothing was answered, `malformed` if it is not one answer to each question. */
export async function askAboutAccount(
  { name, wantsGroupIds, groupNames }: AccountQuestion,
  query: Omit<Query, 'argv'>,
): Promise<AccountAnswers | 'malformed' | undefined> {
  const { sh, getent, id } = query.tools;
  const words = [getent, wantsGroupIds ? id : '', name, ...groupNames];
  const answer = await ask({ ...query, argv: [sh, '-c', LOOK_UP, 'account', ...words] });
  return answer?.exitCode === 0 ? answersIn(answer.output) : undefined;
}

/** As many as there are questions: a line that is no exit code and looks like one is one too many. */
export function answersIn(text: string): AccountAnswers | 'malformed' {
  const parts = text.split(/^= ([0-9]{1,3})\n/m);
  const answers: Answer[] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) {
    answers.push({ output: parts[i] ?? '', exitCode: Number(parts[i + 1]) });
  }
  const [passwd, groupIds, ownGroup, groups, ...more] = answers;
  if (passwd === undefined || parts.at(-1) !== '' || more.length > 0) return 'malformed';
  if (passwd.exitCode !== 0)
    return groupIds === undefined ? { passwd, others: undefined } : 'malformed';
  if (groupIds === undefined || ownGroup === undefined || groups === undefined) return 'malformed';
  return { passwd, others: { groupIds, ownGroup, groups } };
}

/** Undefined if it was killed, failed to start or said too much; settles only when the process that was started is gone. */
export function ask(query: Query): Promise<Answer | undefined> {
  const { mode, tools, argv, signal } = query;
  const [file = '', ...args] = [...setprivArgv(inquirer(mode), tools), ...argv];
  const options = bareOptions<SpawnOptions>({
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return new Promise((resolve) => {
    const child = spawn(file, args, options);
    const chunks: Buffer[] = [];
    let bytes = 0;
    let isCut = false;
    const end = (): void => {
      isCut = true;
      endGroup(child);
      child.stdout?.destroy(); // who has it still, and outlives the first of the group, is not waited for
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LIMITS.accountLookupOutputMaxBytes) end();
      else chunks.push(chunk);
    });
    child.on('error', () => {
      if (child.pid === undefined) resolve(undefined);
    });
    child.on('close', (exitCode) => {
      signal.removeEventListener('abort', end);
      const isWhole = exitCode !== null && !isCut;
      const output = Buffer.concat(chunks).toString('utf8');
      resolve(isWhole ? { exitCode, output } : undefined);
    });
  });
}

/** It leads a session of its own, and while it is not reaped its number is nobody else's. */
function endGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of them have ended.
  }
}
