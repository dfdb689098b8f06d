// The face of spawner: the supervisor, and what it has to be told about applications.
export type { Blueprint, Describe, DescribeInput, Description } from './blueprint.js';
export type { Log } from './log-face.js';
export type { LaunchStep } from './launch-ground.js';
export type { AppStatus, Status, WorkerStatus } from './status.js';
export { Supervisor, type SupervisorOptions } from './supervisor.js';
