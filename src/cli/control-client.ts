// Asks the running supervisor over its control socket: one line of JSON there, one back, within a bound and a deadline.
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Config } from '../config/index.js';
import { isErrorCode, UsherdError, type Finding } from '../errors.js';
import { LIMITS } from '../limits.js';

/** A status of every application of a large machine; a supervisor never says more. */
const ANSWER_MAX_BYTES = 64 * 1024 * 1024;
/** The supervisor's own deadline and the router's report come first. */
const ANSWER_DEADLINE_MS = LIMITS.controlDeadlineMs + 2 * LIMITS.reportDeadlineMs;

type AppCommand = 'start' | 'restart' | 'stop' | 'reset';

export type ControlRequest =
  | { readonly command: 'ping' | 'status' | 'requests' | 'reload' }
  | { readonly command: 'describe' | AppCommand; readonly app: string }
  | { readonly command: 'suspend' | 'resume'; readonly user: string };

export type Answer = Readonly<Record<string, unknown>>;

/** A result, and what the supervisor says with every one. */
export interface WholeAnswer {
  readonly result: Answer;
  /** When it read the configuration that is in force; 0 of a version that does not say. */
  readonly configReadAtMs: number;
}

export const controlSocketIn = (runDirectory: string): string => join(runDirectory, 'control.sock');
export const controlSocketOf = ({ paths }: Config): string => controlSocketIn(paths.run);

/**
 * Sends one request and returns the result that the answer holds.
 * @throws UsherdError E_CONTROL if nobody answers, the answer is no answer, or it is a refusal
 */
export async function askSupervisor(
  socketPath: string,
  request: ControlRequest,
  deadlineMs: number = ANSWER_DEADLINE_MS,
): Promise<Answer> {
  return (await askInWhole(socketPath, request, deadlineMs)).result;
}

/** @throws UsherdError as askSupervisor() does */
export async function askInWhole(
  socketPath: string,
  request: ControlRequest,
  deadlineMs: number = ANSWER_DEADLINE_MS,
): Promise<WholeAnswer> {
  const line = await exchange(socketPath, `${JSON.stringify(request)}\n`, deadlineMs);
  const answer = parseAnswer(line);
  if (answer['ok'] !== true) throw refusalFrom(answer);
  const { result, configReadAtMs } = answer;
  return {
    result: isTable(result) ? result : {},
    configReadAtMs: typeof configReadAtMs === 'number' ? configReadAtMs : 0,
  };
}

function exchange(socketPath: string, line: string, deadlineMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const fail = (detail: string, cause?: unknown): void => {
      socket.destroy();
      reject(new UsherdError('E_CONTROL', detail, { cause }));
    };
    const deadline = setTimeout(() => {
      const isLong = deadlineMs >= ANSWER_DEADLINE_MS;
      const why = isLong
        ? ': the supervisor hangs, or the machine does; systemctl restart usherd'
        : '';
      fail(`no answer within ${Math.ceil(deadlineMs)} ms on ${socketPath}${why}`);
    }, deadlineMs);
    socket.once('close', () => clearTimeout(deadline));
    socket.once('error', (err) => fail(connectProblem(err, socketPath), err));
    socket.once('connect', () => socket.write(line));
    collectLine(socket, { resolve, fail });
  });
}

interface Outcome {
  readonly resolve: (line: string) => void;
  readonly fail: (detail: string) => void;
}

/** Everything up to the first line end, or to the end of the connection. */
function collectLine(socket: Socket, { resolve, fail }: Outcome): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = (): void => {
    const [line = ''] = Buffer.concat(chunks).toString('utf8').split('\n', 1);
    if (line === '') fail('the supervisor closed the connection without an answer');
    else resolve(line);
    socket.destroy();
  };
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > ANSWER_MAX_BYTES) fail(`an answer of more than ${ANSWER_MAX_BYTES} bytes`);
    else if (chunk.includes('\n')) finish();
  });
  socket.once('end', finish);
}

function connectProblem(err: Error, socketPath: string): string {
  const code = 'code' in err ? String(err.code) : err.message;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return `usherd is not running, or has another run directory (nobody listens on ${socketPath})`;
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return (
      `only root may use ${socketPath}; the owner of an application restarts it with ` +
      '`touch tmp/restart.txt` in its directory, and reads its log with `usherd logs APP`'
    );
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return `the supervisor closed ${socketPath} without an answer: it is ending, or asked too much at once; try again`;
  }
  return `${socketPath}: ${code}`;
}

function parseAnswer(line: string): Answer {
  try {
    const answer: unknown = JSON.parse(line);
    if (isTable(answer)) return answer;
  } catch {
    // Said below.
  }
  throw new UsherdError('E_CONTROL', 'the supervisor did not answer in JSON');
}

const isTable = (value: unknown): value is Answer => typeof value === 'object' && value !== null;

/** The supervisor's own error, with its findings: a reload says where the configuration is wrong. */
function refusalFrom({ code, detail, findings }: Answer): UsherdError {
  const text = typeof detail === 'string' ? detail : 'the supervisor refused';
  return new UsherdError(isErrorCode(code) ? code : 'E_CONTROL', text, {
    findings: Array.isArray(findings) ? findings.filter(isFinding) : [],
  });
}

const FINDING_TEXTS = ['rule', 'found', 'expected', 'remedy'] as const;

const isFinding = (value: unknown): value is Finding =>
  isTable(value) && FINDING_TEXTS.every((key) => typeof value[key] === 'string');
