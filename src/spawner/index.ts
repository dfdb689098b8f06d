// The face of spawner: the supervisor, and what it has to be told about applications.
export type { Blueprint, Describe, DescribeInput, Description } from './blueprint.js';
export type { Log } from './log-face.js';
export type { LaunchStep } from './launch-ground.js';
export type { AppStatus, FailureStatus, RequestStatus, Status, WorkerStatus } from './status.js';
export { livingCgroups, type CgroupLeaf, type CgroupStatus, type CgroupTree } from './cgroup.js';
export { describeSeen } from './commands.js';
export { accountsOf } from './settings.js';
export type { Descriptors } from './spawn-chain.js';
export { bubblewrapFinding } from './walls.js';
export { visit, type Seen, type Visited, type VisitRefusal } from './visit.js';
export { Supervisor, type SupervisorOptions } from './supervisor.js';
