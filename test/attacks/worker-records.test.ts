// What a tenant's program may answer: records that no worker sends, heads that are none, answers without an end.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { encodeRecordHeader, RecordType } from '../../src/fcgi-protocol/index.js';
import { LIMITS, MIB } from '../../src/limits.js';
import { bytes } from '../support/bytes.js';
import type { WorkerRequest } from '../support/fake-worker.js';
import { parseCgi } from '../support/front-client.js';
import { RouterAttack } from '../support/router-attack.js';
import { appParams } from '../support/router-rig.js';
import { waitFor } from '../support/wait-for.js';

const APP = 'alice/hostile';
const HEAD = 'Content-Type: text/plain\r\n\r\n';

const record = (type: number, id: number, content: Buffer | string): Buffer => {
  const body = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  return Buffer.concat([encodeRecordHeader(type, id, body.length), body]);
};
const stdout = (content: string): Buffer => record(RecordType.STDOUT, 1, content);
const END = bytes`01 03 0001 0008 00 00 0000000000000000`;
const WHOLE = Buffer.concat([stdout(`${HEAD}fine`), stdout(''), END]);

/** What the hostile program does with its next request; then it behaves. */
let misbehave: ((request: WorkerRequest) => void) | undefined;
const hostile = {
  worker: {
    onRequest: (request: WorkerRequest): void => {
      const act = misbehave;
      misbehave = undefined;
      if (act === undefined) request.socket.write(WHOLE);
      else act(request);
    },
  },
};

