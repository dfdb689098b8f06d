// A worker of many modes, chosen by `mode=` in the query string: every way in which an answer can be right or wrong.
import {
  encodeRecordHeader,
  ProtocolStatus,
  RecordType,
} from '../../../src/fcgi-protocol/index.js';
import type { FakeWorkerOptions, WorkerRequest } from '../fake-worker.js';

/** What a whole answer contains: the first thing in the body, or all of it. */
export const WHOLE = 'whole answer';
const HEAD = 'Content-Type: text/plain\r\n\r\n';

type Mode = (request: WorkerRequest, query: URLSearchParams) => void;

const out = ({ id, encoder }: WorkerRequest, text: string): void => {
  encoder.stream(RecordType.STDOUT, id, Buffer.from(text, 'latin1'));
};
const say = ({ id, encoder }: WorkerRequest, text: string): void => {
  encoder.stream(RecordType.STDERR, id, Buffer.from(text, 'latin1'));
};
const finish = (
  request: WorkerRequest,
  protocolStatus: number = ProtocolStatus.REQUEST_COMPLETE,
): void => {
  request.encoder.endStream(RecordType.STDOUT, request.id);
  request.encoder.endRequest(request.id, 0, protocolStatus);
};
const whole = (request: WorkerRequest): void => out(request, `${HEAD}${WHOLE}`);

/** STDOUT in a record of any header fields. */
function forged(fields: { version?: number; type?: number; id: number; text: string }): Buffer {
  const content = Buffer.from(fields.text, 'latin1');
  const record = Buffer.concat([
    encodeRecordHeader(fields.type ?? RecordType.STDOUT, fields.id, content.length),
    content,
  ]);
  record.writeUInt8(fields.version ?? 1, 0);
  return record;
}

/** Records of one byte of content and 255 of padding. */
function bytewise(id: number, text: string): Buffer {
  const records = [...Buffer.from(text, 'latin1')].map((byte) => {
    const record = Buffer.alloc(8 + 1 + 255, 0xaa);
    encodeRecordHeader(RecordType.STDOUT, id, 1).copy(record);
    record.writeUInt8(255, 6);
    record.writeUInt8(byte, 8);
    return record;
  });
  return Buffer.concat(records);
}

/** Calls `step` again and again until it says that it is over or nobody listens any more. */
function every(intervalMs: number, request: WorkerRequest, step: (count: number) => boolean): void {
  let count = 0;
  const timer = setInterval(() => {
    if (request.socket.destroyed || !step(count)) clearInterval(timer);
    count += 1;
  }, intervalMs);
}

/** In another turn, so that what was sent before has been passed on. */
const later = (request: WorkerRequest, step: () => unknown): void =>
  every(20, request, () => step() === undefined);

const number = (query: URLSearchParams, name: string): number => Number(query.get(name) ?? '0');

