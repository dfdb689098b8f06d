// Root patterns, alone and beside each other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rootPatternProblem, rootsOverlap, userDirectory } from '../../../src/config/roots.js';

test('sound patterns are accepted', () => {
  for (const pattern of [
    '/srv/{user}/apps/{app}',
    '/home/{user}/public_html/{app}',
    '/var/www/{user}/{app}/htdocs',
  ]) {
    assert.equal(rootPatternProblem(pattern), undefined, pattern);
  }
});

test('unsound patterns are refused', () => {
  for (const pattern of [
    '',
    'srv/{user}/{app}',
    '/srv/{user}',
    '/srv/{app}',
    '/srv/{user}/{user}/{app}',
    '/srv/x{user}/{app}',
    '/srv/{user}.d/{app}',
    '/srv/{user}/{app}/',
    '/srv//{user}/{app}',
    '/srv/../{user}/{app}',
    '/srv/./{user}/{app}',
    '/srv/*/{user}/{app}',
    '/srv/{group}/{user}/{app}',
    '/{user}/{app}',
    '/{app}/{user}',
  ]) {
    assert.notEqual(rootPatternProblem(pattern), undefined, pattern);
  }
});

test('patterns that could claim one directory, or one inside another, overlap (T122)', () => {
  const root = '/srv/{user}/apps/{app}';
  for (const other of [
    root,
    '/srv/{user}/{app}',
    '/srv/{user}/apps/{app}/public',
    '/srv/a/{user}/{app}',
  ]) {
    assert.equal(rootsOverlap(root, other), true, other);
    assert.equal(rootsOverlap(other, root), true, other);
  }
});

test('patterns with a fixed component that differs do not overlap', () => {
  const root = '/srv/{user}/apps/{app}';
  for (const other of [
    '/home/{user}/apps/{app}',
    '/srv/{user}/sites/{app}',
    '/srvx/{user}/apps/{app}',
  ]) {
    assert.equal(rootsOverlap(root, other), false, other);
  }
});

test("a user's directory is the pattern up to the user", () => {
  assert.equal(userDirectory('/srv/{user}/apps/{app}', 'alice'), '/srv/alice');
});
