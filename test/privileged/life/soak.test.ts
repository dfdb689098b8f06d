// The endurance runs of `npm run soak` in their short forms: the same promises, in seconds.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { SCENARIOS } from '../../soak/soak.js';
import { noApache } from '../../support/apache.js';
import { noCompiler } from '../../support/compile.js';
import { needsRoot } from '../../support/needs-root.js';
import { Report } from '../../support/soak-stage.js';

const noPhp = existsSync('/usr/bin/php-cgi') ? false : 'php-cgi is not installed';

describe('in short', { skip: needsRoot || noApache || noPhp || noCompiler }, () => {
  for (const scenario of SCENARIOS) {
    test(scenario.promise, async () => {
      const report = new Report();
      await scenario.run('short', report);
      const figures = report.figures.map(([what, value]) => `${what} ${value}`);
      assert.deepEqual(report.problems, [], [...report.problems, ...figures].join('; '));
    });
  }
});
