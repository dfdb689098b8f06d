// The endurance runs of `npm run soak` in their short forms: the same promises, in seconds.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { churn } from '../../soak/churn.js';
import { crashLoop } from '../../soak/crash-loop.js';
import { noApache } from '../../support/apache.js';
import { needsRoot } from '../../support/needs-root.js';
import { Report, type Scenario } from '../../support/soak-stage.js';

const noPhp = existsSync('/usr/bin/php-cgi') ? false : 'php-cgi is not installed';
const SCENARIOS: readonly Scenario[] = [churn, crashLoop];

describe('in short', { skip: needsRoot || noApache || noPhp }, () => {
  for (const scenario of SCENARIOS) {
    test(scenario.promise, async () => {
      const report = new Report();
      await scenario.run('short', report);
      assert.deepEqual(report.problems, [], JSON.stringify(report.figures));
    });
  }
});
