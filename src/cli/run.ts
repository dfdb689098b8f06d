// `usherd run`: the small init for machines without systemd, and for trying things out. Prepares, then keeps two children.
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/index.js';
import { createLogger, type Logger } from '../log.js';
import { makeCgroupBase } from './cgroup-base.js';
import { untilAlone } from './alone.js';
import { childArgv, type Ids, type Program, type Setpriv } from './child-argv.js';
import { textOf, type Arguments } from './command.js';
import { loadSparingOthers } from './configuration.js';
import { currentMode } from './mode.js';
import { controlSocketOf } from './control-client.js';
import { planDirectories, planOwnDirectories } from './directory-plan.js';
import { Init, type Argvs } from './init.js';
import { prepareDirectories } from './prepare-directories.js';
import { serviceIds } from './service-ids.js';
import { findSetpriv, requireSetpriv } from './system-tools.js';
import { complain } from './terminal.js';

/** The whole shutdown of another `usherd run`, and a little more. */
const PREDECESSOR_MAX_MS = 35_000;
const PREDECESSOR_POLL_MS = 100;
const PREDECESSOR =
  'usherd: another usherd runs here (`usherd status`); this one starts if it ends within 35 s';

export async function run(args: Arguments): Promise<number> {
  const file = textOf(args, 'config');
  const config = await loadSparingOthers(file);
  const log = createLogger(config.log.level, 'usherd');
  await untilAlone(controlSocketOf(config), {
    waitMs: PREDECESSOR_MAX_MS,
    pollMs: PREDECESSOR_POLL_MS,
    onWaiting: () => complain(PREDECESSOR),
  });
  const program: Program = {
    node: realpathSync(process.execPath),
    main: fileURLToPath(new URL('../main.js', import.meta.url)),
    config: file === undefined ? undefined : resolve(file),
  };
  // What is made from here on says its own mode.
  process.umask(0o077);
  const ground = currentMode() === 'root' ? await asRoot(config, log) : await asSelf(config, log);
  process.chdir('/');
  return keep(new Init(argvsOf(program, ground), log));
}

/** What the children are started with, besides the program. */
interface Ground {
  readonly setpriv: Setpriv | undefined;
  readonly ids: Ids | undefined;
}

async function asRoot(config: Config, log: Logger): Promise<Ground> {
  const setpriv = await requireSetpriv();
  const ids = await serviceIds(config);
  await prepareDirectories(planDirectories(config, ids));
  await makeCgroupBase(log);
  return { setpriv, ids };
}

async function asSelf(config: Config, log: Logger): Promise<Ground> {
  const own = { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
  log.warn(own, 'not root: router, supervisor and every application run as the current user');
  await prepareDirectories(planOwnDirectories(config, own));
  return { setpriv: await findSetpriv(), ids: undefined };
}

const argvsOf = (program: Program, ground: Ground): Argvs => ({
  supervisor: childArgv('supervisor', program, ground),
  router: childArgv('router', program, ground),
});

async function keep(init: Init): Promise<number> {
  process.on('SIGTERM', () => init.stop());
  process.on('SIGINT', () => init.stop());
  process.on('SIGHUP', () => init.reload());
  return init.run();
}
