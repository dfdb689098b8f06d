// Who may import whom: read by .dependency-cruiser.cjs, which checks it, and by the test that compares docs/architecture.md.
'use strict';

/**
 * One row a folder: what it may import besides itself. `types` are allowed as types only.
 * `node` are the node: modules allowed: 'all', or a list; `notNode` takes some of them away again.
 */
exports.ROWS = [
  { from: '^src/errors\\.ts$', ours: [], packages: [], node: [] },
  { from: '^src/limits\\.ts$', ours: [], packages: [], node: [] },
  { from: '^src/log\\.ts$', ours: ['errors', 'limits'], packages: ['pino'], node: 'all' },
  { from: '^src/config/', ours: ['errors', 'limits'], packages: ['zod', 'smol-toml'], node: 'all' },
  { from: '^src/migration/', ours: [], packages: [], node: [] },
  { from: '^src/fcgi-protocol/', ours: ['errors', 'limits'], packages: [], node: ['buffer'] },
  {
    from: '^src/pool/',
    ours: ['errors', 'limits'],
    types: ['log'],
    packages: [],
    node: 'all',
    notNode: ['net', 'child_process'],
  },
  { from: '^src/privdrop/', ours: ['errors', 'limits'], packages: [], node: 'all' },
  { from: '^src/ipc/', ours: ['errors', 'limits'], packages: ['zod'], node: 'all' },
  {
    from: '^src/spawner/',
    ours: ['errors', 'limits', 'log', 'privdrop', 'ipc'],
    types: ['config'],
    packages: [],
    node: 'all',
  },
  {
    from: '^src/router/',
    ours: ['errors', 'limits', 'log', 'fcgi-protocol', 'pool', 'ipc'],
    types: ['config', 'runtimes'],
    packages: ['prom-client'],
    node: 'all',
    notNode: ['child_process', 'cluster', 'worker_threads'],
  },
  {
    from: '^src/runtimes/',
    ours: ['errors'],
    types: ['config'],
    packages: [],
    node: ['path', 'url'],
  },
  {
    from: '^src/gateway/',
    ours: ['errors', 'limits', 'log', 'fcgi-protocol'],
    packages: [],
    node: 'all',
    notNode: ['child_process'],
  },
];
