// Starts a program as usherd starts workers: a blocking listening socket on descriptor 0, and asks it over FastCGI.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import {
  encodeRequestHead,
  RecordDecoder,
  RecordEncoder,
  RecordType,
  Role,
} from '../../src/fcgi-protocol/index.js';

export interface Fd0Worker {
  readonly pid: number;
  readonly socketPath: string;
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
  const staging = join(directory, `${name}.tmp`);
  const socketPath = join(directory, `${name}.sock`);
  const server = createServer().listen(staging);
  await once(server, 'listening');
  const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const [file = '', ...args] = argv;
  const child: ChildProcess = spawn(file, args, {
    stdio: [fd, 'inherit', 'inherit'],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    cwd: directory,
  });
  // Renamed first, so that close() unlinks nothing; closed in this tick, so that only the child accepts.
  renameSync(staging, socketPath);
  server.close();
  await once(child, 'spawn');
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const terminate = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child.exitCode;
  };
  return { pid: child.pid ?? 0, socketPath, stop, terminate };
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
