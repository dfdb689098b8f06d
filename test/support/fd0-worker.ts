// Starts a program as usherd starts workers: a blocking listening socket on descriptor 0, a process group, and asks it over FastCGI.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { unpublishedName } from '../../src/ipc/index.js';
import {
  encodeRequestHead,
  RecordDecoder,
  RecordEncoder,
  RecordType,
  Role,
} from '../../src/fcgi-protocol/index.js';

export interface ProgramExit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Fd0Worker {
  readonly pid: number;
  readonly socketPath: string;
  /** Of its first process. */
  readonly exited: Promise<ProgramExit>;
  stop(): Promise<void>;
  /** SIGTERM: what it exits with by itself, or null. */
  terminate(): Promise<number | null>;
}

/** @param argv absolute program and its arguments */
export async function startFd0Worker(
  directory: string,
  argv: readonly string[],
  name = 'worker',
): Promise<Fd0Worker> {
  const socketPath = join(directory, `${name}.sock`);
  const staging = unpublishedName(socketPath);
  const server = createServer().listen(staging);
  await once(server, 'listening');
  const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const [file = '', ...args] = argv;
  const child: ChildProcess = spawn(file, args, {
    stdio: [fd, 'inherit', 'inherit'],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    cwd: directory,
    detached: true,
  });
  // Renamed first, so that close() unlinks nothing; closed in this tick, so that only the child accepts.
  renameSync(staging, socketPath);
  server.close();
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const exited = new Promise<ProgramExit>((resolve) => {
    child.once('exit', (exitCode, signal) => {
      signalGroup(pid, 'SIGKILL'); // nothing that a worker started survives it
      resolve({ exitCode, signal });
    });
  });
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stop = async (): Promise<void> => {
    if (!isGone()) signalGroup(pid, 'SIGKILL');
    await exited;
  };
  const terminate = async (): Promise<number | null> => {
    if (!isGone()) signalGroup(pid, 'SIGTERM');
    return (await exited).exitCode;
  };
  return { pid, socketPath, exited, stop, terminate };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ESRCH') throw err;
  }
}

/** One request on a connection of its own. @returns everything that came on STDOUT before the end of the request */
export async function askWorker(
  socketPath: string,
  params: Readonly<Record<string, string>>,
  body = '',
): Promise<string> {
  const socket = connect(socketPath);
  const output: Buffer[] = [];
  const ends: number[] = [];
  const decoder = new RecordDecoder({
    record: (type, id, content) => {
      if (type === RecordType.STDOUT) output.push(Buffer.from(content));
      if (type !== RecordType.END_REQUEST) return;
      ends.push(id);
      socket.end();
    },
  });
  socket.on('data', (chunk) => decoder.push(chunk));
  const encoder = new RecordEncoder(socket);
  socket.write(
    encodeRequestHead(1, {
      role: Role.RESPONDER,
      flags: 0,
      params: new Map(Object.entries(params)),
      isBodiless: false,
    }),
  );
  encoder.stream(RecordType.STDIN, 1, Buffer.from(body));
  encoder.endStream(RecordType.STDIN, 1);
  await once(socket, 'close');
  if (ends.length !== 1) throw new Error('the worker did not end the request once');
  return Buffer.concat(output).toString('latin1');
}
