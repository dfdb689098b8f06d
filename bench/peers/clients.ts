// Clients that a load generator does not have: slow ones, one request timed, a body of 100 MB, events.
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Peer } from './peer.js';
import type { BenchUser } from './site.js';

export interface Answer {
  readonly status: number;
  readonly bytes: number;
  readonly ms: number;
}

interface Ask {
  readonly path: string;
  /** Bytes of the body; a POST if there are any. */
  readonly bodyBytes?: number;
  readonly onData?: (chunk: Buffer) => void;
}

const PART = Buffer.alloc(65_536, 'u');

/** One request on a connection of its own, timed from the connect to the last byte. */
export function ask(peer: Peer, user: BenchUser, what: Ask): Promise<Answer> {
  const { path, bodyBytes = 0, onData } = what;
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        ...{ host: '127.0.0.1', port: peer.port, path, agent: false },
        method: bodyBytes > 0 ? 'POST' : 'GET',
        headers: {
          Host: user.host,
          ...(bodyBytes > 0 && {
            'Content-Length': bodyBytes,
            'Content-Type': 'application/octet-stream',
          }),
        },
      },
      (answer) => {
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          onData?.(chunk);
        });
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, bytes, ms: performance.now() - startMs }),
        );
      },
    );
    request.on('error', reject);
    let left = bodyBytes;
    const write = (): void => {
      while (left > 0) {
        const part = left >= PART.length ? PART : PART.subarray(0, left);
        left -= part.length;
        if (!request.write(part)) {
          request.once('drain', write);
          return;
        }
      }
      request.end();
    };
    write();
  });
}

const slowly = (peer: Peer, head: string): Socket => {
  const socket = connect(peer.port, '127.0.0.1');
  socket.on('error', () => undefined); // it is cut at the end, on purpose
  socket.write(head);
  return socket;
};

/** Clients that send 10 kB/s of a large body each, until the returned function is called. */
export function slowUploads(peer: Peer, user: BenchUser, count: number): () => void {
  const head = `POST /upload.php HTTP/1.1\r\nHost: ${user.host}\r\nContent-Type: text/plain\r\nContent-Length: 10000000\r\n\r\n`;
  const sockets = Array.from({ length: count }, () => slowly(peer, head));
  const timer = setInterval(() => {
    for (const socket of sockets) socket.write(PART.subarray(0, 1_000));
  }, 100);
  return () => {
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
  };
}

/** Clients that ask for 20 MB each and read about 100 kB/s of it, until the returned function is called. */
export function slowDownloads(peer: Peer, user: BenchUser, count: number): () => void {
  const head = `GET /download.php?kib=20480 HTTP/1.1\r\nHost: ${user.host}\r\n\r\n`;
  const sockets = Array.from({ length: count }, () => slowly(peer, head).pause());
  const timer = setInterval(() => {
    for (const socket of sockets) socket.read(10_000);
  }, 100);
  return () => {
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
  };
}

/** Milliseconds from each event's sending to its arrival. */
export async function eventDelaysMs(peer: Peer, user: BenchUser): Promise<readonly number[]> {
  const delays: number[] = [];
  const onData = (chunk: Buffer): void => {
    const nowNs = process.hrtime.bigint();
    for (const [, sentNs = '0'] of chunk.toString('latin1').matchAll(/^data: (\d+)$/gm)) {
      delays.push(Number(nowNs - BigInt(sentNs)) / 1e6);
    }
  };
  await ask(peer, user, { path: '/events.php', onData });
  return delays;
}
