// A reporter for node:test that says nothing and counts: one JSON line at the end, for scripts/test.mjs.

const WHY_MAX = 300;

/** Suites and the wrappers of files are no tests, unless they are skipped; a file that cannot even be loaded is a failed one. */
export default async function* countReporter(source) {
  const count = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // A whole suite that is skipped names none of its tests: it counts as one that was.
    if (data.skip !== undefined && data.skip !== false) count.skipped += 1;
    else if (data.details?.type === 'suite' && type === 'test:pass') continue;
    else if (type === 'test:pass') count.passed += 1;
    else if (data.todo === undefined || data.todo === false) {
      // A parent fails because a child did: only the child counts.
      if (data.details?.error?.failureType === 'subtestsFailed') continue;
      count.failed += 1;
      count.failures.push(`${data.file ?? ''}: ${data.name}: ${whyOf(data.details?.error)}`);
    }
  }
  yield `${JSON.stringify(count)}\n`;
}

/** What was wrong, on one line: the end of a long log is often all that somebody sees. */
function whyOf(error) {
  const { message = String(error) } = error?.cause ?? error ?? {};
  const line = String(message).split(/\s+/).join(' ').trim();
  return line.length > WHY_MAX ? `${line.slice(0, WHY_MAX)}…` : line;
}
