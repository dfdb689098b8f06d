// Asks a router whether it serves: a management record on a front socket, which it answers itself and no worker sees.
import { connect } from 'node:net';
import { UsherdError } from '../errors.js';
import {
  NULL_REQUEST_ID,
  RecordDecoder,
  RecordType,
  encodeRecordHeader,
} from '../fcgi-protocol/index.js';

/** FastCGI 1.0 §4.1: GET_VALUES that asks for nothing. */
const QUESTION = encodeRecordHeader(RecordType.GET_VALUES, NULL_REQUEST_ID, 0);

/**
 * A socket that a service manager keeps open accepts without a router behind it: only the answer counts.
 * @throws UsherdError E_CONTROL
 */
export function askRouter(socketPath: string, deadlineMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const deadline = setTimeout(
      () => fail(`no answer within ${Math.round(deadlineMs)} ms`),
      deadlineMs,
    );
    const fail = (detail: string, cause?: unknown): void => {
      socket.destroy();
      reject(new UsherdError('E_CONTROL', `${socketPath}: ${detail}`, { cause }));
    };
    const decoder = new RecordDecoder({
      record(type) {
        if (type !== RecordType.GET_VALUES_RESULT) {
          fail(`a record of type ${type} instead of an answer`);
          return;
        }
        socket.destroy();
        resolve();
      },
    });
    socket.once('connect', () => socket.write(QUESTION));
    socket.once('error', (err: NodeJS.ErrnoException) => fail(connectProblem(err), err));
    socket.once('end', () => fail('closed without an answer'));
    socket.once('close', () => clearTimeout(deadline));
    socket.on('data', (chunk) => {
      try {
        decoder.push(chunk);
      } catch (err) {
        fail('no FastCGI', err);
      }
    });
  });
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'nobody listens there',
  EACCES: 'not for this account',
};

function connectProblem({ code = '', message }: NodeJS.ErrnoException): string {
  const known = PROBLEMS[code];
  return known === undefined ? message : `${known} (${code})`;
}
