#!/usr/bin/env node
// A FastCGI application without any package: usherd hands it a listening socket as file descriptor 0.
// Real applications speak HTTP through their framework; this one shows that there is no magic.
'use strict';
const net = require('node:net');

const BEGIN_REQUEST = 1;
const END_REQUEST = 3;
const PARAMS = 4;
const STDIN = 5;
const STDOUT = 6;

let served = 0;

function encodeRecord(type, id, content) {
  const header = Buffer.from([1, type, id >> 8, id & 255, content.length >> 8, content.length & 255, 0, 0]);
  return Buffer.concat([header, content]);
}

/** Name-value pairs: two lengths (one byte, or four with the top bit set), then the two texts (FastCGI 1.0 §3.4). */
function decodeParams(bytes) {
  const params = new Map();
  let at = 0;
  const length = () => {
    if (bytes[at] < 128) return bytes[at++];
    at += 4;
    return bytes.readUInt32BE(at - 4) & 0x7fffffff;
  };
  const text = (size) => bytes.toString('utf8', at, (at += size));
  while (at < bytes.length) {
    const sizes = [length(), length()];
    params.set(text(sizes[0]), text(sizes[1]));
  }
  return params;
}

const escape = (text) => text.replace(/[&<>"]/g, (it) => `&#${it.charCodeAt(0)};`);

function answer(params) {
  served += 1;
  const facts = {
    uid: process.getuid(),
    pid: process.pid,
    served,
    script: params.get('SCRIPT_NAME') ?? '',
    path: params.get('PATH_INFO') ?? '',
  };
  if (params.get('QUERY_STRING') === 'plain') {
    const lines = Object.entries(facts).map(([name, value]) => `${name}=${value}\n`);
    return `Content-Type: text/plain; charset=utf-8\r\n\r\n${lines.join('')}`;
  }
  const rows = Object.entries(facts).map(([name, value]) => `<tr><th>${name}<td>${escape(String(value))}`);
  return `Content-Type: text/html; charset=utf-8\r\n\r\n<!doctype html>
<title>hello-node</title>
<h1>Hello from Node</h1>
<table>${rows.join('\n')}</table>
`;
}

net
  .createServer((socket) => {
    let pending = Buffer.alloc(0);
    let params = Buffer.alloc(0);
    socket.on('error', () => {}); // the other side has given up; the next request is a new connection
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 8) {
        const size = pending.readUInt16BE(4);
        const whole = 8 + size + pending[6];
        if (pending.length < whole) return;
        const [type, id] = [pending[1], pending.readUInt16BE(2)];
        const content = pending.subarray(8, 8 + size);
        pending = pending.subarray(whole);
        if (type === BEGIN_REQUEST) params = Buffer.alloc(0);
        if (type === PARAMS) params = Buffer.concat([params, content]);
        if (type === STDIN && size === 0) {
          socket.write(encodeRecord(STDOUT, id, Buffer.from(answer(decodeParams(params)))));
          socket.end(encodeRecord(END_REQUEST, id, Buffer.alloc(8)));
        }
      }
    });
  })
  .listen({ fd: 0 });
