// `usherd explain`: what an application is and why, as its user sees it; and everything that refuses it, with remedies.
import { ERRORS, ExitCode, type Finding } from '../errors.js';
import { whyRuntime } from '../runtimes/index.js';
import type { Visited } from '../spawner/index.js';
import { appPlace, visitApp, type AppVisit } from './app-visit.js';
import { CONFIG_OPTION, textOf, type Command } from './command.js';
import { loadConfiguration } from './configuration.js';
import { findingText } from './failure.js';
import { print } from './terminal.js';

const LABEL_WIDTH = 13;

const row = (label: string, text: string): string => `  ${label.padEnd(LABEL_WIDTH)}${text}`;

/** Words that a shell would take apart are quoted. */
const shellWord = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** Values of the manifest's [env] may be passwords: they are named, not shown. */
function environmentLines({ order, blueprint }: Visited): readonly string[] {
  return order.environment.map((setting) => {
    const name = setting.slice(0, setting.indexOf('='));
    return blueprint.manifestEnvironment.has(name) ? `${name}=… (usherd.toml)` : setting;
  });
}

function limitText({ blueprint }: Visited): string {
  const { limits, maxWorkersPerUser } = blueprint.facts;
  const seconds = (ms: number): string => `${ms / 1000} s`;
  return [
    `${limits.maxWorkersPerApp} workers, ${maxWorkersPerUser} for all of the user`,
    `${blueprint.concurrency} request${blueprint.concurrency === 1 ? '' : 's'} each at once`,
    `idle ${seconds(limits.idleTimeoutMs)}`,
    `first byte ${seconds(limits.firstByteTimeoutMs)}`,
    `processes ${limits.pidsMax}`,
    `memory ${limits.memoryMaxBytes === 0 ? 'unlimited' : `${limits.memoryMaxBytes} bytes`}`,
  ].join('; ');
}

function accepted(visited: Visited, app: string): readonly string[] {
  const { blueprint, input, plan, order } = visited;
  const { facts } = blueprint;
  const hasSecrets = input.marks.some(({ name }) => name === '.env');
  return [
    row('runtime', `${blueprint.runtime} (${whyRuntime(blueprint.runtime, input.marks)})`),
    row('found', input.marks.map(({ name }) => name).join(' ') || 'nothing that is looked for'),
    row('web root', facts.webRoot === '' ? input.directory : `${input.directory}/${facts.webRoot}`),
    row('runs as', `uid ${plan.uid}, gid ${plan.gid}, groups ${plan.groups.join(' ') || 'none'}`),
    row('command', order.argv.map(shellWord).join(' ')),
    row('speaks', blueprint.protocol),
    ...environmentLines(visited).map((line, at) => row(at === 0 ? 'environment' : '', line)),
    ...(hasSecrets ? [row('', 'and .env, which each worker reads as its user')] : []),
    row('limits', limitText(visited)),
    row('cgroup', `…/u${plan.uid}/, where cgroups are (usherd status says)`),
    row('package', blueprint.debianPackage || '–'),
    '',
    `usherd would serve ${app}.`,
  ];
}

function refused(code: keyof typeof ERRORS, findings: readonly Finding[]): readonly string[] {
  const { meaning, remedy } = ERRORS[code];
  return [
    `usherd refuses it: ${meaning} (${code})`,
    ...findings.map((finding) =>
      finding.remedy === ''
        ? `${finding.found}  (${finding.rule})\n    remedy:   ${remedy}`
        : findingText(finding),
    ),
  ];
}

function lines({ account, directory, outcome }: AppVisit, app: string): readonly string[] {
  const head = [`${directory} is ${app}, of ${account.name} (uid ${account.uid})`, ''];
  const body = outcome.ok ? accepted(outcome, app) : refused(outcome.code, outcome.findings);
  return [...head, ...body];
}

export const explain: Command = {
  usage: 'explain <app>',
  summary: 'say what an application (USER/APP or its directory) is, why, and what refuses it',
  options: CONFIG_OPTION,
  async run(args) {
    const config = await loadConfiguration(textOf(args, 'config'));
    const place = appPlace(config, String(args['app']), process.cwd());
    const seen = await visitApp(config, place);
    print(lines(seen, place.app).join('\n'));
    return seen.outcome.ok ? ExitCode.OK : ExitCode.FAILED;
  },
};
