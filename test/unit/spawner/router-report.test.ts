import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { RouterReports } from '../../../src/spawner/router-report.js';

const appRow = (serial: number, app: string) =>
  ({
    type: 'reportApp',
    serial,
    app,
    runtime: 'php',
    state: 'running',
    queue: 0,
    served: 1,
    refused: 0,
  }) as const;

describe('a report of the router', () => {
  it('collects the rows of its own question up to the end', async () => {
    const reports = new RouterReports();
    let serial = 0;
    const answer = reports.ask('status', ({ serial: asked }) => {
      serial = asked;
      return true;
    });
    reports.row(appRow(serial, 'alice/a'));
    reports.row(appRow(serial + 1, 'alice/other'));
    reports.row({ type: 'reportEnd', serial: serial - 1 });
    reports.row(appRow(serial, 'alice/b'));
    reports.row({ type: 'reportEnd', serial });
    assert.deepEqual(
      (await answer)?.apps.map(({ app }) => app),
      ['alice/a', 'alice/b'],
    );
  });

  it('is one question for everybody who asks meanwhile', async () => {
    const reports = new RouterReports();
    const serials: number[] = [];
    const send = ({ serial }: { serial: number }): boolean => serials.push(serial) > 0;
    const answers = [reports.ask('status', send), reports.ask('status', send)];
    reports.row({ type: 'reportEnd', serial: serials[0] ?? 0 });
    await Promise.all(answers);
    assert.equal(serials.length, 1);
    void reports.ask('status', send);
    assert.equal(serials.length, 2);
    void reports.ask('requests', send);
    assert.equal(serials.length, 3);
    reports.abandon();
  });

  it('is nothing when the router is away, goes away, or takes too long', async () => {
    const reports = new RouterReports();
    assert.equal(await reports.ask('status', () => false), undefined);
    const left = reports.ask('status', () => true);
    reports.abandon();
    assert.equal(await left, undefined);
    const delays: unknown[] = [];
    const timer = mock.method(globalThis, 'setTimeout', (fire: () => void, delayMs: number) => {
      delays.push(delayMs);
      queueMicrotask(fire);
    });
    assert.equal(await reports.ask('status', () => true), undefined);
    assert.deepEqual(delays, [LIMITS.reportDeadlineMs]);
    timer.mock.restore();
  });
});
