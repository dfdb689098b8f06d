// Who may import whom, and nothing else: the table of CONTRIBUTING.md ("Import directions") as rules. No row, no import.

const { ROWS } = require('./scripts/lib/import-rows.cjs');

const target = (name) =>
  name === 'errors' || name === 'limits' || name === 'log' ? `^src/${name}\\.ts$` : `^src/${name}/`;
const label = (from) =>
  from
    .replace(/^\^src\//, '')
    .replace(/\W+$/, '')
    .replace(/[^\w-]+/g, '-');

const rulesOfRow = ({ from, ours, types = [], packages, node, notNode = [] }) => {
  const name = label(from);
  const itself = from;
  const allowed = [itself, ...ours.map(target)];
  const rules = [
    {
      name: `${name}-imports-of-ours`,
      comment: 'no row in scripts/lib/import-rows.cjs allows this import of ours',
      severity: 'error',
      from: { path: from },
      to: { path: '^src/', pathNot: [...allowed, ...types.map(target)] },
    },
    {
      name: `${name}-packages`,
      comment: 'this folder may not import that package',
      severity: 'error',
      from: { path: from },
      to: {
        dependencyTypes: [
          'npm',
          'npm-dev',
          'npm-optional',
          'npm-peer',
          'npm-bundled',
          'npm-no-pkg',
          'npm-unknown',
        ],
        pathNot: packages.map((it) => `(^|/)node_modules/${it}/`),
      },
    },
    {
      name: `${name}-node`,
      comment: 'this folder may not import that module of Node',
      severity: 'error',
      from: { path: from },
      to: {
        dependencyTypes: ['core'],
        ...(node === 'all'
          ? { path: [...notNode, 'cluster'].map((it) => `^(node:)?${it}(/|$)`) }
          : { pathNot: node.map((it) => `^(node:)?${it}(/|$)`) }),
      },
    },
  ];
  if (types.length > 0) {
    rules.push({
      name: `${name}-types-only`,
      comment: 'only types may be imported from there',
      severity: 'error',
      from: { path: from },
      to: { path: types.map(target), dependencyTypesNot: ['type-only'] },
    });
  }
  return rules;
};

/** Packages that have one importer each (zod: two). */
const IMPORTERS = {
  yargs: '^src/main\\.ts$',
  pino: '^src/log\\.ts$',
  'prom-client': '^src/router/metrics/text\\.ts$',
  'smol-toml': '^src/config/',
  zod: '^src/(config/|ipc/)',
};

module.exports = {
  forbidden: [
    ...ROWS.flatMap(rulesOfRow),
    ...Object.entries(IMPORTERS).map(([name, path]) => ({
      name: `one-importer-of-${name}`,
      comment: `${name} is imported in one place only`,
      severity: 'error',
      from: { path: '^src/', pathNot: path },
      to: { path: `(^|/)node_modules/(@types/)?${name}/` },
    })),
    {
      name: 'faces-only',
      comment: 'another folder is entered through its index.ts, or its lean.ts',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/(index|lean)\\.ts$'] },
    },
    {
      name: 'faces-only-from-the-top',
      comment:
        'a folder is entered through its index.ts; main.ts takes each command from its own file',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/[^/]+/index\\.ts$', '^src/cli/'] },
    },
    {
      name: 'lean-faces',
      comment:
        'a lean face leads to no schema, not even for its types; of spawner a test asks Node',
      severity: 'error',
      from: { path: '^src/(config|ipc)/lean\\.ts$' },
      to: { path: '(^|/)node_modules/zod/', reachable: true },
    },
    {
      name: 'commands-are-for-main',
      comment: 'only main.ts starts commands',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/main\\.ts$', '^src/cli/'] },
      to: { path: '^src/(cli/|main\\.ts$)' },
    },
    {
      name: 'no-tests-in-the-program',
      comment: 'the program does not know its tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'no-cycles',
      comment: 'no cycles, not even of types',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'an import that leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
