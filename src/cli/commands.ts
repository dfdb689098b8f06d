// The commands of `usherd` by their names, each loaded when it is asked for: what `status` costs on a busy machine is not to be
// what a gateway and a supervisor cost. A new one is one line here.
import { nameOf, type Command } from './command.js';

type Load = () => Promise<Command>;

const control =
  (name: string): Load =>
  async () =>
    named((await import('./control.js')).CONTROL_COMMANDS, name);
const webServer =
  (name: string): Load =>
  async () =>
    named((await import('./web-server-commands.js')).WEB_SERVER_COMMANDS, name);

function named(commands: readonly Command[], name: string): Command {
  const found = commands.find((command) => nameOf(command) === name);
  if (found === undefined) throw new Error(`no command ${name}`);
  return found;
}

/** In the order of `usherd --help`. */
const LOADS: ReadonlyMap<string, Load> = new Map([
  ['run', async () => (await import('./run.js')).run],
  ['check', async () => (await import('./check.js')).check],
  ['ready', async () => (await import('./ready.js')).ready],
  ['status', async () => (await import('./status.js')).status],
  ['requests', async () => (await import('./requests.js')).requests],
  ['logs', async () => (await import('./logs.js')).logs],
  ['config', async () => (await import('./config.js')).config],
  ['doctor', async () => (await import('./doctor.js')).doctor],
  ['restart', control('restart')],
  ['start', control('start')],
  ['stop', control('stop')],
  ['reset', control('reset')],
  ['suspend', control('suspend')],
  ['resume', control('resume')],
  ['reload', control('reload')],
  ['token', async () => (await import('./token.js')).token],
  ['vhost', async () => (await import('./vhost.js')).vhost],
  ['apache-config', webServer('apache-config')],
  ['nginx-config', webServer('nginx-config')],
  ['import', async () => (await import('./import.js')).importCommand],
  ['explain', async () => (await import('./explain.js')).explain],
  ['run-as', async () => (await import('./run-as.js')).runAs],
  ['dev', async () => (await import('./dev.js')).dev],
  ['demo', async () => (await import('./demo.js')).demo],
  ['gateway', async () => (await import('./gateway.js')).gateway],
]);

export const allCommands = (): Promise<readonly Command[]> =>
  Promise.all([...LOADS.values()].map((load) => load()));

/** The one of that name; all of them where there is none, for help and for what may have been meant. */
export async function commandsFor(name: string | undefined): Promise<readonly Command[]> {
  const load = LOADS.get(name ?? '');
  return load === undefined ? allCommands() : [await load()];
}
