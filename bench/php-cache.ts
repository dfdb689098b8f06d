// Three ways of giving the PHP workers of one application an opcode cache: cold start, requests a second and memory, alternated.
// Run: node dist/bench/php-cache.js [rounds]      needs php-cgi and the package dokuwiki
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  encodeRequestHead,
  RecordDecoder,
  RecordEncoder,
  RecordType,
  Role,
} from '../src/fcgi-protocol/index.js';
import { layDokuwiki } from '../test/support/applications/dokuwiki.js';

const ROUNDS = Number(process.argv[2] ?? 7);
const WORKERS = 4;
const REQUESTS = 200;
const MIB = 1024 * 1024;

interface Way {
  readonly name: string;
  readonly processes: number;
  readonly children: number;
  readonly hasFileCache: boolean;
}

const WAYS: readonly Way[] = [
  { name: 'each its own memory', processes: WORKERS, children: 0, hasFileCache: false },
  { name: 'own memory + file cache', processes: WORKERS, children: 0, hasFileCache: true },
  { name: 'one tree, PHP_FCGI_CHILDREN', processes: 1, children: WORKERS, hasFileCache: false },
  { name: 'one tree + file cache', processes: 1, children: WORKERS, hasFileCache: true },
];

interface Worker {
  readonly pid: number;
  readonly socketPath: string;
  stop(): Promise<void>;
}

/** All in one session: the kernel shares a busy machine out among sessions (sched(7), autogroup), not among workers. */
async function startWorker(directory: string, name: string, way: Way): Promise<Worker> {
  const staging = join(directory, `${name}.tmp`);
  const socketPath = join(directory, `${name}.sock`);
  const server = createServer().listen({ path: staging, backlog: 511 });
  await once(server, 'listening');
  const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const cache = join(directory, 'opcache');
  const settings = ['cgi.fix_pathinfo=0', 'opcache.enable=1'];
  if (way.hasFileCache) settings.push(`opcache.file_cache=${cache}`);
  const args = settings.flatMap((setting) => ['-d', setting]);
  const child = spawn('/usr/bin/php-cgi', args, {
    stdio: [fd, 'ignore', 'ignore'],
    env: { PHP_FCGI_CHILDREN: String(way.children), PHP_FCGI_MAX_REQUESTS: '0', TMPDIR: directory },
  });
  renameSync(staging, socketPath);
  server.close();
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const stop = async (): Promise<void> => {
    const exit = once(child, 'exit');
    for (const one of treeOf(pid)) process.kill(one, 'SIGKILL');
    await exit;
  };
  return { pid, socketPath, stop };
}

async function ask(socketPath: string, script: string, path: string): Promise<string> {
  const socket = connect(socketPath);
  const output: Buffer[] = [];
  const decoder = new RecordDecoder({
    record: (type, _id, content) => {
      if (type === RecordType.STDOUT) output.push(Buffer.from(content));
      if (type === RecordType.END_REQUEST) socket.end();
    },
  });
  socket.on('data', (chunk) => decoder.push(chunk));
  const params = new Map([
    ['SCRIPT_FILENAME', script],
    ['SCRIPT_NAME', '/doku.php'],
    ['PATH_INFO', path],
    ['REQUEST_URI', `/doku.php${path}`],
    ['REQUEST_METHOD', 'GET'],
    ['SERVER_NAME', 'localhost'],
    ['SERVER_PORT', '80'],
    ['HTTP_HOST', 'localhost'],
    ['REMOTE_ADDR', '127.0.0.1'],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['QUERY_STRING', ''],
  ]);
  socket.write(
    encodeRequestHead(1, { role: Role.RESPONDER, flags: 0, params: params, isBodiless: false }),
  );
  new RecordEncoder(socket).endStream(RecordType.STDIN, 1);
  await once(socket, 'close');
  const text = Buffer.concat(output).toString('latin1');
  if (!text.includes('Wiki of a test')) throw new Error(`no wiki page: ${text.slice(0, 300)}`);
  return text;
}

function treeOf(pid: number): readonly number[] {
  const children = (of: number): number[] => {
    const file = `/proc/${of}/task/${of}/children`;
    return readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number);
  };
  return [pid, ...children(pid).flatMap(treeOf)];
}

/** Shared pages are counted once, divided among those who share them. */
const pssBytes = (pid: number): number => {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
};

interface Figures {
  readonly coldMs: number;
  readonly perS: number;
  readonly pssMib: number;
}

/** The first answer on each of so many connections at once, then a burst, then the memory of what runs. */
async function measure(app: string, way: Way, visitors: number): Promise<Figures> {
  const script = join(app, 'doku.php');
  const count = Math.min(way.processes, visitors);
  const startMs = performance.now();
  const workers = await Promise.all(
    Array.from({ length: count }, (_, index) => startWorker(join(app, '..'), `w${index}`, way)),
  );
  const lanes = Array.from(
    { length: visitors },
    (_, index) => workers[index % count]?.socketPath ?? '',
  );
  await Promise.all(lanes.map((path) => ask(path, script, '/start')));
  const coldMs = performance.now() - startMs;
  const burstMs = performance.now();
  await Promise.all(
    lanes.map(async (path) => {
      for (let sent = 0; sent < REQUESTS / visitors; sent += 1) await ask(path, script, '/start');
    }),
  );
  const perS = REQUESTS / ((performance.now() - burstMs) / 1000);
  const bytes = workers.flatMap(({ pid }) => treeOf(pid)).map(pssBytes);
  for (const worker of workers) await worker.stop();
  return { coldMs, perS, pssMib: bytes.reduce((sum, one) => sum + one, 0) / MIB };
}

const median = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

const directory = mkdtempSync(join(tmpdir(), 'php-cache-'));
const app = join(directory, 'wiki');
layDokuwiki(app, '====== Start ======\n\nHello.\n');
mkdirSync(join(directory, 'opcache'));
const VISITORS = [1, WORKERS];
const CASES = WAYS.flatMap((way) => VISITORS.map((visitors) => ({ way, visitors })));

function report(results: ReadonlyMap<string, readonly Figures[]>): string {
  const lines = [...results].map(([name, all]) => {
    const cold = median(all.map((one) => one.coldMs)).toFixed(0);
    const rate = median(all.map((one) => one.perS)).toFixed(0);
    const memory = median(all.map((one) => one.pssMib)).toFixed(1);
    return `${name.padEnd(42)} first answer ${cold} ms, ${rate} requests/s, ${memory} MiB\n`;
  });
  const machine = `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}`;
  return `${machine}, medians of ${ROUNDS} rounds\n${lines.join('')}`;
}

async function run(): Promise<ReadonlyMap<string, readonly Figures[]>> {
  const results = new Map<string, Figures[]>();
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const { way, visitors } of CASES) {
      const figures = await measure(app, way, visitors);
      const key = `${way.name}, ${visitors} at once`;
      // The first round fills the wiki's own caches and the file cache.
      if (round > 0) results.set(key, [...(results.get(key) ?? []), figures]);
    }
  }
  return results;
}

try {
  process.stdout.write(report(await run()));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
