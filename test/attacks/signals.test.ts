// A storm of signals at both services: only TERM and INT mean their end, and none opens a debugger (T114).
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { HostileHost } from '../support/hostile-host.js';
import { needsRoot } from '../support/needs-root.js';

const SIGNALS = [
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGPIPE',
  'SIGTSTP',
  'SIGTTIN',
  'SIGALRM',
  'SIGCHLD',
] as const;
const ROUNDS = 20;

/** TCP and UDP sockets that a process has, listening or not, by their inodes. */
function networkSockets(pid: number): readonly string[] {
  const inodes = new Set(
    ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((table) =>
      readFileSync(`/proc/net/${table}`, 'latin1')
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/ +/)[9] ?? ''),
    ),
  );
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return ''; // closed meanwhile
      }
    })
    .filter((target) => inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? 'none'));
}

describe('supervisor and router in a storm of signals', { skip: needsRoot }, () => {
  let host: HostileHost;
  before(async () => {
    host = await HostileHost.start(52_331);
  });
  after(() => host.usherd.stop());

  for (const name of ['supervisor', 'router'] as const) {
    test(`the ${name} goes on, and listens to nobody on a network (T114, T120)`, async () => {
      const pid = host.usherd.pidOf(name);
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const signal of SIGNALS) process.kill(pid, signal);
        if (round % 5 === 0) await host.neighbourIsServed();
      }
      await host.isUnharmed();
      assert.deepEqual(networkSockets(pid), []);
    });
  }
});