const MODES: Readonly<Record<string, Mode>> = {
  // --- whole answers, however told ---
  params: (request) =>
    request.reply(
      `Content-Type: application/json\r\n\r\n${JSON.stringify(Object.fromEntries(request.params))}`,
    ),
  whole: (request) => request.reply(`${HEAD}${WHOLE}`),
  'no-empty-stdout': (request) => {
    whole(request);
    request.encoder.endRequest(request.id, 0, ProtocolStatus.REQUEST_COMPLETE);
  },
  'app-status': (request) => {
    whole(request);
    request.encoder.endStream(RecordType.STDOUT, request.id);
    request.encoder.endRequest(request.id, 7, ProtocolStatus.REQUEST_COMPLETE);
  },
  'whole-then-overloaded': (request) => {
    whole(request);
    finish(request, ProtocolStatus.OVERLOADED);
  },
  'stderr-before': (request) => {
    say(request, 'before\n');
    whole(request);
    finish(request);
  },
  'stderr-in-head': (request) => {
    out(request, 'Content-Type: text/');
    say(request, 'in the head');
    out(request, `plain\r\n\r\n${WHOLE}`);
    finish(request);
  },
  'stderr-between': (request) => {
    out(request, HEAD);
    say(request, 'x'.repeat(65_535));
    out(request, WHOLE);
    finish(request);
  },
  'stderr-after': (request) => {
    whole(request);
    say(request, 'after\n');
    finish(request);
  },
  bytewise: (request) => {
    request.socket.write(bytewise(request.id, `${HEAD}${WHOLE}`));
    finish(request);
  },
  'byte-by-byte': (request) => {
    const text = `${HEAD}${WHOLE}`;
    every(1, request, (count) => {
      if (count < text.length) out(request, text.charAt(count));
      else finish(request);
      return count < text.length;
    });
  },
  drip: (request) => {
    const text = `${HEAD}${WHOLE}`;
    every(10, request, (count) => {
      out(request, text.slice(count * 8, count * 8 + 8));
      if (count * 8 < text.length) return true;
      finish(request);
      return false;
    });
  },
  'empty-stdout-then-close': (request) => {
    whole(request);
    request.encoder.endStream(RecordType.STDOUT, request.id);
    request.socket.end();
  },
  'output-after-end': (request) => {
    whole(request);
    finish(request);
    out(request, 'TOO LATE');
  },
  'two-ends': (request) => {
    whole(request);
    finish(request);
    request.encoder.endRequest(request.id, 0, ProtocolStatus.REQUEST_COMPLETE);
  },

  // --- no answer, or none that is one ---
  'end-only': (request) =>
    request.encoder.endRequest(request.id, 0, ProtocolStatus.REQUEST_COMPLETE),
  'end-app-status': (request) =>
    request.encoder.endRequest(request.id, 1, ProtocolStatus.REQUEST_COMPLETE),
  'end-overloaded': (request) =>
    request.encoder.endRequest(request.id, 0, ProtocolStatus.OVERLOADED),
  'end-cant-mpx': (request) =>
    request.encoder.endRequest(request.id, 0, ProtocolStatus.CANT_MPX_CONN),
  'end-unknown-role': (request) =>
    request.encoder.endRequest(request.id, 0, ProtocolStatus.UNKNOWN_ROLE),
  'empty-stdout-only': (request) => finish(request),
  'stderr-only': (request) => {
    say(request, 'nothing but this\n');
    finish(request);
  },
  'close-at-once': (request) => request.socket.end(),
  'close-after-stderr': (request) => {
    say(request, 'last words\n');
    request.socket.end();
  },
  'close-in-head': (request) => {
    out(request, 'Content-Type: text/');
    request.socket.end();
  },
  'end-in-head': (request) => {
    out(request, 'Content-Type: text/');
    finish(request);
  },
  'foreign-id': (request) => {
    request.socket.write(forged({ id: request.id + 1, text: `${HEAD}FOREIGN` }));
    finish(request);
  },
  'id-zero': (request) => {
    request.socket.write(forged({ id: 0, text: `${HEAD}FOREIGN` }));
    finish(request);
  },
  'unknown-type': (request) => {
    request.socket.write(forged({ type: 42, id: request.id, text: 'what is this' }));
    finish(request);
  },
  'values-unasked': (request) => {
    request.encoder.getValuesResult(new Map([['FCGI_MPXS_CONNS', '1']]));
    finish(request);
  },
  'unknown-type-zero': (request) => {
    request.encoder.unknownType(9);
    finish(request);
  },
  'version-2': (request) => {
    request.socket.write(forged({ version: 2, id: request.id, text: `${HEAD}${WHOLE}` }));
    finish(request);
  },
  hang: () => undefined,
  'read-nothing': (request) => void request.socket.pause(),

  // --- half an answer ---
  'close-in-body': (request) => {
    out(request, `${HEAD}half an answer`);
    later(request, () => request.socket.end());
  },
  'close-in-body-with-length': (request) => {
    out(request, `Content-Length: 1000\r\n${HEAD}half an answer`);
    later(request, () => request.socket.end());
  },
  'end-in-body-with-length': (request) => {
    out(request, `Content-Length: 1000\r\n${HEAD}half an answer`);
    finish(request);
  },
  'foreign-id-in-body': (request) => {
    out(request, `${HEAD}half an answer`);
    later(request, () => request.socket.write(forged({ id: request.id + 1, text: 'FOREIGN' })));
  },
  'hang-in-body': (request) => out(request, `${HEAD}half an answer`),
  'output-after-empty': (request) => {
    whole(request);
    request.encoder.endStream(RecordType.STDOUT, request.id);
    out(request, 'TOO LATE');
    request.encoder.endRequest(request.id, 0, ProtocolStatus.REQUEST_COMPLETE);
  },

  // --- as the query says ---
  // In base64url, because lighttpd lets no escaped control byte pass.
  raw: (request, query) =>
    request.reply(Buffer.from(query.get('text') ?? '', 'base64url').toString('latin1')),
  line: (request, query) =>
    request.reply(`X-Long: ${'l'.repeat(number(query, 'bytes') - 8)}\r\n${HEAD}${WHOLE}`),
  headers: (request, query) => {
    const lines = Array.from({ length: number(query, 'count') - 1 }, (_, i) => `X-H${i}: ${i}\r\n`);
    request.reply(`${lines.join('')}${HEAD}${WHOLE}`);
  },
  bytes: (request, query) => request.reply(`${HEAD}${'b'.repeat(number(query, 'count'))}`),
  tag: (request, query) =>
    request.reply(
      `${HEAD}${`${request.params.get('SCRIPT_NAME') ?? ''}|${query.get('tag') ?? ''}|`.repeat(200)}`,
    ),
};

/** Modes that answer before the body has come. */
const AT_HEAD: Readonly<Record<string, Mode>> = {
  'close-unread': (request) => void request.socket.destroy(),
};

const queryOf = (request: WorkerRequest): URLSearchParams =>
  new URLSearchParams(request.params.get('QUERY_STRING') ?? '');

/** Without a mode it answers with the params that it got. */
export const RESPONDER: FakeWorkerOptions = {
  onHead: (request) => {
    const query = queryOf(request);
    AT_HEAD[query.get('mode') ?? '']?.(request, query);
  },
  onRequest: (request) => {
    const query = queryOf(request);
    const mode = query.get('mode') ?? 'params';
    if (!(mode in AT_HEAD)) (MODES[mode] ?? unknownMode)(request, query);
  },
};

const unknownMode: Mode = (request) => request.reply('Status: 599 no such mode\r\n\r\n');
