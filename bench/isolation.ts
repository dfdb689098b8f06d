// What the walls of `isolation = "strict"` cost at the start of a worker, and for how long it lives: as root, with bubblewrap.
// `node dist/bench/isolation.js [launches]`: launches with and without walls alternate; from spawn to the program's exec.
import { readFileSync, statSync } from 'node:fs';
import { findTools, wallsArgv } from '../src/privdrop/index.js';
import { closeInheritedDescriptors, launch } from '../test/support/launch.js';
import { A_UID, planFor, TenantTree } from '../test/support/tenants.js';

const LAUNCHES = Number(process.argv[2] ?? 200);
const NOWHERE = '/nonexistent';

const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;

function say(name: string, values: readonly number[]): void {
  const sorted = [...values].sort((a, b) => a - b);
  const [p50, p95] = [quantile(sorted, 0.5), quantile(sorted, 0.95)].map((ms) => ms.toFixed(2));
  process.stdout.write(`${name}: p50 ${p50 ?? ''} ms, p95 ${p95 ?? ''} ms, n=${values.length}\n`);
}

/** Resident memory that is not shared with others, of the process and its first descendants but the last, in KiB. */
function ownMemoryKiB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return [...text.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].reduce(
    (sum, [, kib]) => sum + Number(kib),
    0,
  );
}

const childOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ')[0]);

closeInheritedDescriptors();
const tree = new TenantTree();
try {
  const directory = tree.app(A_UID, 'app');
  const temporaryDirectory = tree.app(A_UID, 'tmp');
  const tools = findTools();
  const walls = [
    '/usr/bin/bwrap',
    ...wallsArgv({
      ...{ directory, temporaryDirectory, folders: [temporaryDirectory], visible: [], hidden: [] },
      home: { path: NOWHERE, isShown: false },
      isThere: (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
    }),
  ];
  const plan = planFor(A_UID);
  const start = async (isIsolated: boolean, argv: readonly string[]): Promise<number> => {
    const program = { umask: 0o27, environment: [], argv, ...(isIsolated && { walls }) };
    const { ended, startMs, output } = await launch({
      ...{ plan, tools, directory, program },
      onEnded: (child) => {
        if (!isIsolated || argv[0] !== '/bin/sleep') return;
        const pids = [child.pid ?? 0, childOf(child.pid ?? 0)];
        const kib = pids.map(ownMemoryKiB);
        process.stdout.write(`bubblewrap beside a worker: ${kib.join(' and ')} KiB of its own\n`);
      },
    });
    if (ended !== 'started') throw new Error(output);
    return startMs;
  };
  const times = { plain: [] as number[], strict: [] as number[] };
  for (let i = 0; i < LAUNCHES; i += 1) {
    times.plain.push(await start(false, ['/bin/true']));
    times.strict.push(await start(true, ['/bin/true']));
  }
  say('without walls', times.plain);
  say('with walls', times.strict);
  await start(true, ['/bin/sleep', '0.1']);
} finally {
  tree.remove();
}