describe('answers of a hostile program', () => {
  let attack: RouterAttack;
  before(async () => {
    attack = await RouterAttack.start({ [APP]: hostile });
  });
  after(() => attack.stop());

  const write =
    (...parts: readonly Buffer[]) =>
    ({ socket }: WorkerRequest): void =>
      void socket.write(Buffer.concat(parts));

  async function afterwardsServed(): Promise<void> {
    const client = await attack.front();
    const { status, body } = await client.fetch(appParams(APP));
    assert.deepEqual([status, body.toString()], [200, 'fine']);
    await attack.isOver(client);
  }

  const POST = { REQUEST_METHOD: 'POST', CONTENT_LENGTH: '1' };

  /** A POST, which is never tried again, so that what is told is about this very answer. */
  async function told(act: (request: WorkerRequest) => void): Promise<number> {
    misbehave = act;
    const client = await attack.front();
    const { status } = await client.fetch(appParams(APP, '/', POST), Buffer.from('x'));
    client.close();
    return status;
  }

  const NO_ANSWER: Readonly<Record<string, Buffer>> = {
    'END_REQUEST alone': END,
    'a record of request 2': Buffer.concat([record(RecordType.STDOUT, 2, HEAD), END]),
    'a record of request 0': Buffer.concat([record(RecordType.STDOUT, 0, HEAD), END]),
    BEGIN_REQUEST: bytes`01 01 0001 0008 00 00 0001 01 0000000000`,
    PARAMS: record(RecordType.PARAMS, 1, 'x'),
    GET_VALUES: record(RecordType.GET_VALUES, 0, ''),
    'version 9': bytes`09 06 0001 0000 00 00`,
    'no FastCGI at all': Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
    'a short END_REQUEST': Buffer.concat([stdout('X: y'), bytes`01 03 0001 0002 00 00 0000`]),
  };
  for (const [what, answer] of Object.entries(NO_ANSWER)) {
    test(`${what} is a 502, and the next request is served (T81)`, async () => {
      assert.equal(await told(write(answer)), 502);
      await afterwardsServed();
    });
  }

  const BAD_HEADS: Readonly<Record<string, string>> = {
    'no blank line': 'Content-Type: text/plain\r\n',
    'one byte too much': `X-Long: ${'x'.repeat(LIMITS.responseHeadMaxBytes)}\r\n\r\n`,
    'one byte too much, in short lines': `${`X: ${'x'.repeat(8_000)}\r\n`.repeat(5)}\r\n`,
    'ten thousand lines': `${'X: y\r\n'.repeat(10_000)}\r\n`,
    'a NUL': 'X: a\0b\r\n\r\n',
    'a CR alone': 'X: a\rSet-Cookie: stolen=1\r\n\r\n',
    'an escape': 'X: \x1b[31m\r\n\r\n',
    'a folded line': 'X: a\r\n Set-Cookie: b\r\n\r\n',
    'a name with a space': 'X Y: a\r\n\r\n',
    'status 999999': 'Status: 999999\r\n\r\n',
    'status 100': 'Status: 100\r\n\r\n',
    'two statuses': 'Status: 200\r\nStatus: 204\r\n\r\n',
    'two lengths': 'Content-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'a length that is none': 'Content-Length: 1e3\r\n\r\n',
  };
  for (const [what, head] of Object.entries(BAD_HEADS)) {
    test(`a head with ${what} is a 502 (T83)`, async () => {
      const parts = head.match(/[^]{1,60000}/g) ?? [];
      assert.equal(await told(write(...parts.map(stdout), stdout(''), END)), 502);
      await afterwardsServed();
    });
  }

  test('headers that make a web server open files, jump or speak for usherd do not pass (T84)', async () => {
    const client = await attack.front();
    misbehave = write(
      stdout(
        [
          ...['X-Sendfile: /etc/passwd', 'X-Accel-Redirect: /etc/passwd', 'X-Accel-Buffering: no'],
          ...['X-LIGHTTPD-send-file: /etc/passwd', 'X-Sendfile2: /etc/passwd 0-'],
          ...['Transfer-Encoding: chunked', 'Connection: upgrade', 'Upgrade: h2c', 'Trailer: X'],
          ...[
            'Proxy-Authenticate: Basic',
            'X-Usherd-Reason: suspended',
            'Content-Type: server-status',
          ],
          'Location: /server-status',
        ].join('\n'),
      ),
      stdout('\n\nbody'),
      stdout(''),
      END,
    );
    const answer = await client.fetch(appParams(APP));
    assert.deepEqual([...answer.headers.keys()].sort(), ['content-length', 'location', 'status']);
    assert.equal(answer.headers.get('content-length'), '4'); // usherd's own
    assert.equal(answer.status, 302); // for the browser to follow, not for the web server
    await attack.isOver(client);
  });

  test('what comes after the end never reaches the next request (T82)', async () => {
    const client = await attack.front();
    misbehave = write(WHOLE, stdout(`${HEAD}late`), END);
    const first = await client.fetch(appParams(APP));
    assert.equal(first.body.toString(), 'fine');
    for (let i = 0; i < 5; i += 1) {
      assert.equal((await client.fetch(appParams(APP))).body.toString(), 'fine');
    }
    await attack.isOver(client);
  });

  test('an answer that comes after its client has left goes to nobody (T82)', async () => {
    const client = await attack.front();
    let asked: WorkerRequest | undefined;
    misbehave = (request) => (asked = request);
    client.send(1, appParams(APP));
    const request = await waitFor('the request', () => asked);
    client.close();
    const other = await attack.front();
    const answers = other.fetch(appParams(APP));
    request.socket.write(Buffer.concat([stdout(`${HEAD}late`), stdout(''), END]));
    assert.equal((await answers).body.toString(), 'fine');
    await attack.isOver(other);
  });

  for (const [what, head, diskMaxBytes] of [
    ['', HEAD, LIMITS.answerSpillMaxBytes],
    [' and that must not wait on disk', `X-Accel-Buffering: no\r\n${HEAD}`, 0],
  ] as const) {
    test(`an endless answer that nobody reads${what} stops the program instead of filling memory or disk (T85)`, async () => {
      const { spoolBudget, writeBudget } = attack.rig.router;
      const client = await attack.front();
      client.socket.pause();
      let takenBytes = (): number => 0;
      misbehave = ({ socket }) => {
        takenBytes = () => socket.bytesWritten - socket.writableLength;
        socket.write(stdout(head));
        const chunk = stdout('x'.repeat(60_000));
        const pour = (): void => {
          while (socket.write(chunk));
        };
        socket.on('drain', pour);
        pour();
      };
      client.send(1, appParams(APP));
      let before = 0;
      const isStopped = async (): Promise<boolean> => {
        before = takenBytes();
        for (let i = 0; i < 20; i += 1) await attack.neighbourIsServed();
        return before > diskMaxBytes && takenBytes() === before;
      };
      await waitFor('the program to be stopped', isStopped, 60_000);
      // What is buffered for one connection, and what two sockets of the kernel's hold.
      const memoryMaxBytes = LIMITS.responseBufferMaxBytes + 4 * MIB;
      assert.ok(before < diskMaxBytes + memoryMaxBytes, `${before} bytes`);
      assert.ok(spoolBudget.diskBytes <= diskMaxBytes, `${spoolBudget.diskBytes} bytes on disk`);
      assert.ok(writeBudget.bytes < memoryMaxBytes, `${writeBudget.bytes} bytes in memory`);
      await attack.isOver(client);
      await waitFor('the disk to be given back', () => spoolBudget.diskBytes === 0);
    });
  }

  test('a program that takes a request and closes is told, one that half-closes as well (T53)', async () => {
    assert.equal(await told(({ socket }) => void socket.destroy()), 502);
    assert.equal(await told(({ socket }) => void socket.end()), 502);
    await afterwardsServed();
  });

  test('a program that says which process it is, or that it is ready, is believed nothing (T88)', async () => {
    const said = 'X-Pid: 1\r\nX-Socket: /run/usherd/control.sock\r\n\r\nREADY=1\nMAINPID=1';
    misbehave = write(stdout(said), stdout(''), END);
    const client = await attack.front();
    assert.equal((await client.fetch(appParams(APP))).status, 200);
    const asked = new Set(attack.rig.supervisor.received.map(({ type }) => type));
    assert.deepEqual([...asked].sort(), [...new Set([...asked, 'hello', 'need'])].sort());
    assert.ok(!JSON.stringify(attack.rig.supervisor.received).includes('control.sock'));
    await attack.isOver(client);
  });
});

