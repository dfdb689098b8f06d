// What becomes of the header block of a worker's answer.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UsherdError } from '../../../src/errors.js';
import { LIMITS } from '../../../src/limits.js';
import {
  headBlock,
  ResponseHeadParser,
  type ResponseHead,
} from '../../../src/router/response-head.js';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

function parse(text: string): ResponseHead {
  const parser = new ResponseHeadParser();
  assert.equal(parser.push(latin1(text)), true);
  return parser.head;
}
const blockOf = ({ lines, contentLength }: ResponseHead): string =>
  headBlock(lines, contentLength).toString('latin1');
const written = (text: string): string => blockOf(parse(text));

test('the longest head that is taken fits into one record, written anew', () => {
  const { responseHeadLinesMaxCount, responseHeadMaxBytes, recordContentMaxBytes } = LIMITS;
  const names = Array.from({ length: responseHeadLinesMaxCount }, (_, i) => `x${100 + i}:`);
  const lineBytes = Math.floor((responseHeadMaxBytes - 1) / responseHeadLinesMaxCount);
  const lines = names.map((name) => `${name}${'v'.repeat(lineBytes - name.length - 1)}\n`);
  const bytes = headBlock(parse(`${lines.join('')}\n`).lines, 999_999_999_999_999);
  assert.ok(bytes.length > responseHeadMaxBytes - responseHeadLinesMaxCount);
  // A front connection belongs to everybody: a head beyond one record would break the framing of all.
  assert.ok(bytes.length <= recordContentMaxBytes, `${bytes.length} bytes`);
});

const refuses = (text: string): void =>
  assert.throws(
    () => new ResponseHeadParser().push(latin1(text)),
    (err) => err instanceof UsherdError && err.code === 'E_WORKER_PROTOCOL',
  );

test('the head of php-cgi is passed on with a status', () => {
  assert.equal(
    written('X-Powered-By: PHP/8.2\r\nContent-type: text/html; charset=UTF-8\r\n\r\nbody'),
    'Status: 200 OK\r\nX-Powered-By: PHP/8.2\r\nContent-type: text/html; charset=UTF-8\r\n\r\n',
  );
});

test('what follows the blank line is the body', () => {
  const parser = new ResponseHeadParser();
  assert.equal(parser.push(latin1('A: b\n')), false);
  assert.equal(parser.push(latin1('\r')), false);
  assert.equal(parser.push(latin1('\nbody\n\n')), true);
  assert.equal(parser.rest.toString(), 'body\n\n');
});

describe('line ends', () => {
  for (const end of ['\n', '\r\n']) {
    test(`${JSON.stringify(end)} ends lines and the head`, () => {
      assert.equal(written(`A: b${end}C: d${end}${end}`), 'Status: 200 OK\r\nA: b\r\nC: d\r\n\r\n');
    });
  }
  test('both may be mixed', () => {
    assert.equal(written('A: b\nC: d\r\n\n'), 'Status: 200 OK\r\nA: b\r\nC: d\r\n\r\n');
  });
});

describe('what is no head', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['an empty first line', '\r\nbody'],
    ['an empty first line, LF only', '\nbody'],
    ['a line without a colon', 'A: b\nnonsense\n\n'],
    ['an empty name', ': b\n\n'],
    ['a blank before the colon', 'A : b\n\n'],
    ['a folded line', 'A: b\n c\n\n'],
    ['a line folded with TAB', 'A: b\n\tc\n\n'],
    ['a line that begins with a blank', ' A: b\n\n'],
    ['a name that is no token', 'A(: b\n\n'],
    ['a name above 127', '\xc3\xa4: b\n\n'],
    ['a NUL in a value', 'A: b\0c\n\n'],
    ['a bare CR in a value', 'A: b\rX: c\n\n'],
    ['two CR at the end', 'A: b\r\r\n\n'],
    ['an escape byte', 'A: \x1b[1m\n\n'],
    ['DEL', 'A: \x7f\n\n'],
    ['a bare CR in the status', 'Status: 200\rX: y\n\n'],
    ['a bare CR in an nph line', 'HTTP/1.1 200\rX: y\n\n'],
    ['two statuses', 'Status: 200 OK\nStatus: 200 OK\n\n'],
    ['an nph line and a status', 'HTTP/1.1 200 OK\nStatus: 200 OK\n\n'],
    ['an nph line that is not the first', 'A: b\nHTTP/1.1 200 OK\n\n'],
    ['two content lengths', 'Content-Length: 1\nContent-Length: 2\n\n'],
    ['HTML', '<html>\n\n'],
  ];
  for (const [what, text] of rows) test(`${what} is refused`, () => refuses(text));
  for (const status of [
    '99',
    '100',
    '101',
    '199',
    '600',
    '1000',
    '999999',
    '20',
    'abc',
    '200x',
    '',
    '+200',
    '2 00',
  ]) {
    test(`status ${JSON.stringify(status)} is refused`, () => refuses(`Status: ${status}\n\n`));
  }
  for (const length of ['', '-1', '+1', '1e3', '1, 1', 'x', '9'.repeat(16)]) {
    test(`content length ${JSON.stringify(length)} is refused`, () =>
      refuses(`Content-Length: ${length}\n\n`));
  }
  for (const line of [
    'HTTP/1.1 101 Switching',
    'HTTP/1.1 99',
    'HTTP/1.1',
    'HTTP/one 200 OK',
    'HTTP/1.1 2000',
  ]) {
    test(`${line} is refused`, () => refuses(`${line}\n\n`));
  }
});

