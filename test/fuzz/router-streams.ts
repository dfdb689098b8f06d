// What web servers and workers say to a whole router when nobody is wrong: the streams that its fuzzer starts from.
import { RecordType, Role } from '../../src/fcgi-protocol/index.js';
import { appParams } from '../support/router-rig.js';
import { begin, paramsRecords, record, stdin, TEXT, whole } from '../support/wire-stage.js';

/** Its socket is somebody else's, so that a broken answer costs no worker. */
export const STEADY = 'alice/blog' as const;
/** Its workers are retired and started anew, as they deserve. */
export const SPAWNED = 'bob/shop' as const;

const paramsFor = (app: string, method = 'GET'): Map<string, string> =>
  appParams(app, '/', { REQUEST_METHOD: method });

const data = (content = ''): Buffer => record(RecordType.DATA, 1, content);
const values = record(RecordType.GET_VALUES, 0, '\x0e\x00FCGI_MAX_CONNS');

const judged = (app: string): Buffer =>
  Buffer.concat([begin(1, Role.AUTHORIZER), paramsRecords(1, paramsFor(app))]);

const filtered = (app: string): Buffer => {
  const params = paramsFor(app).set('FCGI_DATA_LENGTH', '4').set('FCGI_DATA_LAST_MOD', '1');
  const head = [begin(1, Role.FILTER), paramsRecords(1, params)];
  return Buffer.concat([...head, stdin(1, 'x'), stdin(1), data('file'), data()]);
};

const interleaved = (app: string): Buffer =>
  Buffer.concat([
    ...[begin(1), begin(2), begin(3), paramsRecords(2, paramsFor(app))],
    ...[paramsRecords(1, paramsFor(app, 'POST')), stdin(2), stdin(1, 'a'), stdin(1)],
    ...[record(RecordType.ABORT_REQUEST, 3), whole(3, paramsFor(app)), values],
  ]);

/** One for each way of asking. */
export const frontStreams = (app: string): readonly Buffer[] => [
  whole(1, paramsFor(app)),
  whole(1, paramsFor(app, 'POST'), 'body'.repeat(50)),
  Buffer.concat([values, whole(3, paramsFor(app, 'HEAD'), '', 0)]),
  interleaved(app),
  Buffer.concat([whole(1, paramsFor(app, 'POST'), 'x'), whole(1, paramsFor(app))]),
  judged(app),
  filtered(app),
];

/** A refusal: no change of its bytes that keeps the number lets anybody in. */
const REFUSAL = `Status: 403 No\r\nVariable-X: y\r\n${TEXT}no`;

export const isRefusalChanged = (bytes: Buffer): boolean =>
  /status:\s*200/i.test(bytes.toString('latin1'));

/** What a worker may answer, by the role that it was asked in. */
export function answerOf(role: number, id: number, tag: string): Buffer {
  const out = (content = ''): Buffer => record(RecordType.STDOUT, id, content);
  const end = record(RecordType.END_REQUEST, id, Buffer.alloc(8));
  if (role === Role.AUTHORIZER) return Buffer.concat([out(REFUSAL), out(), end]);
  return Buffer.concat([
    out(`Status: 201 Made\r\nX-Tag: ${tag}\r\nContent-Length: ${8 + tag.length}\r\n${TEXT}`),
    ...(tag.endsWith('7') ? [record(RecordType.STDERR, id, 'a line\n', { padding: 3 })] : []),
    record(RecordType.STDOUT, id, `the body${tag}`, { padding: 255 }),
    ...[out(), end],
  ]);
}

/** Record headers and header lines, as latin1. */
export const DICTIONARY: readonly Buffer[] = [
  ...[begin(1), begin(2, 3, 0), begin(0), stdin(1), stdin(1, 'x'), data('x'), data(), values],
  ...[record(RecordType.PARAMS, 1), record(RecordType.ABORT_REQUEST, 1), record(42, 1, 'x')],
  ...[record(RecordType.STDOUT, 1), record(RecordType.STDOUT, 2, 'x'), record(42, 0)],
  ...[record(RecordType.END_REQUEST, 1, Buffer.alloc(8)), record(RecordType.STDERR, 1, 'x')],
  ...['\r\n', '\n\n', '\0', '\r', 'Status: 304\r\n', 'Status: 500 \r\n', 'HTTP/1.1 500 X\r\n'].map(
    (text) => Buffer.from(text, 'latin1'),
  ),
  ...['Content-Length: 3\r\n', 'Location: /x\r\n', 'Transfer-Encoding: chunked\r\n'].map((text) =>
    Buffer.from(text, 'latin1'),
  ),
];
