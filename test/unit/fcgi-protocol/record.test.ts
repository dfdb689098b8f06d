// The bodies of the discrete records, and lengths that they may not have.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';

import { decodeBeginRequest, decodeEndRequest } from '../../../src/fcgi-protocol/index.js';
import { bytes } from '../../support/bytes.js';

describe('bodies of discrete records', () => {
  test('BEGIN_REQUEST gives role and flags', () => {
    const content = bytes`0001 01 0000000000`;
    assert.deepEqual(decodeBeginRequest(content), { role: 1, flags: 1 });
  });

  test('item 8: reserved bytes of BEGIN_REQUEST mean nothing and unknown flag bits are passed on', () => {
    const content = bytes`0102 ff a1a2a3a4a5`;
    assert.deepEqual(decodeBeginRequest(content), { role: 0x0102, flags: 0xff });
  });

  test('END_REQUEST gives an unsigned app status and the protocol status', () => {
    const content = bytes`ffffffff 02 a1a2a3`;
    assert.deepEqual(decodeEndRequest(content), { appStatus: 0xffff_ffff, protocolStatus: 2 });
  });

  for (const length of [0, 1, 7, 9, 16, 65_535]) {
    test(`item 8: a body of ${length} bytes instead of 8 ends the connection`, () => {
      const content = Buffer.alloc(length);
      for (const decode of [decodeBeginRequest, decodeEndRequest]) {
        assert.throws(() => decode(content), { code: 'E_FCGI_RECORD_LENGTH' });
      }
    });
  }
});
