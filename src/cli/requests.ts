// `usherd requests`: every request that is not answered yet, the oldest first.
import { ExitCode } from '../errors.js';
import { numberOf, tablesIn, textOf as fieldOf } from './answer-fields.js';
import { CONFIG_OPTION, textOf, type Command } from './command.js';
import type { Answer } from './control-client.js';
import { findRunning } from './running.js';
import { isOf, whoseOf } from './status-filter.js';
import { print } from './terminal.js';
import { cell, counted, formatTable } from './text-table.js';

const HEADINGS = ['AGE', 'STATE', 'APPLICATION', 'REQUEST ID', 'REQUEST'] as const;

/** What the states of a request mean to somebody who waits for it. */
const STATES: Readonly<Record<string, string>> = {
  params: 'arriving',
  reading: 'uploading',
  waiting: 'waiting',
  streaming: 'running',
  aborting: 'abandoned',
};

export const requests: Command = {
  usage: 'requests [whose]',
  summary: 'show the requests that are not answered yet, the oldest first',
  options: { ...CONFIG_OPTION, json: { type: 'boolean', summary: 'print JSON for programs' } },
  async run(args) {
    const whose = whoseOf(textOf(args, 'whose'));
    const running = await findRunning(textOf(args, 'config'));
    const answer = await running.ask({ command: 'requests' });
    const rows = tablesIn(answer['requests']).filter(({ app }) => isOf(whose, fieldOf(app)));
    print(args['json'] === true ? JSON.stringify(rows, undefined, 2) : formatRequests(rows));
    return ExitCode.OK;
  },
};

export function formatRequests(rows: readonly Answer[]): string {
  const waiting = rows.filter(({ state }) => state === 'waiting').length;
  const lines = [`${counted(rows.length, 'request')}, ${waiting} of them waiting for a worker`];
  if (rows.length > 0) {
    lines.push('', ...formatTable([[...HEADINGS], ...rows.map(rowOf)], 0, 0));
  }
  return lines.join('\n');
}

const rowOf = (row: Answer): string[] => [
  `${(numberOf(row['ageMs']) / 1_000).toFixed(1)}s`,
  STATES[fieldOf(row['state'])] ?? cell(row['state']),
  cell(row['app']),
  cell(row['request']),
  cell(row['line']),
];
