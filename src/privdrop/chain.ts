// The argv that drops the privileges: constants, and integers that the supervisor derived. Nothing here comes from a tenant.
import { MARK_SUM, type DropPlan } from './plan.js';
import type { Tools } from './tools.js';

export interface Chain {
  readonly file: string;
  readonly args: readonly string[];
}

function limitOptions({ rlimits, mark }: DropPlan): string[] {
  const options = [`--nofile=${rlimits.files}:${rlimits.files}`, '--core=0:0'];
  if (rlimits.processes > 0) options.push(`--nproc=${rlimits.processes}:${rlimits.processes}`);
  if (rlimits.fileBytes > 0) options.push(`--fsize=${rlimits.fileBytes}:${rlimits.fileBytes}`);
  if (mark > 0) {
    const seal = MARK_SUM - mark;
    options.push(`--locks=${mark}:${mark}`, `--rttime=${seal}:${seal}`);
  }
  return options;
}

/** What takes privileges to do; an ordinary user has nothing of it to give up. */
function identityOptions(plan: DropPlan): string[] {
  if (plan.mode === 'self') return [];
  return [
    `--reuid=${plan.uid}`,
    `--regid=${plan.gid}`,
    plan.groups.length === 0 ? '--clear-groups' : `--groups=${plan.groups.join(',')}`,
    '--bounding-set=-all',
  ];
}

/**
 * setpriv(1) and its arguments, up to and without the program. Its exit code proves nothing:
 * without CAP_SETPCAP it leaves the bounding set alone and says 0.
 */
export function setprivArgv(plan: DropPlan, tools: Tools): readonly string[] {
  const argv = [tools.setpriv, ...identityOptions(plan), '--inh-caps=-all'];
  if (plan.noNewPrivileges) argv.push('--no-new-privs');
  // Set after setresuid(2), which would clear it: a worker ends with a supervisor that was killed.
  if (tools.knowsParentDeathSignal) argv.push('--pdeathsig=KILL');
  return [...argv, '--'];
}

/** prlimit … setpriv … program, each by its absolute path. */
export function launchChain(plan: DropPlan, tools: Tools, program: readonly string[]): Chain {
  const args = [...limitOptions(plan), '--', ...setprivArgv(plan, tools), ...program];
  return { file: tools.prlimit, args };
}
