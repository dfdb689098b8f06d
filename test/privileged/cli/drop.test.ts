// What supervisor and router really are after setpriv(1), read from the kernel.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { childArgv } from '../../../src/cli/child-argv.js';
import { startChild } from '../../../src/cli/child-process.js';
import type { ServiceName } from '../../../src/cli/node-flags.js';
import { requireSetpriv } from '../../../src/cli/system-tools.js';
import { needsRoot } from '../../support/needs-root.js';
import { scratchDirectory } from '../../support/scratch.js';
import { waitFor } from '../../support/wait-for.js';

const SERVICE = join(import.meta.dirname, '../../fixtures/services/service.js');
const IDS = { routerUid: 61_310, routerGid: 61_311, frontGids: [61_312, 61_313] };

const NOTHING = '0000000000000000';
/** CAP_CHOWN, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP: bits 0 and 5 to 8 (capabilities(7)). */
const FIVE = '00000000000001e1';

/** The lines of /proc/self/status that a child started as this service sees, and the flags of its node. */
async function statusOf(
  t: TestContext,
  service: ServiceName,
): Promise<{ readonly field: (name: string) => string; readonly flags: readonly string[] }> {
  const directory = scratchDirectory(t);
  chmodSync(directory, 0o755);
  const file = join(directory, 'notes');
  writeFileSync(file, '');
  chmodSync(file, 0o666); // the router's account writes it, too
  const program = { node: process.execPath, main: SERVICE, config: undefined };
  const argv = childArgv(service, program, { setpriv: await requireSetpriv(), ids: IDS });
  const before = argv.slice(0, argv.indexOf(SERVICE) + 1);
  let hasExited = false;
  const child = startChild([...before, 'tells-status', service, file], () => (hasExited = true));
  const note = await waitFor('the child to tell', () => {
    const text = readFileSync(file, 'utf8');
    return text.includes(`${service} started`) && text.split('\n')[0];
  });
  child.signal('SIGTERM');
  await waitFor('the child has ended', () => hasExited);
  const told = JSON.parse(note.slice(service.length + 1)) as { status: string; flags: string[] };
  return {
    field: (name) => new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'm').exec(told.status)?.[1] ?? '',
    flags: told.flags,
  };
}

test('the supervisor is root with exactly five capabilities', { skip: needsRoot }, async (t) => {
  const { field, flags } = await statusOf(t, 'supervisor');
  assert.equal(field('Uid'), '0\t0\t0\t0');
  assert.equal(field('CapPrm'), FIVE);
  assert.equal(field('CapEff'), FIVE);
  assert.equal(field('CapBnd'), FIVE);
  assert.equal(field('CapInh'), NOTHING);
  assert.equal(field('CapAmb'), NOTHING);
  assert.equal(field('Groups'), '61311 61312 61313');
  assert.ok(flags.includes('--disable-proto=throw'));
});

test('the router is its own account with nothing at all', { skip: needsRoot }, async (t) => {
  const { field, flags } = await statusOf(t, 'router');
  assert.equal(field('Uid'), '61310\t61310\t61310\t61310');
  assert.equal(field('Gid'), '61311\t61311\t61311\t61311');
  assert.equal(field('Groups'), '61312 61313');
  for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapInh', 'CapAmb']) {
    assert.equal(field(set), NOTHING, set);
  }
  assert.equal(field('NoNewPrivs'), '1');
  for (const flag of ['--disable-proto=throw', '--disallow-code-generation-from-strings']) {
    assert.ok(flags.includes(flag), flag);
  }
});
