// `usherd run-as`: a command with exactly a worker's identity, groups, environment, limits and directory; for cron and shells.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Config } from '../config/index.js';
import { isUsherdError, UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';
import { livingCgroups, type CgroupTree } from '../spawner/lean.js';
import { tableOf, textOf as textIn, textsIn } from './answer-fields.js';
import { appPlace, visitApp } from './app-visit.js';
import { textOf, type Arguments } from './command.js';
import { loadSparingOthers } from './configuration.js';
import { currentMode } from './mode.js';
import { askSupervisor, controlSocketOf, type Answer } from './control-client.js';
import { takeSeat } from './terminal-seat.js';

/** What a terminal or a service manager sends; the command has a session of its own and hears of it here. */
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

const words = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : []).map((word) => String(word));

/** What the supervisor knows; undefined while there is none: then there are no groups, and nobody is suspended but by configuration. */
async function supervisorStatus(config: Config): Promise<Answer | undefined> {
  try {
    return await askSupervisor(controlSocketOf(config), { command: 'status' });
  } catch (err) {
    if (isUsherdError(err) && err.code === 'E_CONTROL') return undefined;
    throw err;
  }
}

/** As a worker would be refused. @throws UsherdError E_SUSPENDED | E_SETTINGS_INVALID */
function refuseUser(user: string, config: Config, status: Answer | undefined): void {
  const findings = config.brokenUsers.get(user);
  if (findings !== undefined) throw new UsherdError('E_SETTINGS_INVALID', user, { findings });
  const isSuspended =
    config.users.get(user)?.suspended === true || textsIn(status?.['suspended']).includes(user);
  if (isSuspended) throw new UsherdError('E_SUSPENDED', user);
}

function groupsOf(status: Answer | undefined): CgroupTree | undefined {
  const { path, controllers } = tableOf(tableOf(status?.['isolation'])['cgroup']);
  if (currentMode() === 'self' || textIn(path) === '') return undefined;
  return livingCgroups({ path: textIn(path), controllers: textsIn(controllers) });
}

function passSignalsOn(child: ChildProcess): void {
  for (const signal of PASSED_ON) {
    process.on(signal, () => {
      const isLiving = child.exitCode === null && child.signalCode === null;
      if (isLiving && child.pid !== undefined) process.kill(-child.pid, signal);
    });
  }
}

/** What is on its way from the command; a descendant that has left the group may hold the pipe for ever. */
async function lastWords(child: ChildProcess): Promise<void> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  const deadline = AbortSignal.timeout(LIMITS.runAsLastWordsMs);
  await Promise.all(
    streams.map(async (stream) => {
      if (!stream.closed) await once(stream, 'close', { signal: deadline }).catch(() => undefined);
    }),
  );
}

/** A command that ends at once may have done so before anybody knew that it ran. */
async function exitOf(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  const { exitCode, signalCode } = child;
  if (exitCode !== null || signalCode !== null) return [exitCode, signalCode];
  return (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
}

export async function runAs(args: Arguments): Promise<number> {
  const config = await loadSparingOthers(textOf(args, 'config'));
  const place = appPlace(config, String(args['app']), process.cwd());
  const command = words(args['--']);
  if (command.length === 0) throw new UsherdError('E_USAGE', 'usherd run-as APP -- COMMAND');
  const status = await supervisorStatus(config);
  refuseUser(place.user, config, status);
  const seat = takeSeat();
  const { outcome, directory } = await visitApp(config, place, {
    command: seat.argv(command),
    descriptors: seat.descriptors,
    cgroups: groupsOf(status),
  });
  if (!outcome.ok) {
    throw new UsherdError(outcome.code, directory, { findings: outcome.findings });
  }
  const { child, leaf } = outcome;
  const exited = exitOf(child);
  passSignalsOn(child);
  seat.attach(child);
  const [code, signal] = await exited;
  leaf?.kill(); // as with a worker, nothing that it started stays
  await lastWords(child);
  seat.leave();
  await leaf?.remove();
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
