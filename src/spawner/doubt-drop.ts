// Step 9 of a launch: is the process what the plan says, as /proc shows it.
import { verifyDrop, type DropPlan } from '../privdrop/index.js';
import { refusal, type Refusal } from './blueprint.js';
import { isDead } from './process-files.js';

/** Undefined if the drop is proved. */
export function doubtDrop(pid: number, plan: DropPlan): Refusal | undefined {
  const findings = verifyDrop(pid, plan, process.pid);
  const [first] = findings;
  if (first === undefined) return undefined;
  // Its user may kill it at any moment, and of a process that has ended /proc shows little of what is proved here.
  if (isDead(pid)) return refusal('E_START_FAILED', '', 'the process was killed while it started');
  const text = findings.map(({ rule, found, expected }) => `${rule}: ${found}, not ${expected}`);
  return refusal('E_PRIVDROP_VERIFY', first.rule, text.join('; '));
}