describe('programs that accept and say nothing', () => {
  test('are given up at the first byte deadline, and others are served meanwhile (T53)', async () => {
    const attack = await RouterAttack.start({
      [APP]: {
        worker: { onRequest: () => undefined },
        facts: { limits: { firstByteTimeoutMs: 300, startTimeoutMs: 200, maxWorkersPerApp: 1 } },
      },
    });
    try {
      const client = await attack.front();
      client.send(1, appParams(APP));
      await attack.neighbourIsServed();
      assert.equal(parseCgi(await client.ended(1)).status, 504);
      await waitFor('the worker to be given up', () =>
        attack.rig.supervisor.received.some((m) => m.type === 'retire' && m.reason === 'deadline'),
      );
      await attack.isOver(client);
    } finally {
      await attack.stop();
    }
  });
});

describe('programs that answer a byte now and then', () => {
  const SILENCE_MS = 300;
  const REQUEST_MS = 1_500;
  const limits = { silenceTimeoutMs: SILENCE_MS, requestTimeoutMs: REQUEST_MS };

  /** Until the connection is cut, how long that took, and how much came. */
  async function untilCut(begin: (request: WorkerRequest) => void): Promise<[number, number]> {
    const app = { worker: { onRequest: begin }, facts: { limits } };
    const attack = await RouterAttack.start({ [APP]: app });
    try {
      const client = await attack.front();
      const startedMs = performance.now();
      client.send(1, appParams(APP));
      await attack.neighbourIsServed();
      await waitFor('the cut', () => client.isClosed || client.isBroken || client.isEnded);
      const ms = performance.now() - startedMs;
      assert.equal(client.answer(1).end, undefined, 'an answer that is not whole has no end');
      await waitFor('the worker to be given up', () =>
        attack.rig.supervisor.received.some((m) => m.type === 'retire' && m.reason === 'deadline'),
      );
      await attack.isOver(client);
      return [ms, Buffer.concat(client.answer(1).stdout).length];
    } finally {
      await attack.stop();
    }
  }

  test('none at all after the head: cut at the silence deadline (T89)', async () => {
    const [ms] = await untilCut(({ socket }) => void socket.write(stdout(HEAD)));
    assert.ok(ms >= SILENCE_MS && ms < REQUEST_MS, `${ms} ms`);
  });

  test('always before the silence deadline: cut at the deadline of the request (T89)', async () => {
    const [ms, bytesCount] = await untilCut(({ socket }) => {
      socket.write(stdout(HEAD));
      const drip = setInterval(() => socket.write(stdout('x')), SILENCE_MS / 6);
      socket.on('close', () => clearInterval(drip));
    });
    assert.ok(ms >= REQUEST_MS, `${ms} ms`);
    assert.ok(bytesCount > HEAD.length + 5, `${bytesCount} bytes`);
  });
});
