// Writes docs/metrics.md from src/router/metrics/families.ts. A test says when it has to be run again.
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { fail, ROOT } from './lib/run.mjs';
import { setup } from './setup.mjs';

/** As it stands in a scrape. */
const nameOf = ({ name, type }) => (type === 'counter' ? `${name}_total` : name);

const table = (families) =>
  [
    '| metric | type | meaning |',
    '| --- | --- | --- |',
    ...families.map((family) => `| \`${nameOf(family)}\` | ${family.type} | ${family.help} |`),
  ].join('\n');

/** The whole document. */
export const metricsDocument = ({ GROUP_FAMILIES, MACHINE_FAMILIES }) => `# Metrics

Generated from \`src/router/metrics/families.ts\` by \`node scripts/metrics-doc.mjs\`. How to get at them:
[administration.md](administration.md). Counters begin at zero when the router starts.

## Of applications

With \`[metrics] detail = "app"\` they have the labels \`user\` and \`app\` (\`alice/blog\`), with \`"user"\` only \`user\`, with \`"total"\`
neither. Requests that led to no application stand under empty names. \`status\`, \`reason\`, \`state\` and \`le\` are labels of their own;
what never happened has no line.

${table(GROUP_FAMILIES)}

## Of the machine

${table([{ name: 'usherd_build', type: 'gauge', help: 'Always 1; the label is the version.' }, ...MACHINE_FAMILIES])}
`;

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    setup({ build: true });
    const families = await import(`${ROOT}/dist/src/router/metrics/families.js`);
    writeFileSync(`${ROOT}/docs/metrics.md`, metricsDocument(families));
  } catch (err) {
    fail(err);
  }
}
