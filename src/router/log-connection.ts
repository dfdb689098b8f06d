// One worker's stdout and stderr: a label that the supervisor wrote, then the bytes of a tenant, read no faster than the rate.
import type { Socket } from 'node:net';
import { APP_ID } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { LogOrigin, LogStore } from './log-store.js';
import { LogLines } from './log-text.js';

const LF = 0x0a;

export interface LogLabel {
  readonly worker: string;
  readonly app: string;
  readonly runtime: string;
}

const SHAPE: Readonly<Record<keyof LogLabel, RegExp>> = {
  worker: /^[0-9a-f]{16}$/,
  app: APP_ID,
  runtime: /^(?:[a-z][a-z0-9_-]{0,31})?$/, // '' where the request named no script, as in `need`
};

/** The label line without its end; undefined if it has any other shape. */
function parseLogLabel(line: Buffer): LogLabel | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(json));
  const part = (name: keyof LogLabel): string | undefined => {
    const value = fields.get(name);
    return typeof value === 'string' && SHAPE[name].test(value) ? value : undefined;
  };
  const [worker, app, runtime] = [part('worker'), part('app'), part('runtime')];
  if (fields.size !== 3 || worker === undefined || app === undefined) return undefined;
  return runtime === undefined ? undefined : { worker, app, runtime };
}

export interface LogConnectionParts {
  readonly store: LogStore;
  readonly identify: (worker: string) => Pick<LogOrigin, 'pid' | 'request'>;
  readonly onRefused: () => void;
}

export class LogConnection {
  readonly #socket: Socket;
  readonly #parts: LogConnectionParts;
  readonly #deadline: NodeJS.Timeout;
  readonly #lines = new LogLines((line, isContinued) => this.#addLine(line, isContinued));
  #labelBytes: Buffer = Buffer.alloc(0);
  #label: LogLabel | undefined;
  #resumeTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, parts: LogConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#deadline = setTimeout(() => this.#refuse(), LIMITS.logLabelDeadlineMs);
    socket.on('data', (chunk: Buffer) => this.#onBytes(chunk));
    // An error is followed by close, and there is nobody to tell: the worker is gone.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#onClosed());
  }

  #onBytes(chunk: Buffer): void {
    if (this.#label === undefined) {
      this.#readLabel(chunk);
      return;
    }
    if (chunk.length === 0) return;
    if (this.#parts.store.admit(this.#label.app, chunk.length)) {
      this.#lines.push(chunk);
      return;
    }
    this.#lines.skip();
    this.#socket.pause();
    this.#resumeTimer = setTimeout(() => this.#socket.resume(), LIMITS.logPauseMs);
  }

  #readLabel(chunk: Buffer): void {
    const newline = chunk.indexOf(LF);
    const end = newline === -1 ? chunk.length : newline;
    if (this.#labelBytes.length + end > LIMITS.logLabelMaxBytes) {
      this.#refuse();
      return;
    }
    this.#labelBytes = Buffer.concat([this.#labelBytes, chunk.subarray(0, end)]);
    if (newline === -1) return;
    clearTimeout(this.#deadline);
    this.#label = parseLogLabel(this.#labelBytes);
    if (this.#label === undefined) this.#refuse();
    else this.#onBytes(chunk.subarray(newline + 1));
  }

  #addLine(line: Buffer, isContinued: boolean): void {
    if (this.#label === undefined) return;
    const { app, worker } = this.#label;
    const { store, identify } = this.#parts;
    store.addLine(app, { ...identify(worker), stream: isContinued ? 'output+' : 'output' }, line);
  }

  #refuse(): void {
    this.#parts.onRefused();
    this.#socket.destroy();
  }

  #onClosed(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#resumeTimer);
    this.#lines.end();
    if (this.#label !== undefined) this.#parts.store.settle(this.#label.app);
  }
}
