// `usherd config [USER/APP]`: every value that is in force, and the file and line that it comes from.
import { limitRows, type Config, type LoadedSettings, type Setting } from '../config/index.js';
import { ExitCode, isUsherdError } from '../errors.js';
import { tableOf, textOf as fieldOf, textsIn } from './answer-fields.js';
import { textOf, type Arguments } from './command.js';
import { loadWithOrigins } from './configuration.js';
import { askSupervisor, controlSocketOf, type Answer } from './control-client.js';
import { whoseOf } from './status-filter.js';
import { print } from './terminal.js';
import { cell, formatTable } from './text-table.js';

const VALUE_MAX_LENGTH = 70;
const ORIGIN_MAX_LENGTH = 200;

export async function config(args: Arguments): Promise<number> {
  const whose = whoseOf(textOf(args, 'whose'));
  const loaded = await loadWithOrigins(textOf(args, 'config'));
  const { settings, remark } = await settingsOf(loaded, whose);
  if (args['json'] === true) print(JSON.stringify(settings, undefined, 2));
  else print([formatSettings(settings), ...remark].join('\n'));
  return ExitCode.OK;
}

interface Shown {
  readonly settings: readonly Setting[];
  readonly remark: readonly string[];
}

async function settingsOf(loaded: LoadedSettings, whose: string | undefined): Promise<Shown> {
  if (whose === undefined) return { settings: loaded.main(), remark: [] };
  const settings = loaded.ofUser(whose.split('/')[0] ?? '');
  if (!whose.includes('/')) return { settings, remark: [] };
  const running = await describedBySupervisor(loaded.config, whose);
  if (running !== undefined) return { settings: withApplication(settings, running), remark: [] };
  const { describedByItself } = await import('./described-by-itself.js');
  const { app, remark } = await describedByItself(loaded.config, whose);
  return {
    settings: app === undefined ? settings : withApplication(settings, app),
    remark: [`\n${remark}`],
  };
}

/** Undefined where no worker of it runs, or nobody answers. */
async function describedBySupervisor(config: Config, app: string): Promise<Answer | undefined> {
  try {
    const request = { command: 'describe', app } as const;
    const answer = await askSupervisor(controlSocketOf(config), request);
    return answer['running'] === true ? answer : undefined;
  } catch (err) {
    if (isUsherdError(err)) return undefined;
    throw err;
  }
}

/** The manifest only lowers limits, so what differs comes from it, or from the limit of the user above it. */
export function withApplication(settings: readonly Setting[], app: Answer): readonly Setting[] {
  const own =
    app['hasManifest'] === true ? 'usherd.toml of the application' : 'the limits of its user';
  const limits = new Map(limitRows(tableOf(app['limits'])).map(({ key, value }) => [key, value]));
  const values = new Map([
    ...limits,
    ['access_log', JSON.stringify(app['accessLog'])],
    ['umask', JSON.stringify(app['umask'])],
  ]);
  const changed = settings.map((setting) => {
    const value = values.get(setting.key);
    const ofRuntime = setting.key === 'max_requests' && value === '0' ? app['maxRequests'] : 0;
    if (typeof ofRuntime === 'number' && ofRuntime > 0) {
      return { ...setting, value: String(ofRuntime), origin: `runtime ${fieldOf(app['runtime'])}` };
    }
    return value === undefined || value === setting.value
      ? setting
      : { ...setting, value, origin: own };
  });
  const found = (key: string, value: unknown): Setting => ({
    key,
    value: JSON.stringify(value),
    origin: app['hasManifest'] === true ? 'its files and usherd.toml' : 'its files',
  });
  return [
    ...changed,
    found('directory', fieldOf(app['directory'])),
    found('runtime', fieldOf(app['runtime'])),
    found('protocol', fieldOf(app['protocol'])),
    found('concurrency', app['concurrency']),
    found('command', textsIn(app['argv'])),
    found('env (names)', textsIn(app['environment'])),
    found('mode', fieldOf(app['mode'])),
    found('web root', fieldOf(app['webRoot'])),
    found('front_controller', fieldOf(app['frontController'])),
    found('buffer_requests', app['bufferRequests']),
    found('roles', textsIn(app['roles'])),
  ];
}

export function formatSettings(settings: readonly Setting[]): string {
  const rows = settings.map(({ key, value, origin }) => [
    cell(key),
    value.length > VALUE_MAX_LENGTH ? `${cell(value, VALUE_MAX_LENGTH)}...` : cell(value),
    cell(origin, ORIGIN_MAX_LENGTH),
  ]);
  return formatTable([['SETTING', 'VALUE', 'FROM'], ...rows], Infinity).join('\n');
}
