// What the one-word commands say has happened: what is known, and no more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOf } from '../../../src/cli/command.js';
import { WORDS, type Outcome } from '../../../src/cli/control.js';
import type { Answer } from '../../../src/cli/control-client.js';

function outcome(name: string, answer: Answer): Outcome {
  const word = WORDS.find((one) => nameOf(one) === name) ?? assert.fail(name);
  return word.outcome(answer);
}

test('a reload that the router has not confirmed is no success, and says where to look', () => {
  const { isDone, text } = outcome('reload', { router: 'silent' });
  assert.equal(isDone, false);
  assert.match(text, /router did not confirm.*journalctl -u usherd-router/);
  assert.equal(outcome('reload', {}).isDone, false);
});

test('a reload that the router has confirmed, or has yet to do when it comes, is one', () => {
  assert.deepEqual(outcome('reload', { router: 'agreed' }), { isDone: true, text: 'reloaded' });
  const alone = outcome('reload', { router: 'alone' });
  assert.equal(alone.isDone, true);
  assert.match(alone.text, /no router is connected/);
});

test('start and reset are not done where no router hears of them', () => {
  assert.equal(outcome('reset', { app: 'alice/blog', told: true }).isDone, true);
  for (const { isDone, text } of [
    outcome('start', { app: 'alice/blog', outcome: 'no-router' }),
    outcome('reset', { app: 'alice/blog', told: false }),
  ]) {
    assert.equal(isDone, false);
    assert.match(text, /router is not connected/);
  }
});

test('start says that a worker runs, or which rule refuses it and where', () => {
  const refusal = {
    ...{ code: 'E_APP_UNKNOWN', rule: 'app-directory', detail: '/srv/a: \u001b[1m' },
    remedy: 'mkdir /srv/a',
  };
  const { isDone, text } = outcome('start', { app: 'alice/a', outcome: 'refused', ...refusal });
  assert.equal(isDone, false);
  assert.match(text, /no such application \(E_APP_UNKNOWN\); app-directory: \/srv\/a: \?\[1m/);
  assert.match(text, /\n    remedy:   mkdir \/srv\/a; `usherd check alice\/a`/);
  assert.match(outcome('start', { app: 'alice/a', outcome: 'started' }).text, /^started/);
  assert.match(outcome('start', { app: 'alice/a', outcome: 'runs' }).text, /runs already/);
  assert.equal(outcome('start', { app: 'alice/a', outcome: 'waiting' }).isDone, false);
});

test('start says the remedy of the code where the refusal has none of its own', () => {
  const refusal = { code: 'E_SUSPENDED', rule: '', detail: '', remedy: '' };
  const { text } = outcome('start', { app: 'alice/a', outcome: 'refused', ...refusal });
  assert.equal(
    text,
    'not started: the user or the application is suspended (E_SUSPENDED)\n' +
      '    remedy:   `usherd resume alice`; `usherd check alice/a` names everything that refuses it',
  );
});

test('restart and stop say how many workers they are about, and that there is none', () => {
  for (const name of ['restart', 'stop']) {
    assert.match(outcome(name, { app: 'alice/blog', workers: 2 }).text, /2 workers/);
    assert.match(outcome(name, { app: 'alice/blog', workers: 0 }).text, /no worker of alice\/blog/);
  }
});

test('suspend says how long it lasts, resume whether there was anything to undo', () => {
  assert.match(outcome('suspend', { user: 'bob', workers: 1 }).text, /1 worker.*usherd resume bob/);
  assert.match(outcome('suspend', { user: 'bbo', isKnown: false }).text, /no account bbo is known/);
  assert.doesNotMatch(outcome('suspend', { user: 'bob', isKnown: true }).text, /no account/);
  assert.equal(outcome('resume', { user: 'bob', wasSuspended: true }).text, 'resumed');
  assert.match(outcome('resume', { user: 'bob', wasSuspended: false }).text, /was not suspended/);
});
