// `usherd doctor`: looks at the whole machine as usherd and the web server meet it; every finding with the command that mends it.
import { ExitCode, isUsherdError } from '../errors.js';
import { textOf, type Arguments } from './command.js';
import { loadConfiguration } from './configuration.js';
import { currentMode } from './mode.js';
import { askSupervisor, controlSocketOf } from './control-client.js';
import { apache } from './doctor/apache-checks.js';
import type { Check, Patient, Symptom } from './doctor/diagnosis.js';
import { directories, disk, logReaders, programs } from './doctor/file-checks.js';
import { mail } from './doctor/mail-check.js';
import { isolation } from './doctor/isolation-checks.js';
import { frontTokens } from './doctor/token-checks.js';
import { kernel } from './doctor/kernel-checks.js';
import { nginx } from './doctor/nginx-checks.js';
import {
  accounts,
  cgroups,
  descriptors,
  frontSockets,
  router,
  supervisor,
} from './doctor/service-checks.js';
import { bold, print } from './terminal.js';
import { counted } from './text-table.js';

const CHECKS: readonly Check[] = [
  ...[accounts, supervisor, router, frontSockets, directories, logReaders],
  ...[cgroups, descriptors, disk, programs, mail, apache, nginx, frontTokens, kernel, isolation],
];

export async function doctor(args: Arguments): Promise<number> {
  const configFile = textOf(args, 'config');
  // A mistake there ends everything else, with all of its findings.
  const config = await loadConfiguration(configFile);
  const status = await askSupervisor(controlSocketOf(config), { command: 'status' }).catch(
    (err: unknown) => {
      if (isUsherdError(err)) return undefined;
      throw err;
    },
  );
  const patient: Patient = { config, isRoot: currentMode() === 'root', status };
  const all: Symptom[] = [];
  for (const check of CHECKS) {
    const symptoms = await check.run(patient);
    all.push(...(symptoms ?? []));
    if (args['json'] !== true) print(formatCheck(check.name, symptoms));
  }
  const wrongs = all.filter(({ weight }) => weight === 'wrong').length;
  if (args['json'] === true) print(JSON.stringify(all, undefined, 2));
  else print(`\n${counted(wrongs, 'thing')} wrong, ${counted(all.length - wrongs, 'note')}`);
  return wrongs === 0 ? ExitCode.OK : ExitCode.FAILED;
}

/** One line where all is well; else each symptom on four. */
export function formatCheck(name: string, symptoms: readonly Symptom[] | undefined): string {
  if (symptoms === undefined) return `-      ${name}: not looked at`;
  if (symptoms.length === 0) return `ok     ${name}`;
  return symptoms
    .map(({ weight, rule, path, found, expected, remedy }) => {
      const mark = weight === 'wrong' ? 'WRONG' : 'note ';
      const place = path === undefined ? '' : `${path}: `;
      return [
        bold(`${mark}  ${name} (${rule})`),
        `       found:    ${place}${found}`,
        `       expected: ${expected}`,
        `       remedy:   ${remedy}`,
      ].join('\n');
    })
    .join('\n');
}
