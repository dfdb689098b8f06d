// What repeats the code: the manual pages (for `npm run deb`) and docs/configuration.md (`npm run docs`), made from the
// commands and the commented examples. A test says when the document has to be made anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { paragraphs, readExample } from './lib/example-file.mjs';
import { fail, ROOT } from './lib/run.mjs';
import { heading, item, page, paragraph, subheading, title, verbatim } from './lib/troff.mjs';

const text = (path) => readFileSync(`${ROOT}/${path}`, 'utf8');

// --- usherd(1) ---------------------------------------------------------------------------------

function optionTag(name, { type }) {
  return type === 'boolean' ? `--${name}` : `--${name} ${type === 'number' ? 'N' : 'TEXT'}`;
}

const optionText = ({ summary, default: byDefault }) =>
  byDefault === undefined ? summary : `${summary} (default: ${byDefault})`;

const sentence = (summary) => `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;

function commandPart({ usage, summary, options }) {
  const own = Object.entries(options)
    .filter(([name]) => name !== 'config')
    .map(([name, option]) => `${optionTag(name, option)}: ${optionText(option)}`);
  return [item(`usherd ${usage}`, sentence(summary)), ...own.map(indented)].join('\n');
}

const indented = (line) => paragraph(line).replace('.PP', '.br');

/** @param {readonly object[]} commands as src/cli names them */
function commandPage(commands) {
  return page([
    title('usherd', 1),
    heading('name'),
    'usherd \\- per\\-user FastCGI process manager',
    heading('synopsis'),
    '.B usherd\n.I COMMAND\n.RI [ ARGUMENT ...]\n.RI [ OPTION ...]',
    heading('description'),
    paragraph(
      `usherd runs the web applications of many people on one machine, each under its owner's account. It stands behind
the FastCGI connection of a web server, starts an application's workers when its first request comes, and stops them
when nobody asks any more. A new application is a new directory, by default /srv/USER/apps/APP.`,
    ),
    paragraph(
      `Three processes do it. The supervisor is root with five capabilities; it starts workers and sees no request. The
router has an account of its own and no privilege; it reads what comes from the network. A worker runs as the owner of
its application.`,
    ),
    heading('commands'),
    ...commands.map(commandPart),
    heading('options'),
    item(
      '--config FILE',
      'Another configuration than /etc/usherd/usherd.toml; for every command that reads it.',
    ),
    item('--help', 'The commands, or the options of one.'),
    item('--version', 'The version.'),
    heading('signals'),
    item(
      'SIGTERM, SIGINT',
      'End: the router after the requests in flight, the supervisor with all workers.',
    ),
    item(
      'SIGHUP',
      'Read the configuration again. On a mistake the old one stays, and the log says where it is.',
    ),
    heading('exit status'),
    item('0', 'Done.'),
    item('1', 'Not done; the message says why and what to do.'),
    item(
      '100',
      'Not done, and trying again will not help: a mistake in the command line or the configuration.',
    ),
    item('111', 'Not done; trying again may help.'),
    heading('files'),
    item('/etc/usherd/usherd.toml', 'The configuration, usherd.toml(5).'),
    item('/etc/usherd/users.d/USER.toml', 'What is different for one user.'),
    item('/srv/USER/apps/APP/usherd.toml', "An application's own settings, usherd-app.toml(5)."),
    item('/run/usherd/front/front.sock', 'Where the web server connects.'),
    item('/run/usherd/control.sock', "What these commands use; it is root's."),
    item('/var/log/usherd/USER/APP.log', 'What an application says. Its owner may read it.'),
    heading('see also'),
    '.BR usherd.toml (5),\n.BR usherd\\-app.toml (5)',
    paragraph(
      'The documents in /usr/share/doc/usherd/docs: administration, tenants, troubleshooting, migration.',
    ),
  ]);
}

// --- usherd.toml(5), usherd-app.toml(5) --------------------------------------------------------

const proseParts = (prose) =>
  paragraphs(prose).map(({ isVerbatim, lines }) =>
    isVerbatim ? verbatim(lines.map((it) => it.slice(2))) : paragraph(lines.join('\n')),
  );

function entryParts({ prose, keys }) {
  if (keys.length === 0) return proseParts(prose);
  const tags = keys.map(({ name, value }) => `${name} = ${value}`);
  const [first, ...others] = tags;
  const tagged =
    item(first, '').trimEnd() +
    others.map((tag) => `\n.TQ\n.B ${item(tag, '').split('\n.B ')[1].trimEnd()}`).join('');
  const body = paragraphs(prose).map(({ lines }) =>
    paragraph(lines.join('\n')).replace('.PP\n', ''),
  );
  return [`${tagged}\n${body.length > 0 ? body.join('\n') : '\\&'}`];
}

/** A page in section 5 from a commented example. */
function filePage({ name, summary, example, other }) {
  const [top, ...tables] = readExample(example);
  return page([
    title(name, 5),
    heading('name'),
    `${name.replaceAll('-', '\\-')} \\- ${summary}`,
    heading('description'),
    ...top.entries.flatMap(entryParts),
    heading('tables and keys'),
    ...tables.flatMap(({ table, entries }) => [
      subheading(`[${table}]`),
      ...entries.flatMap(entryParts),
    ]),
    heading('see also'),
    `.BR usherd (1),\n.BR ${other.replaceAll('-', '\\-')} (5)`,
  ]);
}

// --- docs/configuration.md ---------------------------------------------------------------------

const markdownProse = (prose) =>
  paragraphs(prose)
    .map(({ isVerbatim, lines }) =>
      isVerbatim ? `\`\`\`\n${lines.join('\n')}\n\`\`\`` : lines.join('\n'),
    )
    .join('\n\n');

