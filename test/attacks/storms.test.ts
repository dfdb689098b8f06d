// Everything at once: hundreds of cold applications of one user, and one that dies as fast as it is started.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { askSupervisor } from '../../src/cli/control-client.js';
import { LIMITS } from '../../src/limits.js';
import { FrontClient } from '../support/front-client.js';
import { HostileHost } from '../support/hostile-host.js';
import { needsRoot } from '../support/needs-root.js';
import { perlWorker } from '../support/perl-worker.js';
import type { StatusShape } from '../support/usherd-run.js';
import { waitFor } from '../support/wait-for.js';

const APPS_COUNT = 500;
const SERVED_COUNT = 40;
const WORKERS_PER_USER = 8;
/** In a crash loop the second start comes a second after the first, and each one later than the one before. */
const STARTS_OF_DYING_MAX = 5;

describe('five hundred cold applications of one user at once', { skip: needsRoot }, () => {
  let host: HostileHost;
  before(async () => {
    host = await HostileHost.start(52_361);
    for (let n = 0; n < APPS_COUNT; n += 1) {
      host.usherd.write(`mallory/app${n}`, 'app.fcgi', perlWorker('return "cold"'), 0o755);
    }
    host.usherd.write('alice/dies', 'app.fcgi', '#!/bin/sh\nexit 1\n', 0o755);
  });
  after(() => host.usherd.stop());

  const startsOf = (app: string): number =>
    host.usherd
      .log()
      .split('\n')
      .filter((line) => line.includes('"worker started"') && line.includes(app)).length;

  async function workersOf(user: string): Promise<number> {
    const control = join(host.usherd.directory, 'run/control.sock');
    const { apps } = (await askSupervisor(control, {
      command: 'status',
    })) as unknown as StatusShape;
    const own = apps.filter(({ app }) => app.startsWith(`${user}/`));
    return own.reduce((sum, { workers }) => sum + workers.length, 0);
  }

  test('start as fast as one user may and are served in turn, and others are served meanwhile (T95)', async () => {
    const startedMs = performance.now();
    const client = await FrontClient.connect(host.usherd.frontSocket);
    for (let n = 0; n < APPS_COUNT; n += 1) {
      client.send(n + 1, HostileHost.params(host.usherd.root, `mallory/app${n}`));
    }
    const served = (): number =>
      [...client.answers.values()].filter(({ end }) => end !== undefined).length;
    const seen = { neighbour: 0, crashLoop: 0, mostWorkers: 0 };
    await waitFor('the first of them to be served', async () => {
      await host.neighbourIsServed();
      seen.neighbour += 1;
      const { headers } = await host.fetch('alice/dies');
      if (headers.get('x-usherd-reason') === 'crash-loop') seen.crashLoop += 1;
      seen.mostWorkers = Math.max(seen.mostWorkers, await workersOf('mallory'));
      return served() >= SERVED_COUNT;
    });
    const seconds = (performance.now() - startedMs) / 1000;
    client.close();
    const perS = LIMITS.launchTokensPerUserPerS + LIMITS.launchReturnsPerUserPerS;
    const startsMax =
      LIMITS.launchTokensPerUserMaxCount + LIMITS.launchReturnsPerUserMaxCount + seconds * perS;
    assert.ok(startsOf('mallory/') <= startsMax, `${startsOf('mallory/')} in ${seconds} s`);
    assert.ok(seen.mostWorkers <= WORKERS_PER_USER, `${seen.mostWorkers} workers of one user`);
    assert.ok(startsOf('alice/dies') <= STARTS_OF_DYING_MAX, `${startsOf('alice/dies')} starts`);
    assert.ok(seen.crashLoop > 0, 'it is told to be in a crash loop');
    assert.ok(seen.neighbour > 1, `${seen.neighbour} answers of the neighbour`);
    await host.isUnharmed();
  });
});

const NAMES_COUNT = 400;

describe('hundreds of names that a client has made up', { skip: needsRoot }, () => {
  let host: HostileHost;
  before(async () => {
    host = await HostileHost.start(52_365);
    host.usherd.write('alice/real', 'app.fcgi', perlWorker('return "here"'), 0o755);
    assert.equal(await host.text('alice/real'), 'here');
  });
  after(() => host.usherd.stop());

  test('keep no cold application of that user waiting', async () => {
    const control = join(host.usherd.directory, 'run/control.sock');
    await askSupervisor(control, { command: 'stop', app: 'alice/real' });
    await waitFor('its worker to be gone', async () => {
      const status = (await askSupervisor(control, {
        command: 'status',
      })) as unknown as StatusShape;
      return status.apps.every(({ app, workers }) => app !== 'alice/real' || workers.length === 0);
    });
    const client = await FrontClient.connect(host.usherd.frontSocket);
    for (let n = 0; n < NAMES_COUNT; n += 1) {
      client.send(n + 1, HostileHost.params(host.usherd.root, `alice/none${n}`));
    }
    const answered = (): number =>
      [...client.answers.values()].filter(({ end }) => end !== undefined).length;
    await waitFor(
      'as many looks as anybody may ask for',
      () => answered() >= LIMITS.launchProbesPerUserMaxCount,
    );
    assert.equal(await host.text('alice/real'), 'here');
    assert.ok(answered() < NAMES_COUNT, 'the others wait while it is served');
    client.close();
    await host.isUnharmed();
  });
});
