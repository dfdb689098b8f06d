// The list of pairs against a Map, and what it leaves as it came.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import {
  decodeNameValues,
  encodeRequestHead,
  KNOWN_NAMES,
  PairList,
} from '../../../src/fcgi-protocol/index.js';
import { numberOfName, numberOfNameAt } from '../../../src/fcgi-protocol/known-names.js';
import { bytes } from '../../support/bytes.js';

const CAME = bytes`0b 02 ${'SERVER_PORT80'} 01 01 ${'Xx'} 09 01 ${'HTTP_HOSTh'} 01 00 ${'Y'}`;
const cameList = (): PairList => decodeNameValues(CAME);

/** The content of the one PARAMS record. */
function encoded(list: PairList): Buffer {
  const head = { role: 1, flags: 0, params: list, isBodiless: false };
  return encodeRequestHead(1, head).subarray(24, -8);
}

describe('known names', () => {
  test('each is found by its text and in any bytes, and stands in the list once', () => {
    assert.equal(new Set(KNOWN_NAMES).size, KNOWN_NAMES.length);
    for (const [number, name] of KNOWN_NAMES.entries()) {
      assert.equal(numberOfName(name), number);
      assert.equal(numberOfNameAt(Buffer.from(`ab${name}cd`), 2, name.length), number, name);
    }
  });

  test('one that differs in any byte, or is shorter or longer, is not known', () => {
    for (const name of KNOWN_NAMES) {
      const others = [`${name}_`, name.slice(0, -1), name.slice(1), ''];
      for (let i = 0; i < name.length; i += 1) {
        others.push(`${name.slice(0, i)}~${name.slice(i + 1)}`);
      }
      for (const other of others) {
        if (KNOWN_NAMES.includes(other)) continue;
        assert.equal(numberOfName(other), -1, other);
        assert.equal(numberOfNameAt(Buffer.from(other), 0, other.length), -1, other);
      }
    }
  });
});

describe('a list', () => {
  test('that nobody has changed leaves as it came', () => {
    assert.deepEqual(encoded(cameList()), CAME);
    assert.deepEqual(encoded(cameList().copy()), CAME);
  });

  test('has lengths written anew where they came longer than needed', () => {
    const long = bytes`8000000b 02 ${'SERVER_PORT80'} 01 80000001 ${'Xx'}`;
    assert.deepEqual(encoded(decodeNameValues(long)), CAME.subarray(0, 19));
  });

  test('keeps the place of a pair that is set, and appends one that was taken out before', () => {
    const list = cameList();
    const map = new Map(list);
    for (const pairs of [list, map]) {
      pairs.set('X', 'new');
      pairs.set('HTTP_HOST', 'h'); // as it is
      pairs.delete('SERVER_PORT');
      pairs.set('SERVER_PORT', '443');
      pairs.set('Z', '');
      pairs.delete('nothing');
    }
    assert.deepEqual([...list], [...map]);
    assert.deepEqual([...list.keys()], [...map.keys()]);
    assert.equal(list.size, map.size);
    assert.deepEqual(encoded(list), encoded(PairList.of(map)));
  });

  test('says of each name what a Map says', () => {
    const list = cameList();
    assert.deepEqual([list.get('X'), list.get('Y'), list.get('SERVER_PORT')], ['x', '', '80']);
    assert.deepEqual([list.has('Y'), list.has('y'), list.has('REMOTE_USER')], [true, false, false]);
    assert.equal(list.get('y'), undefined);
    list.delete('Y');
    assert.deepEqual([list.has('Y'), list.get('Y'), list.size], [false, undefined, 3]);
  });

  test('is copied without the names that do not pass, and stays as it is', () => {
    const list = cameList();
    list.set('X', 'changed');
    const rule = { known: KNOWN_NAMES.map((name) => name !== 'HTTP_HOST'), other: isX };
    const copy = list.copy(rule);
    copy.set('X', 'of its own');
    copy.set('Z', 'z');
    assert.deepEqual(
      [...copy],
      [
        ['SERVER_PORT', '80'],
        ['X', 'of its own'],
        ['Z', 'z'],
      ],
    );
    assert.deepEqual([list.size, list.get('X'), list.get('HTTP_HOST')], [4, 'changed', 'h']);
  });

  test('grows past its room', () => {
    const list = cameList();
    for (let i = 0; i < 100; i += 1) list.set(`N${i}`, String(i));
    assert.deepEqual([list.size, list.get('N99'), list.get('Y')], [104, '99', '']);
    assert.deepEqual([...decodeNameValues(encoded(list))], [...list]);
  });

  test('knows of a NUL in what was given', () => {
    const list = cameList();
    assert.equal(list.hasNul, false);
    list.set('X', 'a\0');
    assert.equal(list.hasNul, true);
    list.delete('X');
    assert.equal(list.hasNul, false);
  });
});

const isX = (name: string): boolean => name === 'X';
