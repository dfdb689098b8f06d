// The commands of `usherd`. A new one is one line here.
import { check } from './check.js';
import type { Command } from './command.js';
import { CONTROL_COMMANDS } from './control.js';
import { demo } from './demo.js';
import { gateway } from './gateway.js';
import { ready } from './ready.js';
import { run } from './run.js';
import { status } from './status.js';
import { token } from './token.js';

export type { Arguments, Command, Option } from './command.js';
export { exitCodeOf, formatFailure } from './failure.js';
export { complain } from './terminal.js';
export { readVersion } from './version.js';

export const COMMANDS: readonly Command[] = [
  run,
  check,
  ready,
  status,
  ...CONTROL_COMMANDS,
  token,
  demo,
  gateway,
];
