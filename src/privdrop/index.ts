// Becoming somebody else, provably: who, how, and the proof. Starts processes only to ask and to try; workers are started elsewhere.
export {
  isAnswer,
  type Account,
  type AccountResult,
  type IdentityRules,
  type Mode,
} from './identity.js';
export { AccountDirectory, type ConfiguredAccount } from './account-directory.js';
export { buildPlan, MARK_SUM, type DropPlan } from './plan.js';
export { bareOptions } from './bare-options.js';
export { launchChain, type Chain } from './chain.js';
export { launcherProgram } from './launcher-script.js';
export type { Mark, MarkKind } from './launcher-report.js';
export type { LaunchReport } from './application-rules.js';
export type { Program } from './launcher-program.js';
export type { Need } from './program-needs.js';
export { isWiderThanWalls, SERVICES, wallsArgv, type Walls } from './isolation.js';
export {
  LauncherDialogue,
  type LauncherDialogueOptions,
  type LauncherEnd,
} from './launcher-dialogue.js';
export { cleanerProgram } from './cleaner-script.js';
export { CleanerDialogue, type CleanerAnswer, type CleanerOrder } from './cleaner-dialogue.js';
export { verifyDrop } from './verify.js';
export { workerEnvironment, type EnvironmentInput } from './environment.js';
export { checkTool, findTools, recheckTools, type Tools } from './tools.js';
export { assertAccountDatabase, assertCapabilities, closeInheritedDescriptors } from './startup.js';
export { makeLogDirectory } from './log-directory.js';
export { runCanary } from './canary.js';
