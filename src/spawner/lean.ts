// The lean face: looking at one application as a start would, without a supervisor, its sockets and the schema of its messages.
export type { Describe, DescribeInput, Description } from './blueprint.js';
export { livingCgroups, type CgroupTree } from './cgroup.js';
export { describeSeen } from './describe-seen.js';
export { accountsOf } from './settings.js';
export type { Descriptors } from './spawn-chain.js';
export { visit, type Seen, type Visited, type VisitRefusal } from './visit.js';
export { bubblewrapFinding } from './walls.js';
