// Sockets that root makes: for workers, handed over before anybody can connect; for itself, replaced by rename.
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { LIMITS } from '../limits.js';
import { UsherdError } from '../errors.js';
import { isListenedOn, unpublishedName } from '../ipc/index.js';
import { assertSocketPath, type RunPaths } from './paths.js';

const WORKER_SOCKET = /^[0-9a-f]{16}(?:\.sock|-*\.tmp)$/;
const UNPUBLISHED = /^s\.[0-9a-f]{8}\.tmp$/;
const O_NONBLOCK = 0o4000;

/** The descriptor below a Node server or socket. Not public API; the launch fails where it is missing. */
function descriptorOf(owner: Server | Socket): number {
  const fd = (owner as { _handle?: { fd?: unknown } | null })._handle?.fd;
  if (typeof fd !== 'number' || fd < 0) {
    throw new UsherdError('E_START_FAILED', 'a socket has no descriptor');
  }
  return fd;
}

/** Owned by the caller until `handOver`, which has to come in the same tick: nobody may be accepted here. */
export interface WorkerSocket {
  readonly path: string;
  readonly fd: number;
  /** After the spawn: makes the name public and closes our end; the worker's stays. */
  handOver(): void;
  /** Instead of `handOver`. */
  discard(): void;
}

/** Synchronous, as all between here and `handOver` has to be. @throws E_START_FAILED | E_STARTUP_SOCKET */
export function bindWorkerSocket(directory: string, worker: string): WorkerSocket {
  const path = join(directory, `${worker}.sock`);
  const bound = unpublishedName(path);
  const server = bindNow(bound, 0o117);
  const fd = descriptorOf(server);
  return {
    path,
    fd,
    handOver: () => {
      // libuv cleared O_NONBLOCK in the child; the description is shared, so it shows here.
      const isBlocking = (fdFlags(fd) & O_NONBLOCK) === 0;
      renameSync(bound, path);
      server.close(); // unlinks only the name that is no more
      if (!isBlocking) throw new UsherdError('E_START_FAILED', 'the socket stayed non-blocking');
    },
    discard: () => server.close(), // unlinks the name
  };
}

/** Listening synchronously is what libuv does for a path; a failed bind is told later and leaves no handle. */
function bindNow(path: string, umask: number): Server {
  assertSocketPath(path);
  const server = createServer();
  server.on('error', () => undefined); // the missing descriptor tells
  const previous = process.umask(umask);
  try {
    server.listen({ path, backlog: LIMITS.workerBacklogMaxCount });
  } finally {
    process.umask(previous);
  }
  return server;
}

function fdFlags(fd: number): number {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
  if (flags === undefined)
    throw new UsherdError('E_START_FAILED', 'descriptor flags are unreadable');
  return Number.parseInt(flags, 8);
}

export interface LogSocket {
  readonly fd: number;
  /** Closes our copy without shutdown(2): the worker goes on writing to the same connection. */
  release(): void;
}

// open(2): a name for the file and no more, so that nothing is opened for reading. Node has no constant for it.
const O_PATH = 0o10000000;

/**
 * The directory is the router's, so what lies there may be a link to any socket that root could reach; the connection
 * would end in a worker's hands. Looked at and connected to through one descriptor, so that it cannot be exchanged.
 */
function connectTo(path: string, ownerUid: number): Socket {
  const at = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const status = fstatSync(at);
    if (!status.isSocket() || status.uid !== ownerUid) throw new Error('not the router\u2019s own');
    return connect({ path: `/proc/self/fd/${at}` }); // connect(2) happens in this call
  } finally {
    closeSync(at);
  }
}

/**
 * The connection on which the router gets a worker's stdout and stderr, labelled before the worker exists.
 * @throws UsherdError E_START_FAILED
 */
export async function connectLog(
  path: string,
  ownerUid: number,
  label: object,
): Promise<LogSocket> {
  const line = Buffer.from(`${JSON.stringify(label)}\n`);
  if (line.length > LIMITS.logLabelMaxBytes) {
    throw new UsherdError('E_START_FAILED', 'the label of the log is too long');
  }
  let socket: Socket | undefined;
  try {
    const connected = connectTo(path, ownerUid);
    socket = connected;
    await new Promise<void>((resolve, reject) => {
      connected.once('error', reject);
      connected.setTimeout(LIMITS.logLabelDeadlineMs, () => reject(new Error('no answer in time')));
      connected.write(line, (err) => {
        if (err) reject(err);
        else resolve();
      });
    });
    connected.setTimeout(0);
    connected.on('error', () => undefined); // whatever comes now concerns the worker and the router
    return { fd: descriptorOf(connected), release: () => connected.destroy() };
  } catch (cause) {
    socket?.destroy();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsherdError('E_START_FAILED', `the log socket of the router: ${why}`, { cause });
  }
}

export interface PublishedServer {
  readonly server: Server;
  /** Stops listening and takes the name away. */
  close(): void;
}

/**
 * Listens under a temporary name and renames it into place, so that the name always leads to somebody. The mode is
 * never wider than the final one. @throws E_STARTUP_SOCKET
 */
export async function publishServer(
  path: string,
  access: { readonly gid?: number },
  onConnection: (socket: Socket) => void,
): Promise<PublishedServer> {
  const bound = join(dirname(path), `s.${randomBytes(4).toString('hex')}.tmp`);
  assertSocketPath(path);
  const server = createServer(onConnection);
  const previous = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: bound }, resolve);
      process.umask(previous); // libuv has bound it by now
    });
    if (access.gid !== undefined) {
      chownSync(bound, process.getuid?.() ?? -1, access.gid); // the owner may give it to a group of his own
      chmodSync(bound, 0o660);
    }
    renameSync(bound, path);
  } catch (cause) {
    server.close();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsherdError('E_STARTUP_SOCKET', why, { cause });
  } finally {
    process.umask(previous);
  }
  return {
    server,
    close: () => {
      server.close();
      rmSync(path, { force: true });
    },
  };
}

/** @throws E_STARTUP_SOCKET if somebody answers there: a living supervisor must not lose its name to a second one. */
export async function assertNobodyListens(path: string): Promise<void> {
  if ((await isListenedOn(path)) !== false)
    throw new UsherdError('E_STARTUP_SOCKET', `somebody listens on ${path}`);
}

/** What a dead supervisor left; only names that it made, only in its own directories. */
export function removeStaleSockets({ workers, run }: RunPaths): number {
  return removeNames(workers, WORKER_SOCKET) + removeNames(run, UNPUBLISHED);
}

function removeNames(directory: string, pattern: RegExp): number {
  const stale = readdirSync(directory).filter((name) => pattern.test(name));
  for (const name of stale) rmSync(join(directory, name), { force: true });
  return stale.length;
}
