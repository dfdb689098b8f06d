// What no command can show of the refusals of the runtimes: files that changed between a request and its start.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseFormerRuntime } from '../../../src/runtimes/refusals.js';

test('of runtime-changed: where, what was found, what is expected, what to do', () => {
  assert.deepEqual(refuseFormerRuntime('/srv/alice/apps/blog', 'perl'), {
    ...{ ok: false, code: 'E_APP_EMPTY' },
    findings: [
      {
        rule: 'runtime-changed',
        path: '/srv/alice/apps/blog',
        found: 'other files than before, which say something else about what is to run',
        expected: 'an application of the runtime perl, which the request was for',
        remedy:
          'if that was meant: nothing, the next request runs what is there now; else put the files back',
      },
    ],
  });
});
