// The message flows of FastCGI 1.0 appendix B, as bytes written by hand from the specification.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';

import {
  decodeBeginRequest,
  decodeEndRequest,
  Flag,
  ParamsDecoder,
  ProtocolStatus,
  RecordDecoder,
  RecordEncoder,
  RecordType,
  Role,
} from '../../src/fcgi-protocol/index.js';
import { bytes, chunksOf } from '../support/bytes.js';
import { WriteLog } from '../support/record-log.js';

const BEGIN_1 = bytes`01 01 0001 0008 00 00  0001 00 0000000000`;
const PARAMS_1 = bytes`01 04 0001 002a 00 00  0b 02 ${'SERVER_PORT80'} 0b 0e ${'SERVER_ADDR199.170.183.42'}`;
const END_OF_PARAMS_1 = bytes`01 04 0001 0000 00 00`;
const END_OF_STDIN_1 = bytes`01 05 0001 0000 00 00`;
const STDOUT_1 = bytes`01 06 0001 002d 00 00  ${'Content-type: text/html\r\n\r\n<html>\n<head> ... '}`;
const END_OF_STDOUT_1 = bytes`01 06 0001 0000 00 00`;
const END_1 = bytes`01 03 0001 0008 00 00  00000000 00 000000`;

const PARAMS = new Map([
  ['SERVER_PORT', '80'],
  ['SERVER_ADDR', '199.170.183.42'],
]);
const PAGE = 'Content-type: text/html\r\n\r\n<html>\n<head> ... ';

/** Tells a flow the way appendix B prints it. */
function tell(flow: readonly Buffer[], chunkBytes: number): string[] {
  const lines: string[] = [];
  const params = new Map<number, ParamsDecoder>();
  const decoder = new RecordDecoder({
    record: (type, id, content) => {
      const say = (what: unknown): void => void lines.push(`${type} ${id} ${JSON.stringify(what)}`);
      if (type === RecordType.BEGIN_REQUEST) {
        params.set(id, new ParamsDecoder());
        say(decodeBeginRequest(content));
      } else if (type === RecordType.END_REQUEST) {
        say(decodeEndRequest(content));
      } else if (type === RecordType.PARAMS && content.length > 0) {
        params.get(id)?.push(content);
      } else if (type === RecordType.PARAMS) {
        say([...(params.get(id)?.end() ?? [])]);
      } else {
        say(content.toString('latin1'));
      }
    },
  });
  for (const chunk of chunksOf(Buffer.concat(flow), chunkBytes)) decoder.push(chunk);
  return lines;
}

function assertTold(flow: readonly Buffer[], expected: readonly string[]): void {
  for (const chunkBytes of [1, 2, 7, 8, 9, 64, 100_000]) {
    assert.deepEqual(tell(flow, chunkBytes), expected);
  }
}

const TOLD_BEGIN = '1 1 {"role":1,"flags":0}';
const TOLD_PARAMS = `4 1 ${JSON.stringify([...PARAMS])}`;
const TOLD_END = '3 1 {"appStatus":0,"protocolStatus":0}';

