// The commands of `usherd` by their names: what `status` costs on a busy machine is not to be what a gateway and a supervisor
// cost, and neither is `--help`. A new one is one line here.
import { HEAVY_COMMANDS } from './heavy-commands.js';
import { nameOf, type Command } from './command.js';

type Load = () => Promise<Command>;

const control =
  (name: string): Load =>
  async () =>
    named((await import('./control.js')).CONTROL_COMMANDS, name);

const heavy =
  (name: string): Load =>
  () =>
    Promise.resolve(named(HEAVY_COMMANDS, name));

function named(commands: readonly Command[], name: string): Command {
  const found = commands.find((command) => nameOf(command) === name);
  if (found === undefined) throw new Error(`no command ${name}`);
  return found;
}

const each = (names: readonly string[], load: (name: string) => Load): [string, Load][] =>
  names.map((name) => [name, load(name)]);

/** In the order of `usherd --help`. */
const LOADS: ReadonlyMap<string, Load> = new Map([
  ...each(['run', 'check'], heavy),
  ['ready', async () => (await import('./ready.js')).ready],
  ['status', async () => (await import('./status.js')).status],
  ['requests', async () => (await import('./requests.js')).requests],
  ['logs', async () => (await import('./logs.js')).logs],
  ...each(['config', 'doctor'], heavy),
  ...each(['restart', 'start', 'stop', 'reset', 'suspend', 'resume', 'reload'], control),
  ...each(['token', 'vhost', 'apache-config', 'nginx-config', 'import'], heavy),
  ...each(['explain', 'run-as', 'dev', 'demo', 'gateway'], heavy),
]);

export const allCommands = (): Promise<readonly Command[]> =>
  Promise.all([...LOADS.values()].map((load) => load()));

/** The one of that name; all of them where there is none, for help and for what may have been meant. */
export async function commandsFor(name: string | undefined): Promise<readonly Command[]> {
  const load = LOADS.get(name ?? '');
  return load === undefined ? allCommands() : [await load()];
}
