// The commands of `usherd`. A new one is one line here.
import { WEB_SERVER_COMMANDS } from './web-server-commands.js';
import { check } from './check.js';
import type { Command } from './command.js';
import { config } from './config.js';
import { CONTROL_COMMANDS } from './control.js';
import { demo } from './demo.js';
import { dev } from './dev.js';
import { explain } from './explain.js';
import { doctor } from './doctor.js';
import { gateway } from './gateway.js';
import { importCommand } from './import.js';
import { logs } from './logs.js';
import { ready } from './ready.js';
import { requests } from './requests.js';
import { run } from './run.js';
import { runAs } from './run-as.js';
import { status } from './status.js';
import { token } from './token.js';
import { vhost } from './vhost.js';

export type { Arguments, Command, Option } from './command.js';
export { completeNames } from './completion.js';
export { exitCodeOf, formatFailure } from './failure.js';
export { complain } from './terminal.js';
export { readVersion } from './version.js';

export const COMMANDS: readonly Command[] = [
  run,
  check,
  ready,
  status,
  requests,
  logs,
  config,
  doctor,
  ...CONTROL_COMMANDS,
  token,
  vhost,
  ...WEB_SERVER_COMMANDS,
  importCommand,
  explain,
  runAs,
  dev,
  demo,
  gateway,
];
