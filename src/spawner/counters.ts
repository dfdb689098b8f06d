// What happened since the start, for `status`; each number only grows.

export interface Counters {
  needs: number;
  launched: number;
  refused: number;
  /** Workers that ended without being asked to. */
  crashed: number;
  /** Those among them that were killed because their application ran out of memory. */
  outOfMemory: number;
  retired: number;
  /** Workers that survived KILL: somebody has to look. */
  lost: number;
  privilegeDropAlarms: number;
  routerConnections: number;
  routerConnectionsRefused: number;
  /** Connections of a router that broke the protocol. */
  routerConnectionsBroken: number;
  changesSeen: number;
  identityChanges: number;
}

export const newCounters = (): Counters => ({
  needs: 0,
  launched: 0,
  refused: 0,
  crashed: 0,
  outOfMemory: 0,
  retired: 0,
  lost: 0,
  privilegeDropAlarms: 0,
  routerConnections: 0,
  routerConnectionsRefused: 0,
  routerConnectionsBroken: 0,
  changesSeen: 0,
  identityChanges: 0,
});
