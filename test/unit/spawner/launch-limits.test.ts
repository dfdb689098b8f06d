import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { LaunchTokens, WorkerCensus } from '../../../src/spawner/launch-limits.js';
import { TokenBucket } from '../../../src/spawner/token-bucket.js';

describe('a token bucket', () => {
  it('gives its burst at once, then its rate, and says how long to wait', () => {
    const bucket = new TokenBucket({ maxCount: 2, perS: 4 }, 0);
    assert.deepEqual([bucket.take(0), bucket.take(0), bucket.take(0)], [true, true, false]);
    assert.equal(bucket.waitMs(0), 250);
    assert.equal(bucket.take(249), false);
    assert.equal(bucket.take(250), true);
  });

  it('never saves up more than its burst', () => {
    const bucket = new TokenBucket({ maxCount: 2, perS: 4 }, 0);
    assert.deepEqual(
      [1e9, 1e9, 1e9].map((now) => bucket.take(now)),
      [true, true, false],
    );
  });

  it('neither gives nor takes when the clock stands or goes back', () => {
    const bucket = new TokenBucket({ maxCount: 1, perS: 1 }, 1_000);
    assert.equal(bucket.take(1_000), true);
    assert.equal(bucket.take(0), false);
    assert.equal(bucket.take(1_000), true, 'a second after the clock went back');
  });
});

/** Takes a token for an application that is known to exist. */
function takeKnown(tokens: LaunchTokens, app: string, nowMs = 0): string {
  const user = app.slice(0, app.indexOf('/'));
  tokens.prove(user, app, nowMs);
  const answer = tokens.take(user, app, nowMs);
  return answer.ok ? 'ok' : answer.level;
}

describe('launch tokens', () => {
  it('bound one application, whose neighbour goes on', () => {
    const tokens = new LaunchTokens(0);
    // The launch that found it is one of them.
    for (let count = 1; count < LIMITS.launchTokensPerAppMaxCount; count += 1) {
      assert.equal(takeKnown(tokens, 'alice/a'), 'ok');
    }
    assert.deepEqual(tokens.take('alice', 'alice/a', 0), {
      ok: false,
      level: 'app',
      waitMs: 1_000,
    });
    assert.equal(takeKnown(tokens, 'alice/b'), 'ok');
  });

  it('leave half to applications that are there, whatever names of however many users are asked for', () => {
    const tokens = new LaunchTokens(0);
    tokens.prove('bob', 'bob/blog', 0);
    const storm = (nowMs: number): number => {
      let count = 0;
      const asks = Array.from({ length: 20_000 }, (_, n) => [`u${n % 400}`, `u${n % 400}/x${n}`]);
      for (const [user = '', app = ''] of asks) if (tokens.take(user, app, nowMs).ok) count += 1;
      return count;
    };
    assert.equal(storm(0), LIMITS.launchProbesTotalMaxCount);
    assert.equal(tokens.take('bob', 'bob/blog', 0).ok, true);
    for (let nowMs = 1_000; nowMs < 20_000; nowMs += 1_000) {
      assert.equal(storm(nowMs), LIMITS.launchProbesTotalPerS);
      assert.equal(tokens.take('bob', 'bob/blog', nowMs).ok, true);
    }
  });

  it('bound one user over all applications, and cost nothing when refused', () => {
    const tokens = new LaunchTokens(0);
    const half = LIMITS.launchTokensPerUserMaxCount / 2;
    for (let count = 0; count < half; count += 1) {
      assert.equal(takeKnown(tokens, `alice/a${count}`), 'ok');
    }
    for (let count = 0; count < 5_000; count += 1) {
      assert.equal(takeKnown(tokens, `alice/a${count % half}`), 'user');
    }
    assert.equal(takeKnown(tokens, 'bob/a'), 'ok', 'the total was not drained by refusals');
  });

  it('bound everybody together', () => {
    const tokens = new LaunchTokens(0);
    for (let count = 0; count < LIMITS.launchTokensTotalMaxCount; count += 1) {
      assert.equal(takeKnown(tokens, `u${count}/a`), 'ok');
    }
    assert.equal(takeKnown(tokens, 'late/a'), 'total');
  });

  it('keep names that lead nowhere from costing the user its own applications', () => {
    const tokens = new LaunchTokens(0);
    assert.equal(takeKnown(tokens, 'alice/shop'), 'ok');
    for (let count = 0; count < LIMITS.launchProbesPerUserMaxCount + 1; count += 1) {
      tokens.take('alice', `alice/guess${count}`, 0);
    }
    const guess = tokens.take('alice', 'alice/one-more', 0);
    assert.ok(!guess.ok && guess.level === 'probes');
    assert.equal(takeKnown(tokens, 'alice/shop'), 'ok');
    assert.equal(tokens.take('bob', 'bob/new', 0).ok, true, 'each user has a bucket for guesses');
  });

  it('count an application that is gone among the guesses', () => {
    const tokens = new LaunchTokens(0);
    assert.equal(takeKnown(tokens, 'alice/shop'), 'ok');
    tokens.disprove('alice/shop');
    for (let count = 0; count < LIMITS.launchProbesPerUserMaxCount; count += 1) {
      tokens.take('alice', 'alice/shop', 0);
    }
    const answer = tokens.take('alice', 'alice/shop', 0);
    assert.ok(!answer.ok && answer.level === 'probes');
  });

  it('come back for workers that were replaced in good order, at a rate of their own', () => {
    const tokens = new LaunchTokens(0);
    let launches = 0;
    // max_requests = 1 under load: each worker serves, is replaced, and its token comes back.
    while (takeKnown(tokens, 'alice/a') === 'ok') {
      launches += 1;
      tokens.giveBack('alice', 'alice/a', 0);
      assert.ok(launches < 1_000, 'there is a bound');
    }
    const atOnce = LIMITS.launchTokensPerAppMaxCount - 1 + LIMITS.launchReturnsPerUserMaxCount;
    assert.equal(launches, atOnce);
    // A second later so many may come back, as far as the burst of the application has room for them.
    for (let turn = 0; turn < 100; turn += 1) tokens.giveBack('alice', 'alice/a', 1_000);
    const later = Array.from({ length: 100 }, () => takeKnown(tokens, 'alice/a', 1_000));
    const back = LIMITS.launchReturnsPerUserPerS + LIMITS.launchTokensPerAppPerS;
    const expected = Math.min(back, LIMITS.launchTokensPerAppMaxCount);
    assert.equal(later.filter((answer) => answer === 'ok').length, expected);
  });

  it('are given back to an application that is forgiven', () => {
    const tokens = new LaunchTokens(0);
    while (takeKnown(tokens, 'alice/a') === 'ok');
    tokens.forgive('alice/a');
    assert.equal(takeKnown(tokens, 'alice/a'), 'ok');
  });

  it('remember a bounded number of names', () => {
    const tokens = new LaunchTokens(0);
    for (let count = 0; count < LIMITS.launchBucketsMaxCount + 100; count += 1) {
      tokens.take(`u${count}`, `u${count}/a`, count * 10);
      tokens.prove(`u${count}`, `u${count}/a`, count * 10);
      tokens.giveBack(`u${count}`, `u${count}/a`, count * 10);
    }
    assert.equal(tokens.size, 4 * LIMITS.launchBucketsMaxCount);
  });
});

