// `usherd dev`: one application directory, as the current user, over HTTP on 127.0.0.1, with failures explained in the page.
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExitCode, UsherdError } from '../errors.js';
import { Gateway } from '../gateway/index.js';
import { createLogger } from '../log.js';
import type { Arguments } from './command.js';
import { loadConfiguration } from './configuration.js';
import { askSupervisor } from './control-client.js';
import { DemoProcess, waitForListener } from './demo-processes.js';
import { plainFile } from './dev-files.js';
import { devPlace, type DevPlace } from './dev-place.js';
import { watchSources } from './dev-watch.js';
import { portOf } from './gateway.js';
import { print } from './terminal.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const START_DEADLINE_MS = 30_000;
const STOP_GRACE_MS = 15_000;

/** @throws UsherdError E_USAGE */
function directoryOf(argument: unknown): string {
  if (process.getuid?.() === 0) {
    throw new UsherdError('E_USAGE', 'run it as yourself: applications never run as root');
  }
  try {
    return realpathSync(String(argument));
  } catch (cause) {
    throw new UsherdError('E_USAGE', `there is no directory ${String(argument)}`, { cause });
  }
}

/** Everything of this run lies in one directory that goes with it. */
function configure(base: string, { root }: DevPlace): string {
  const file = join(base, 'usherd.toml');
  for (const name of ['run', 'log', 'state']) mkdirSync(join(base, name), { mode: 0o700 });
  const text = `[paths]
run = ${JSON.stringify(join(base, 'run'))}
log = ${JSON.stringify(join(base, 'log'))}
state = ${JSON.stringify(join(base, 'state'))}
[front]
sockets = [{ path = ${JSON.stringify(join(base, 'run/front/front.sock'))}, group = "users" }]
[apps]
mode = "development"
vhosts = ""
roots = [${JSON.stringify(root)}]
[limits]
max_workers_per_app = 1
`;
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

async function serve(directory: string, port: number, signal: AbortSignal): Promise<number> {
  const place = devPlace(directory);
  const base = mkdtempSync(join(tmpdir(), 'usherd-dev-'));
  const frontSocket = join(base, 'run/front/front.sock');
  const log = createLogger('warn', 'gateway');
  const links = [{ href: place.path, text: directory }];
  const file = configure(base, place);
  const config = await loadConfiguration(file);
  const gateway = new Gateway({
    ...{ socketPath: frontSocket, root: place.root, links, log },
    findFile: (app, rest) => (app === directory ? plainFile(config, app, rest) : undefined),
  });
  const argv = [process.execPath, MAIN, 'run', '--config', file];
  const usherd = new DemoProcess(argv, join(base, 'usherd.log'));
  const unwatch = watchSources(directory, () => {
    print(`changed: ${place.app} starts anew`);
    const request = { command: 'restart', app: place.app } as const;
    askSupervisor(join(base, 'run/control.sock'), request).catch(() => undefined); // nothing runs yet
  });
  try {
    const wait = { deadlineMs: START_DEADLINE_MS, signal, name: 'usherd run' };
    for (const path of [frontSocket, join(base, 'run/control.sock')]) {
      await waitForListener({ path }, usherd, wait); // a request before both would be refused
    }
    const actual = await gateway.listen(port);
    print(`${directory} is at http://127.0.0.1:${actual}${place.path}`);
    print(`Its log: ${join(base, 'log', `${place.app}.log`)}. Ctrl-C ends it.`);
    await Promise.race([once(signal, 'abort'), usherd.ended]);
    if (!signal.aborted) print(`usherd has ended. Its last words:\n${usherd.lastLines}`);
    return signal.aborted ? ExitCode.OK : ExitCode.FAILED;
  } finally {
    unwatch();
    await gateway.close();
    await usherd.stop(STOP_GRACE_MS);
    rmSync(base, { recursive: true, force: true });
  }
}

export async function dev(args: Arguments): Promise<number> {
  const directory = directoryOf(args['directory']);
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => interrupt.abort());
  }
  return serve(directory, portOf(args), interrupt.signal);
}
