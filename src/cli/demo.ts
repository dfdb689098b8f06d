// `usherd demo`: two users, their applications, supervisor, router and an HTTP front on a fresh machine; nothing is left of it.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { ExitCode, isUsherdError, UsherdError } from '../errors.js';
import { banner, visitAll } from './demo-tour.js';
import { portOf } from './gateway.js';
import type { Arguments } from './command.js';
import { DemoProcess, processesOf, waitForListener } from './demo-processes.js';
import { formatFailure } from './failure.js';
import { complain, print } from './terminal.js';
import { makeDirectory, makeTree, type DemoTree } from './demo-tree.js';

const HOST = '127.0.0.1';
const START_DEADLINE_MS = 30_000;
const GATEWAY_GRACE_MS = 5_000;
const USHERD_GRACE_MS = 35_000; // a little more than usherd takes for its own shutdown
const SETPRIV = '/usr/bin/setpriv';

interface Wishes {
  readonly port: number;
  /** Visit every URL, judge the answers, and end. */
  readonly once: boolean;
}

/** Fails now, with a sentence about the port, instead of later with a log. */
async function assertPortFree(port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (cause: NodeJS.ErrnoException) => {
      const remedy = 'Stop what listens there, or take another port: usherd demo --port 8081';
      const detail = `${HOST} port ${port} cannot be used (${cause.code ?? ''}). ${remedy}`;
      reject(new UsherdError('E_STARTUP_SOCKET', detail, { cause }));
    });
    probe.listen(port, HOST, () => probe.close(() => resolve()));
  });
}

function gatewayArgv(tree: DemoTree, port: number): string[] {
  const { program, router } = tree;
  const links = tree.apps.flatMap(({ path, owner, title }) => [
    '--link',
    `${path} ${title}, runs as ${owner.name} (uid ${owner.uid})`,
  ]);
  const command = [program.node, program.main, 'gateway', '--socket', tree.frontSocket];
  const argv = [...command, '--root', tree.root, '--port', String(port), ...links];
  if (!tree.isRoot) return argv;
  const ids = [`--reuid=${router.uid}`, `--regid=${router.gid}`, '--clear-groups'];
  const nothing = ['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'];
  return [SETPRIV, ...ids, ...nothing, '--', ...argv];
}

/** Everything that runs, in the order in which it was started. */
interface Running {
  readonly usherd: DemoProcess;
  gateway?: DemoProcess;
}

async function start(
  tree: DemoTree,
  running: Running,
  options: { readonly port: number; readonly signal: AbortSignal },
): Promise<DemoProcess> {
  const { signal } = options;
  const wait = { deadlineMs: START_DEADLINE_MS, signal };
  await waitForListener({ path: tree.frontSocket }, running.usherd, {
    ...wait,
    name: 'usherd run',
  });
  const gateway = new DemoProcess(gatewayArgv(tree, options.port), tree.logFile);
  running.gateway = gateway;
  const address = { host: HOST, port: options.port };
  await waitForListener(address, gateway, { ...wait, name: 'usherd gateway' });
  return gateway;
}

/** Stops front to back, and makes sure of it: no process of the demo's own uids survives. */
async function stop(tree: DemoTree, running: Running): Promise<void> {
  await running.gateway?.stop(GATEWAY_GRACE_MS);
  const wasGraceful = await running.usherd.stop(USHERD_GRACE_MS);
  if (!wasGraceful) print('usherd run did not end in time and was killed.');
  if (!tree.isRoot) return;
  const uids = new Set([tree.router.uid, ...tree.apps.map(({ owner }) => owner.uid)]);
  for (const pid of processesOf(uids)) {
    print(`process ${pid} was left over and was killed.`);
    process.kill(pid, 'SIGKILL');
  }
}

const aborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort');
};

async function run(tree: DemoTree, wishes: Wishes, signal: AbortSignal): Promise<number> {
  const { node, main } = tree.program;
  const argv = [node, main, 'run', '--config', tree.configFile];
  const running: Running = { usherd: new DemoProcess(argv, tree.logFile) };
  try {
    const gateway = await start(tree, running, { port: wishes.port, signal });
    const origin = `http://${HOST}:${wishes.port}`;
    print(banner(tree, origin));
    if (wishes.once)
      return (await visitAll(tree, { origin, print })) ? ExitCode.OK : ExitCode.FAILED;
    await Promise.race([aborted(signal), running.usherd.ended, gateway.ended]);
    if (signal.aborted) return ExitCode.OK;
    print(
      `A part of the demo ended by itself. The last lines of the log:\n${running.usherd.lastLines}`,
    );
    return ExitCode.FAILED;
  } finally {
    await stop(tree, running);
  }
}

/** Shows the demo until somebody ends it. @returns the exit code */
async function show(wishes: Wishes): Promise<number> {
  const interrupt = new AbortController();
  const { signal } = interrupt;
  const onSignal = (): void => interrupt.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  // Taken until the very end, so that a second Ctrl-C does not stop the cleaning up.
  for (const name of signals) process.on(name, onSignal);
  process.stdout.on('error', () => undefined); // the terminal may go before us
  const directory = makeDirectory();
  try {
    await assertPortFree(wishes.port);
    return await run(makeTree(directory), wishes, signal);
  } catch (err) {
    if (signal.aborted) return ExitCode.OK; // whatever was given up, somebody wanted it
    if (!isUsherdError(err)) throw err;
    complain(formatFailure(err));
    return ExitCode.FAILED; // of --once this is a promise: 0 or 1
  } finally {
    rmSync(directory, { recursive: true, force: true });
    for (const name of signals) process.off(name, onSignal);
  }
}

export function demo(args: Arguments): Promise<number> {
  return show({ port: portOf(args), once: args['once'] === true });
}
