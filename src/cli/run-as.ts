// `usherd run-as`: a command with exactly a worker's identity, groups, environment, limits and directory; for cron and shells.
import { once } from 'node:events';
import { constants } from 'node:os';
import { UsherdError } from '../errors.js';
import { appPlace, visitApp } from './app-visit.js';
import { CONFIG_OPTION, textOf, type Command } from './command.js';
import { loadConfiguration } from './configuration.js';

/** The shell looks the program up in the worker's PATH, as the user. */
const LOOK_UP = ['/bin/sh', '-c', 'exec "$@"', 'run-as'] as const;

/** What a terminal or a service manager sends; the command has a session of its own and hears of it here. */
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

const words = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : []).map((word) => String(word));

export const runAs: Command = {
  usage: 'run-as <app>',
  summary: "run a command as an application's workers run: usherd run-as USER/APP -- COMMAND",
  options: CONFIG_OPTION,
  async run(args) {
    const config = await loadConfiguration(textOf(args, 'config'));
    const place = appPlace(config, String(args['app']), process.cwd());
    const command = words(args['--']);
    if (command.length === 0) throw new UsherdError('E_USAGE', 'usherd run-as APP -- COMMAND');
    const { outcome, directory } = await visitApp(config, place, [...LOOK_UP, ...command]);
    if (!outcome.ok) {
      throw new UsherdError(outcome.code, directory, { findings: outcome.findings });
    }
    const { child } = outcome;
    for (const signal of PASSED_ON) {
      process.on(signal, () => {
        const isLiving = child.exitCode === null && child.signalCode === null;
        if (isLiving && child.pid !== undefined) process.kill(-child.pid, signal);
      });
    }
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  },
};
