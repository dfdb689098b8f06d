// Cold applications of a user at his limit: who asks the supervisor, and when.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { AppFacts } from '../../../src/ipc/index.js';
import { LIMITS } from '../../../src/limits.js';
import { Application } from '../../../src/router/application.js';
import { ColdLine } from '../../../src/router/cold-line.js';
import type { RequestFace } from '../../../src/router/request-types.js';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

const HOLD_MS = LIMITS.poolLimitHoldMinMs;
const asked: string[] = [];
const newLine = (): ColdLine => {
  asked.length = 0;
  return new ColdLine(({ id }) => asked.push(id));
};

/** Nobody has seen one of this name yet. */
function stranger(id: string): Application {
  const app = new Application(id);
  app.pending.set({} as RequestFace, Infinity);
  return app;
}

function coldApp(id: string): Application {
  const app = stranger(id);
  app.facts = {} as AppFacts;
  return app;
}

const coldApps = (user: string, count: number): Application[] =>
  Array.from({ length: count }, (_, n) => coldApp(`${user}/app${n}`));

test('where nobody of a user waits, each of his applications asks at once', () => {
  const line = newLine();
  assert.ok(coldApps('alice', 3).every((app) => line.enter(app)));
});

test('of all that a limit refused only the first asks again', () => {
  const line = newLine();
  const apps = coldApps('alice', 500);
  const [first] = apps as [Application, ...Application[]];
  for (const app of apps) line.held(app, 0);
  mock.timers.tick(HOLD_MS - 1);
  assert.deepEqual(asked, []);
  for (let turn = 1; turn <= 10; turn += 1) {
    mock.timers.tick(HOLD_MS);
    assert.deepEqual(asked, Array<string>(turn).fill('alice/app0'));
    line.held(first, 0);
  }
});

test('one that comes later joins the line, and those of another user do not', () => {
  const line = newLine();
  line.held(coldApp('alice/first'), 0);
  assert.equal(line.enter(coldApp('alice/second')), false);
  assert.equal(line.enter(coldApp('bob/first')), true);
});

test('when the first has its worker, the next asks at once, and after the last everybody may', () => {
  const line = newLine();
  const apps = coldApps('alice', 3);
  for (const app of apps) line.held(app, 0);
  mock.timers.tick(HOLD_MS);
  for (const app of apps) line.passed(app);
  assert.deepEqual(asked, ['alice/app0', 'alice/app1', 'alice/app2']);
  assert.equal(line.enter(coldApp('alice/later')), true);
  mock.timers.tick(10 * HOLD_MS);
  assert.equal(asked.length, 3);
});

test('one whose requests have left is passed over', () => {
  const line = newLine();
  const [gone, there] = coldApps('alice', 2) as [Application, Application];
  line.held(gone, 0);
  line.held(there, 0);
  gone.pending.clear();
  mock.timers.tick(HOLD_MS);
  assert.deepEqual(asked, ['alice/app1']);
});

test('a longer wait that the supervisor names is kept', () => {
  const line = newLine();
  line.held(coldApp('alice/app'), 10 * HOLD_MS);
  mock.timers.tick(10 * HOLD_MS - 1);
  assert.deepEqual(asked, []);
  mock.timers.tick(1);
  assert.deepEqual(asked, ['alice/app']);
});

test('thousands of users together ask no more often than so many times a second', () => {
  const line = newLine();
  const users = 10 * LIMITS.coldQuestionsPerS;
  const apps = Array.from({ length: users }, (_, n) => coldApp(`user${n}/app`));
  for (const app of apps) line.held(app, 0);
  mock.timers.tick(1_000);
  assert.ok(asked.length <= LIMITS.coldQuestionsPerS, `${asked.length} in the first second`);
  mock.timers.tick(9_000);
  assert.equal(asked.length, users);
  for (const app of apps) line.held(app, 0);
  asked.length = 0;
  mock.timers.tick(9_000);
  assert.deepEqual(asked, []);
});

test('nothing asks after the supervisor went away', () => {
  const line = newLine();
  const app = coldApp('alice/app');
  line.held(app, 0);
  line.clear();
  mock.timers.tick(HOLD_MS);
  assert.deepEqual(asked, []);
  assert.equal(line.enter(app), true);
});

test('names that nobody knows keep no application of their user waiting', () => {
  const line = newLine();
  for (let n = 0; n < 500; n += 1) line.held(stranger(`alice/made-up${n}`), 0);
  const app = coldApp('alice/app');
  assert.equal(line.enter(app), true);
  line.held(app, 0);
  mock.timers.tick(HOLD_MS);
  assert.deepEqual(asked, ['alice/made-up0', 'alice/app']);
});

test('a name that nobody knows asks once, whoever waits, and then in its turn', () => {
  const line = newLine();
  line.held(coldApp('alice/app'), 10 * HOLD_MS);
  const [first, second] = [stranger('alice/new0'), stranger('alice/new1')];
  for (const app of [first, second]) {
    assert.equal(line.enter(app), true);
    line.held(app, 0);
    assert.equal(line.enter(app), false);
  }
  mock.timers.tick(HOLD_MS);
  assert.deepEqual(asked, ['alice/new0']);
});

test('one that has become known leaves the line in which it is', () => {
  const line = newLine();
  const [first, second] = [stranger('alice/new0'), stranger('alice/new1')];
  for (const app of [first, second]) line.held(app, 0);
  mock.timers.tick(HOLD_MS);
  first.facts = {} as AppFacts;
  line.held(first, 0);
  mock.timers.tick(HOLD_MS);
  line.passed(first);
  assert.deepEqual(asked, ['alice/new0', 'alice/new0', 'alice/new1']);
});

test('of clients that do not wait nothing is kept', () => {
  const line = newLine();
  const [waits, ...leave] = Array.from({ length: 100 }, (_, n) => stranger(`alice/new${n}`)) as [
    Application,
    ...Application[],
  ];
  line.held(waits, 0);
  for (const app of leave) {
    line.held(app, 0);
    app.pending.clear();
    line.left(app);
  }
  assert.equal(line.length, 1);
  for (const app of leave) line.held(app, 0); // the answer comes after the client has gone
  assert.equal(line.length, 1);
  mock.timers.tick(HOLD_MS);
  assert.deepEqual(asked, ['alice/new0']);
});

test('one that is asked about moves its line on when its requests have left, and its answer does not do so again', () => {
  const line = newLine();
  const apps = coldApps('alice', 3) as [Application, Application, Application];
  for (const app of apps) line.held(app, 0);
  mock.timers.tick(HOLD_MS);
  const [first] = apps;
  first.ticket = 1;
  first.pending.clear();
  line.left(first);
  assert.deepEqual(asked, ['alice/app0', 'alice/app1']);
  first.ticket = undefined;
  line.passed(first);
  assert.deepEqual(asked, ['alice/app0', 'alice/app1']);
});

test('a line whose only application has left is no line any more', () => {
  const line = newLine();
  const [only, later] = coldApps('alice', 2) as [Application, Application];
  line.held(only, 0);
  mock.timers.tick(HOLD_MS);
  only.ticket = 1;
  only.pending.clear();
  line.left(only);
  assert.equal(line.enter(later), true);
});

test('so does the answer of one that is refused for a limit again', () => {
  const line = newLine();
  const [first, second] = coldApps('alice', 2) as [Application, Application];
  for (const app of [first, second]) line.held(app, 0);
  mock.timers.tick(HOLD_MS);
  first.pending.clear();
  line.held(first, 0);
  mock.timers.tick(HOLD_MS);
  assert.deepEqual(asked, ['alice/app0', 'alice/app1']);
});
