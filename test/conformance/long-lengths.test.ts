// The four layouts of a name-value pair that FastCGI 1.0 §3.4 draws, by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { encodeRequestHead, ParamsDecoder } from '../../src/fcgi-protocol/index.js';
import { bytes } from '../support/bytes.js';

const N127 = 'n'.repeat(127);
const N128 = 'n'.repeat(128);
const V127 = 'v'.repeat(127);
const V128 = 'v'.repeat(128);
const V16000 = 'v'.repeat(16_000);

const LAYOUTS = [
  { layout: '11', name: N127, value: V127, content: bytes`7f 7f ${N127} ${V127}` },
  { layout: '14', name: N127, value: V128, content: bytes`7f 80000080 ${N127} ${V128}` },
  { layout: '41', name: N128, value: V127, content: bytes`80000080 7f ${N128} ${V127}` },
  { layout: '44', name: N128, value: V128, content: bytes`80000080 80000080 ${N128} ${V128}` },
  { layout: '14', name: 'N', value: V16000, content: bytes`01 80003e80 ${'N'} ${V16000}` },
] as const;

for (const { layout, name, value, content } of LAYOUTS) {
  const title = `FCGI_NameValuePair${layout} with lengths ${name.length} and ${value.length}`;
  test(`item 17: ${title} is encoded in the shortest form`, () => {
    const head = encodeRequestHead(1, {
      role: 1,
      flags: 0,
      params: new Map([[name, value]]),
      isBodiless: false,
    });
    assert.deepEqual(head.subarray(24, head.length - 8), content);
  });

  test(`item 17: ${title} is decoded`, () => {
    const decoder = new ParamsDecoder();
    decoder.push(content);
    assert.deepEqual([...decoder.end()], [[name, value]]);
  });
}

test('item 17: small lengths in the four byte form are decoded all the same', () => {
  const decoder = new ParamsDecoder();
  decoder.push(bytes`80000001 80000001 ${'ab'} 80000001 00 ${'c'} 01 80000000 ${'d'}`);
  const expected = [
    ['a', 'b'],
    ['c', ''],
    ['d', ''],
  ];
  assert.deepEqual([...decoder.end()], expected);
});