describe('the status', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['Status: 404 Nope\n\n', 'Status: 404 Nope\r\n\r\n'],
    ['Status: 404\n\n', 'Status: 404 Not Found\r\n\r\n'],
    ['status:404\n\n', 'Status: 404 Not Found\r\n\r\n'],
    ['A: b\nStatus: 503\n\n', 'Status: 503 Service Unavailable\r\nA: b\r\n\r\n'],
    ['Status: 599\n\n', 'Status: 599 Unassigned\r\n\r\n'],
    ['Status: 200 \xdcber\n\n', 'Status: 200 \xdcber\r\n\r\n'],
    ['HTTP/1.1 202 Yo\nA: b\n\n', 'Status: 202 Yo\r\nA: b\r\n\r\n'],
    ['HTTP/1.0 404\n\n', 'Status: 404 Not Found\r\n\r\n'],
    ['Location: /x\n\n', 'Location: /x\r\nStatus: 302 Found\r\n\r\n'],
    ['Location: http://h/x\n\n', 'Location: http://h/x\r\nStatus: 302 Found\r\n\r\n'],
    ['Location:\n\n', 'Location: \r\nStatus: 200 OK\r\n\r\n'],
    ['Status: 201\nLocation: /x\n\n', 'Location: /x\r\nStatus: 201 Created\r\n\r\n'],
    ['Location: /x\nStatus: 200 OK\n\n', 'Location: /x\r\nStatus: 200 OK\r\n\r\n'],
  ];
  for (const [text, told] of rows) {
    test(`${JSON.stringify(text)} is told as it should be`, () =>
      assert.equal(written(text), told));
  }
  test('204 and 304 have no body and no content length', () => {
    for (const status of [204, 304]) {
      const head = parse(`Status: ${status}\nContent-Length: 5\n\n`);
      assert.equal(head.hasBody, false);
      assert.doesNotMatch(head.lines, /Content-Length/);
    }
    assert.equal(parse('Status: 200\n\n').hasBody, true);
  });
});

describe('headers', () => {
  test('that would steer the web server are struck and named (T84)', () => {
    const names = ['Transfer-Encoding', 'Connection', 'Keep-Alive', 'Upgrade', 'Trailer', 'TE'];
    names.push('Proxy-Authenticate', 'Proxy-Connection', 'X-Sendfile', 'X-Sendfile2');
    names.push('X-LIGHTTPD-send-file', 'X-Accel-Redirect', 'X-Accel-Buffering', 'X-Usherd-Reason');
    const head = parse(`${names.map((n) => `${n}: /etc/passwd\n`).join('')}A: b\n\n`);
    assert.equal(head.lines, 'Status: 200 OK\r\nA: b\r\n');
    assert.deepEqual(
      head.struck,
      names.map((n) => n.toLowerCase()),
    );
  });
  test('that only resemble them are kept', () => {
    assert.match(written('X-Send: a\nTEA: b\nProxyX: c\n\n'), /X-Send: a\r\nTEA: b\r\nProxyX: c/);
  });
  test('repeated Set-Cookie lines stay apart and in order', () => {
    assert.match(written('Set-Cookie: a\nSet-Cookie: b\n\n'), /Set-Cookie: a\r\nSet-Cookie: b\r\n/);
  });
  test('a Content-Type that is no media type is struck', () => {
    assert.equal(written('Content-Type: server-status\n\n'), 'Status: 200 OK\r\n\r\n');
  });
  test('bytes above 127 and TAB stay, blanks around a value go', () => {
    assert.match(written('A: \t \xe4\tb \t\n\n'), /\r\nA: \xe4\tb\r\n/);
  });
});

describe('Content-Length', () => {
  test('is told, and passed on once', () => {
    const head = parse('Content-Length: 12\nContent-Length: 12\nA: b\n\n');
    assert.equal(head.contentLength, 12);
    assert.equal(blockOf(head), 'Status: 200 OK\r\nA: b\r\nContent-Length: 12\r\n\r\n');
    assert.equal(headBlock(head.lines, undefined).toString(), 'Status: 200 OK\r\nA: b\r\n\r\n');
  });
  test('of a chunked answer is not believed', () => {
    const head = parse('Content-Length: 12\nTransfer-Encoding: chunked\n\n');
    assert.equal(head.contentLength, undefined);
  });
});

describe('limits', () => {
  const line = (bytes: number): string => `A: ${'x'.repeat(bytes - 3)}\r\n`;
  test('a line at the limit passes, one byte more does not', () => {
    parse(`${line(LIMITS.responseHeadLineMaxBytes)}\r\n`);
    refuses(`${line(LIMITS.responseHeadLineMaxBytes + 1)}\r\n`);
  });
  test('lines at the limit pass, one line more does not', () => {
    parse(`${'A: b\n'.repeat(LIMITS.responseHeadLinesMaxCount)}\n`);
    refuses(`${'A: b\n'.repeat(LIMITS.responseHeadLinesMaxCount + 1)}\n`);
  });
  test('a block at the limit passes, one byte more does not', () => {
    const full = line(8_000).repeat(4);
    const rest = LIMITS.responseHeadMaxBytes - full.length - 2;
    parse(`${full}${line(rest - 2)}\r\n`);
    refuses(`${full}${line(rest - 1)}\r\n`);
  });
  test('a line without an end is refused as soon as it is too long, in any chunking (T83)', () => {
    const parser = new ResponseHeadParser();
    let takenBytes = 0;
    assert.throws(() => {
      for (;;) {
        parser.push(Buffer.from('x'));
        takenBytes += 1;
      }
    });
    assert.ok(takenBytes <= LIMITS.responseHeadLineMaxBytes + 2);
  });
});

test('the head of an unfinished answer is a mistake of the caller', () => {
  const parser = new ResponseHeadParser();
  parser.push(latin1('A: b\n'));
  assert.throws(() => parser.head, { code: 'ERR_ASSERTION' });
});
