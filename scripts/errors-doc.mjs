// Writes docs/errors.md from the catalogue in src/errors.ts. A test says when it has to be run again.
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { fail, ROOT } from './lib/run.mjs';
import { setup } from './setup.mjs';

const TITLES = {
  config: 'Configuration',
  startup: 'Start-up',
  protocol: 'FastCGI framing',
  request: 'Requests that are refused',
  overload: 'Load',
  worker: 'Workers',
  privdrop: 'Dropping privileges',
  monitor: 'Router and supervisor',
};

const cell = (text) => String(text).replaceAll('|', '\\|');

function answerOf({ status, reason, retryAfterS }) {
  if (status === 0) return '–';
  const retry = retryAfterS > 0 ? `, Retry-After ${retryAfterS} s` : '';
  return `${status} \`${reason}\`${retry}`;
}

function section(family, rows) {
  const lines = rows.map(
    ([code, row]) =>
      `| \`${code}\` | ${cell(row.meaning)} | ${cell(row.remedy)} | ${answerOf(row)} | ${row.ends} | ${row.level} |`,
  );
  return `## ${TITLES[family] ?? family}

| code | what happened | what to do | answer | ends | level |
| --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
`;
}

/** The whole document. */
export function errorsDocument(errors) {
  const rows = Object.entries(errors);
  const families = [...new Set(rows.map(([, { family }]) => family))];
  const sections = families.map((family) =>
    section(
      family,
      rows.filter(([, row]) => row.family === family),
    ),
  );
  return `# What can go wrong

Generated from \`src/errors.ts\` by \`node scripts/errors-doc.mjs\`. The code stands in the log as \`errorCode\`; the word
under "answer" is what the web server's client gets in \`X-Usherd-Reason\`. "Ends" is how far the damage reaches.

${sections.join('\n')}`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    setup({ build: true });
    const { ERRORS } = await import(`${ROOT}/dist/src/errors.js`);
    writeFileSync(`${ROOT}/docs/errors.md`, errorsDocument(ERRORS));
  } catch (err) {
    fail(err);
  }
}