function markdownEntry({ prose, keys }) {
  if (keys.length === 0) return markdownProse(prose);
  // One item, so that nobody takes what is said of one key for the next one's.
  const shown = keys.map(({ name, value }) => `\`${name} = ${value}\``);
  const said = markdownProse(prose);
  const lines = [...shown, ...(said === '' ? [] : [said])].join('\\\n').split('\n');
  return lines
    .map((line, at) => (at === 0 ? `- ${line}` : line === '' ? '' : `  ${line}`))
    .join('\n');
}

const markdownSections = (example, level) => {
  const [top, ...tables] = readExample(example);
  return [
    ...top.entries.map(markdownEntry),
    ...tables.flatMap(({ table, entries }) => [
      `${level} \`[${table}]\``,
      ...entries.map(markdownEntry),
    ]),
  ].join('\n\n');
};

function configurationDocument({ main, app }) {
  return `# Configuration reference

<!-- Generated by \`npm run docs\` from the comments in conf.example/usherd.toml and conf.example/app/usherd.toml. -->

Values shown are the defaults, or an example where there is none. \`usherd config USER/APP\` prints every value that holds for
an application and where it comes from: defaults, then \`usherd.toml\`, then \`users.d/USER.toml\`, then the application's own file.

## The administrator's file

${markdownSections(main, '###')}

## An application's file

${markdownSections(app, '###')}
`;
}

const EXAMPLES = { main: 'conf.example/usherd.toml', app: 'conf.example/app/usherd.toml' };

/** The manual pages by their file names. @param {readonly object[]} commands as src/cli names them */
export function manualPages(commands) {
  const name = 'usherd.toml';
  const appName = 'usherd-app.toml';
  const main = {
    name,
    summary: 'configuration of usherd',
    example: text(EXAMPLES.main),
    other: appName,
  };
  const app = {
    name: appName,
    summary: "an application's settings for usherd",
    example: text(EXAMPLES.app),
    other: name,
  };
  return {
    'usherd.1': commandPage(commands),
    [`${name}.5`]: filePage(main),
    [`${appName}.5`]: filePage(app),
  };
}

/** docs/configuration.md as it has to be. */
export const configurationReference = () =>
  configurationDocument({ main: text(EXAMPLES.main), app: text(EXAMPLES.app) });

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    writeFileSync(`${ROOT}/docs/configuration.md`, configurationReference());
  } catch (err) {
    fail(err);
  }
}
