// What whoever asked for a start is told: the next launch or refusal of that application.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { refusal } from '../../../src/spawner/blueprint.js';
import { StartNews } from '../../../src/spawner/start-news.js';

const told = (): boolean => true;

test('a launch and a refusal of that application are told to everybody who asked, of others to nobody', async () => {
  const news = new StartNews();
  const both = [news.next('alice/blog', told), news.next('alice/blog', told)];
  const other = news.next('bob/shop', told);
  news.started('carol/wiki');
  news.started('alice/blog');
  news.refused('bob/shop', refusal('E_APP_UNKNOWN', 'app-directory-missing', '/srv/bob'));
  assert.deepEqual(await Promise.all(both), [{ outcome: 'started' }, { outcome: 'started' }]);
  const { ...said } = await other;
  assert.deepEqual(said, {
    outcome: 'refused',
    ...{ code: 'E_APP_UNKNOWN', rule: 'app-directory-missing', detail: '/srv/bob', remedy: '' },
  });
});

test('without a router nothing is waited for', async () => {
  const outcome = await new StartNews().next('alice/blog', () => false);
  assert.deepEqual(outcome, { outcome: 'no-router' });
});

test('a limit is no refusal: it goes on waiting, and the deadline says so', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const news = new StartNews();
  const outcome = news.next('alice/blog', told);
  news.refused('alice/blog', refusal('E_SPAWN_LIMIT', 'max-workers', 'full'));
  t.mock.timers.tick(LIMITS.startNewsMs);
  assert.deepEqual(await outcome, { outcome: 'waiting' });
});
