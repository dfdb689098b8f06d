// The face of spawner: the supervisor, and what it has to be told about applications.
export * from './lean.js';
export type { Blueprint } from './blueprint.js';
export type { Log } from './log-face.js';
export type { LaunchStep } from './launch-ground.js';
export type { AppStatus, FailureStatus, RequestStatus, Status, WorkerStatus } from './status.js';
export type { CgroupLeaf, CgroupStatus } from './cgroup.js';
export { Supervisor, type SupervisorOptions } from './supervisor.js';
