// `npm run check`: everything about the source that a machine can judge without running it. All steps run, so one look shows all.
import { pathToFileURL } from 'node:url';
import { existsSync } from 'node:fs';
import { fail, ROOT, run, seconds, tool } from './lib/run.mjs';
import { setup } from './setup.mjs';

/** Looks only at files that changed since the last time; a fresh clone has no cache and looks at all. */
const ESLINT_CACHE = [
  '--cache',
  '--cache-strategy=content',
  `--cache-location=${ROOT}/node_modules/.cache/eslint`,
];

const STEPS = [
  {
    name: 'prettier',
    command: [...tool('prettier/bin/prettier.cjs'), '--check', '--cache', '--log-level=warn', '.'],
  },
  {
    name: 'eslint',
    command: [
      ...tool('eslint/bin/eslint.js'),
      '--max-warnings=0',
      ...ESLINT_CACHE,
      'src',
      'test',
      'bench',
    ],
  },
  { name: 'tsc', command: [...tool('typescript/bin/tsc'), '-p', 'tsconfig.json'] },
  {
    name: 'dependency-cruiser',
    command: [
      ...tool('dependency-cruiser/bin/dependency-cruise.mjs'),
      '--config=.dependency-cruiser.cjs',
      '--output-type=err-long',
      'src',
    ],
  },
  { name: 'knip', command: [...tool('knip/bin/knip.js'), '--no-progress'] },
];

/** Leaves out folders that do not exist, which eslint would call a mistake. */
const withoutAbsent = (args) =>
  args.filter((arg) => !/^(test|bench)$/.test(arg) || existsSync(`${ROOT}/${arg}`));

/** Runs every step and prints a line each. @returns the names of those that failed */
export function check() {
  const failed = [];
  for (const { name, command } of STEPS) {
    const startMs = Date.now();
    const [file, ...args] = command;
    const { ok, output } = run(file, withoutAbsent(args), { quiet: true });
    if (!ok) {
      failed.push(name);
      process.stdout.write(`${output.trimEnd()}\n`);
    }
    process.stdout.write(`check: ${name.padEnd(20)}${ok ? 'ok' : 'FAILED'}, ${seconds(startMs)}\n`);
  }
  return failed;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    setup({ build: false });
    if (check().length > 0) process.exitCode = 1;
  } catch (err) {
    fail(err);
  }
}
