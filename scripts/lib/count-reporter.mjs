// A reporter for node:test that says nothing and counts: one JSON line at the end, for scripts/test.mjs.

/** Suites and the wrappers of files are no tests; a file that cannot even be loaded is a failed one. */
export default async function* countReporter(source) {
  const count = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite' && type === 'test:pass') continue;
    if (data.skip !== undefined && data.skip !== false) count.skipped += 1;
    else if (type === 'test:pass') count.passed += 1;
    else if (data.todo === undefined || data.todo === false) {
      // A parent fails because a child did: only the child counts.
      if (data.details?.error?.failureType === 'subtestsFailed') continue;
      count.failed += 1;
      count.failures.push(`${data.file ?? ''}: ${data.name}`);
    }
  }
  yield `${JSON.stringify(count)}\n`;
}
