// Inside a virtual machine under systemd (scripts/vm.mjs): the package is unpacked there, and its limits are tried.
// Usage: package-limits.mjs FILE.deb
import { LIMIT_STEPS } from './limit-steps.mjs';
import { runLine, startLine } from './step-shell.mjs';
import { runSteps } from './steps.mjs';

/** An emulated machine is slow. */
const COMMAND_DEADLINE_MS = 600_000;
const ENVIRONMENT = { ...process.env, LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' };

/** The same face as that of a root that is booted beside us. */
const here = {
  run: (line) =>
    runLine(['/bin/sh', '-c', line], { env: ENVIRONMENT, deadlineMs: COMMAND_DEADLINE_MS }),
  start: (line) => startLine(['/bin/sh', '-c', line], { env: ENVIRONMENT }),
};

process.exitCode = (await runSteps(here, LIMIT_STEPS, process.argv[2])) === 0 ? 0 : 1;