describe('the worker census', () => {
  const caps = { perApp: 2, perUser: 3, total: 100 };

  it('fills an application, then its user', () => {
    const census = new WorkerCensus();
    const enter = (app: string): string => census.enter('alice', app, caps) ?? 'in';
    assert.deepEqual(
      ['a', 'a', 'a', 'b', 'c'].map((app) => enter(`alice/${app}`)),
      ['in', 'in', 'app', 'in', 'user'],
    );
    census.leave('alice', 'alice/a');
    assert.equal(enter('alice/c'), 'in');
    assert.equal(census.total, 3);
  });

  it('keeps the last eighth for users who have none', () => {
    const census = new WorkerCensus();
    const wide = { perApp: 100, perUser: 100, total: 16 };
    for (let count = 0; count < 14; count += 1) {
      assert.equal(census.enter('alice', 'alice/a', wide), undefined);
    }
    assert.equal(census.enter('alice', 'alice/a', wide), 'total');
    assert.equal(census.enter('bob', 'bob/a', wide), undefined);
    assert.equal(census.enter('bob', 'bob/a', wide), 'total');
    assert.equal(census.enter('carol', 'carol/a', wide), undefined);
    assert.equal(census.enter('dave', 'dave/a', wide), 'total', 'full is full');
  });

  it('keeps one of a few and none of one', () => {
    const small = { perApp: 9, perUser: 9, total: 2 };
    const census = new WorkerCensus();
    assert.equal(census.enter('alice', 'alice/a', small), undefined);
    assert.equal(census.enter('alice', 'alice/a', small), 'total');
    const single = new WorkerCensus();
    assert.equal(single.enter('alice', 'alice/a', { ...small, total: 1 }), undefined);
  });

  it('forgets names that have no worker', () => {
    const census = new WorkerCensus();
    census.enter('alice', 'alice/a', caps);
    census.leave('alice', 'alice/a');
    assert.deepEqual(
      [census.countOfApp('alice/a'), census.countOfUser('alice'), census.total],
      [0, 0, 0],
    );
  });
});
