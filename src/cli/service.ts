// What supervisor and router have in common as processes: how they begin, which signals they know, how they end.
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Config } from '../config/index.js';
import { ERRORS, ExitCode, isUsherdError, UsherdError } from '../errors.js';
import { createLogger, type Logger } from '../log.js';
import { loadConfiguration, loadSparingOthers } from './configuration.js';
import { exitCodeOf, formatFailure } from './failure.js';
import { inTurns } from './in-turns.js';
import type { ServiceName } from './node-flags.js';
import { complain } from './terminal.js';

/** A supervisor or a router. */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Reads the configuration again. */
  reload?(): Promise<unknown>;
}

export interface ServiceGround {
  readonly config: Config;
  readonly log: Logger;
  /** For a reload. @throws UsherdError E_CONFIG_* */
  readonly loadConfig: () => Promise<Config>;
  /** As SIGTERM does it. */
  readonly end: () => void;
}

/**
 * Runs a service until SIGTERM or SIGINT; resolves to the exit code. What cannot get better by itself is
 * ExitCode.PERMANENT, so that whoever started us does not try again.
 */
export async function serve(
  name: ServiceName,
  argv: readonly string[],
  compose: (ground: ServiceGround) => Service,
): Promise<number> {
  let log: Logger | undefined;
  try {
    const file = configArgument(argv);
    becomeService(name);
    const config = await loadSparingOthers(file);
    // Reloads may come fast. Of two that must agree one judges, and the other has to be able to follow it.
    const load = name === 'supervisor' ? loadConfiguration : loadSparingOthers;
    const loadConfig = inTurns(() => load(file));
    log = createLogger(config.log.level, name);
    const over = new AbortController();
    const end = (): void => over.abort();
    return await untilOver(compose({ config, log, loadConfig, end }), log, over);
  } catch (err) {
    report(err, log);
    return exitCodeOf(err);
  }
}

/**
 * The only argument that a service takes. Not a matter for the argument parser of main.ts: root's process loads
 * no package that it does not need.
 */
function configArgument(argv: readonly string[]): string | undefined {
  if (argv.length === 0) return undefined;
  const [option = '', file] = argv[0]?.startsWith('--config=')
    ? ['--config', argv[0].slice('--config='.length)]
    : argv;
  if (option !== '--config' || file === undefined || file === '' || argv.length > 2) {
    throw new UsherdError('E_USAGE', 'the only argument is --config FILE');
  }
  return resolve(file);
}

/** How systemd hands over sockets (sd_listen_fds(3)). */
const SOCKET_ACTIVATION: ReadonlySet<string> = new Set([
  'LISTEN_PID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
]);

/** Nothing of whoever started us stays: no variable, no directory, no mode of files. */
function becomeService(service: ServiceName): void {
  for (const name of Object.keys(process.env)) {
    if (service === 'router' && SOCKET_ACTIVATION.has(name)) continue;
    Reflect.deleteProperty(process.env, name);
  }
  process.umask(0o077);
  process.chdir('/');
}

/** Serves until it is told to stop, or until something throws where nobody catches it. */
function untilOver(service: Service, log: Logger, over: AbortController): Promise<number> {
  const crash = new Promise<number>((resolve) => {
    process.once('uncaughtException', (err) => {
      log.fatal({ err }, 'a bug: ending, to be started anew');
      resolve(ExitCode.TEMPORARY);
    });
  });
  return Promise.race([crash, untilStopped(service, log, over)]);
}

async function untilStopped(service: Service, log: Logger, over: AbortController): Promise<number> {
  // Before start(), which may take a while: a signal in between is not lost.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => over.abort());
  process.on('SIGHUP', () => void reload(service, log));
  await service.start();
  log.info('started');
  if (!over.signal.aborted) await once(over.signal, 'abort');
  log.info('stopping');
  await service.stop();
  return ExitCode.OK;
}

/** The old configuration stays where the new one has mistakes. */
async function reload(service: Service, log: Logger): Promise<void> {
  try {
    await service.reload?.();
  } catch (err) {
    report(err, log);
  }
}

function report(err: unknown, log: Logger | undefined): void {
  if (log === undefined) {
    complain(formatFailure(err));
  } else if (isUsherdError(err)) {
    const { code, findings, message } = err;
    log.error({ errorCode: code, detail: message, findings }, ERRORS[code].meaning);
  } else {
    log.fatal({ err }, 'a bug');
  }
}
