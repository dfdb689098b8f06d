// Addresses for authorizers: of this machine only, at ports that only root can take.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, parseLoopbackAddress } from '../../../src/config/loopback.js';

test('loopback addresses with a port below 1024 are taken', () => {
  assert.deepEqual(parseLoopbackAddress('127.0.0.1:601'), { host: '127.0.0.1', port: 601 });
  assert.deepEqual(parseLoopbackAddress('127.9.8.7:1'), { host: '127.9.8.7', port: 1 });
  assert.deepEqual(parseLoopbackAddress('[::1]:1023'), { host: '::1', port: 1_023 });
});

test('whatever others could reach, take or resolve in their own way is not', () => {
  for (const text of [
    ...['0.0.0.0:601', '10.0.0.1:601', '128.0.0.1:601', '[::]:601', '[::ffff:127.0.0.1]:601'],
    ...['[fe80::1]:601', '[::ffff:10.0.0.1]:601', 'localhost:601', ':601', '*:601', '601', ''],
    ...['127.0.0.1', '127.0.0.1:', '127.0.0.1:0', '127.0.0.1:1024', '127.0.0.1:65536'],
    ...['127.0.0.1:0601', '127.0.0.1:6e2', '127.0.0.1:601 ', ' 127.0.0.1:601', '127.1:601'],
    ...['127.0.0.256:601', '127.0.0.01:601', '0177.0.0.1:601', '127.0.0.1.evil.example:601'],
  ]) {
    assert.equal(parseLoopbackAddress(text), undefined, text);
  }
});

test('a loopback address is one in either form', () => {
  for (const host of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(host), host);
  for (const host of ['', '10.0.0.1', '::', '::ffff:10.0.0.1', '::2', 'localhost']) {
    assert.ok(!isLoopback(host), host);
  }
});