describe('appendix B', () => {
  test('example 1: a request without data on stdin, answered well', () => {
    const request = [BEGIN_1, PARAMS_1, END_OF_PARAMS_1, END_OF_STDIN_1];
    const answer = [STDOUT_1, END_OF_STDOUT_1, END_1];
    assertTold(
      [...request, ...answer],
      [TOLD_BEGIN, TOLD_PARAMS, '5 1 ""', `6 1 ${JSON.stringify(PAGE)}`, '6 1 ""', TOLD_END],
    );
  });

  test('example 1 comes out of the encoder byte for byte', () => {
    const log = new WriteLog();
    const encoder = new RecordEncoder(log);
    encoder.beginRequest(1, Role.RESPONDER, 0);
    encoder.params(1, PARAMS);
    encoder.endStream(RecordType.STDIN, 1);
    encoder.stream(RecordType.STDOUT, 1, Buffer.from(PAGE));
    encoder.endStream(RecordType.STDOUT, 1);
    encoder.endRequest(1, 0, ProtocolStatus.REQUEST_COMPLETE);
    const request = [BEGIN_1, PARAMS_1, END_OF_PARAMS_1, END_OF_STDIN_1];
    const answer = [STDOUT_1, END_OF_STDOUT_1, END_1];
    assert.deepEqual(log.bytes, Buffer.concat([...request, ...answer]));
  });

  test('example 2: a pair split over two PARAMS records, and data on stdin', () => {
    const flow = [
      BEGIN_1,
      bytes`01 04 0001 0014 00 00  0b 02 ${'SERVER_PORT80'} 0b 0e ${'SER'}`,
      bytes`01 04 0001 0016 00 00  ${'VER_ADDR199.170.183.42'}`,
      END_OF_PARAMS_1,
      bytes`01 05 0001 0019 00 00  ${'quantity=100&item=3047936'}`,
      END_OF_STDIN_1,
      STDOUT_1,
      END_OF_STDOUT_1,
      END_1,
    ];
    assertTold(flow, [
      TOLD_BEGIN,
      TOLD_PARAMS,
      '5 1 "quantity=100&item=3047936"',
      '5 1 ""',
      `6 1 ${JSON.stringify(PAGE)}`,
      '6 1 ""',
      TOLD_END,
    ]);
  });

  test('example 3: an error on stderr and app status 938', () => {
    const flow = [
      bytes`01 06 0001 001e 00 00  ${'Content-type: text/html\r\n\r\n<ht'}`,
      bytes`01 07 0001 001d 03 00  ${'config error: missing SI_UID\n'} 000000`,
      bytes`01 06 0001 000f 00 00  ${'ml>\n<head> ... '}`,
      END_OF_STDOUT_1,
      bytes`01 07 0001 0000 00 00`,
      bytes`01 03 0001 0008 00 00  000003aa 00 000000`,
    ];
    assertTold(flow, [
      '6 1 "Content-type: text/html\\r\\n\\r\\n<ht"',
      '7 1 "config error: missing SI_UID\\n"',
      '6 1 "ml>\\n<head> ... "',
      '6 1 ""',
      '7 1 ""',
      '3 1 {"appStatus":938,"protocolStatus":0}',
    ]);
  });

  test('example 4: two requests on one connection, ended out of order', () => {
    const flow = [
      bytes`01 01 0001 0008 00 00  0001 01 0000000000`,
      PARAMS_1,
      END_OF_PARAMS_1,
      bytes`01 01 0002 0008 00 00  0001 01 0000000000`,
      bytes`01 04 0002 000f 00 00  0b 02 ${'SERVER_PORT80'}`,
      END_OF_STDIN_1,
      bytes`01 06 0001 001b 00 00  ${'Content-type: text/html\r\n\r\n'}`,
      bytes`01 04 0002 0000 00 00`,
      bytes`01 05 0002 0000 00 00`,
      bytes`01 06 0002 0003 05 00  ${'two'} 0000000000`,
      bytes`01 06 0002 0000 00 00`,
      bytes`01 03 0002 0008 00 00  00000000 00 000000`,
      bytes`01 06 0001 0003 00 00  ${'one'}`,
      END_OF_STDOUT_1,
      END_1,
    ];
    const keep = JSON.stringify({ role: Role.RESPONDER, flags: Flag.KEEP_CONN });
    assertTold(flow, [
      `1 1 ${keep}`,
      TOLD_PARAMS,
      `1 2 ${keep}`,
      '5 1 ""',
      '6 1 "Content-type: text/html\\r\\n\\r\\n"',
      '4 2 [["SERVER_PORT","80"]]',
      '5 2 ""',
      '6 2 "two"',
      '6 2 ""',
      '3 2 {"appStatus":0,"protocolStatus":0}',
      '6 1 "one"',
      '6 1 ""',
      TOLD_END,
    ]);
  });
});

describe('§4 management records', () => {
  test('items 14 and 15: GET_VALUES is told among the records of a request, whatever its id', () => {
    const body = bytes`0f 00 ${'FCGI_MPXS_CONNS'}`;
    const flow = [
      BEGIN_1,
      bytes`01 09 0000 0011 00 00 ${body}`,
      bytes`01 09 0001 0011 00 00 ${body}`,
    ];
    const text = JSON.stringify(body.toString('latin1'));
    assertTold(flow, [TOLD_BEGIN, `9 0 ${text}`, `9 1 ${text}`]);
  });
});
