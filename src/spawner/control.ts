// control.sock: the admin's commands, one line each way. The file mode is the authentication; everything is bounded.
import type { Socket } from 'node:net';
import { isUsherdError, UsherdError } from '../errors.js';
import { controlRequest, type ControlAnswer, type ControlRequest } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { Log } from './log-face.js';

export interface ControlOptions {
  readonly answer: (request: ControlRequest) => object | Promise<object>;
  /** When the configuration that is in force was read. */
  readonly configReadAtMs: () => number;
  readonly log: Log;
}

const NEWLINE = 0x0a;

/** Serves so many connections at once as may be; who comes beyond that is told so, and not just left standing. */
export function controlDoor(options: ControlOptions): (socket: Socket) => void {
  let openCount = 0;
  return (socket) => {
    openCount += 1;
    socket.once('close', () => (openCount -= 1));
    if (openCount <= LIMITS.controlConnectionsMaxCount) serveControl(socket, options);
    else turnAway(socket);
  };
}

function turnAway(socket: Socket): void {
  const deadline = setTimeout(() => socket.destroy(), LIMITS.controlDeadlineMs);
  socket.on('error', () => undefined);
  socket.on('close', () => clearTimeout(deadline));
  socket.resume();
  const busy = new UsherdError('E_CONTROL', 'too many commands at once; try again');
  socket.end(`${JSON.stringify(failure(busy))}\n`);
}

/** Serves one connection: a request line, an answer line, the end. */
function serveControl(socket: Socket, options: ControlOptions): void {
  const deadline = setTimeout(() => socket.destroy(), LIMITS.controlDeadlineMs);
  const pieces: Buffer[] = [];
  let receivedBytes = 0;
  socket.on('error', () => undefined); // who asks may leave at any time
  socket.on('close', () => clearTimeout(deadline));
  socket.on('data', function collect(chunk: Buffer) {
    const end = chunk.indexOf(NEWLINE);
    const piece = end < 0 ? chunk : chunk.subarray(0, end);
    receivedBytes += piece.length;
    if (receivedBytes <= LIMITS.controlRequestMaxBytes) pieces.push(piece);
    const isTooLong = receivedBytes > LIMITS.controlRequestMaxBytes;
    if (end < 0 && !isTooLong) return;
    socket.off('data', collect);
    socket.pause(); // one request a connection
    const line = isTooLong ? undefined : Buffer.concat(pieces);
    void reply(line, options).then((text) => {
      deadline.refresh(); // for a reader that takes its time, but not for ever
      socket.end(text);
      socket.resume(); // an end that is never read would keep the connection
    });
  });
}

async function reply(
  line: Buffer | undefined,
  { answer, configReadAtMs, log }: ControlOptions,
): Promise<string> {
  let result: ControlAnswer;
  try {
    const request = parse(line);
    const given = await answer(request);
    result = { ok: true, result: given, configReadAtMs: configReadAtMs() };
  } catch (err) {
    result = failure(err);
    if (!isUsherdError(err)) log.error({ err }, 'control command failed');
  }
  return `${JSON.stringify(result)}\n`;
}

/** @throws E_CONTROL */
function parse(line: Buffer | undefined): ControlRequest {
  if (line === undefined) throw new UsherdError('E_CONTROL', 'the request is too long');
  let json: unknown;
  try {
    json = JSON.parse(line.toString('utf8'));
  } catch (cause) {
    throw new UsherdError('E_CONTROL', 'the request is not JSON', { cause });
  }
  const parsed = controlRequest.safeParse(json);
  if (!parsed.success) throw new UsherdError('E_CONTROL', 'there is no such command');
  return parsed.data;
}

const failure = (err: unknown): ControlAnswer =>
  isUsherdError(err)
    ? { ok: false, code: err.code, detail: err.message, findings: err.findings }
    : { ok: false, code: 'E_CONTROL', detail: 'the command failed; see the log', findings: [] };
