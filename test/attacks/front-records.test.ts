// What somebody who can connect to a front socket may try with records: a web server in wrong hands, or one that is led.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  encodeRecordHeader,
  ProtocolStatus,
  RecordType,
  Role,
} from '../../src/fcgi-protocol/index.js';
import { LIMITS } from '../../src/limits.js';
import { php } from '../../src/runtimes/php.js';
import { bytes } from '../support/bytes.js';
import { testConfig } from '../support/config.js';
import type { FrontClient } from '../support/front-client.js';
import { parseCgi } from '../support/front-client.js';
import { RouterAttack } from '../support/router-attack.js';
import { appParams } from '../support/router-rig.js';
import { waitFor } from '../support/wait-for.js';

const ECHO = 'alice/echo';
const SECRET = 'the body of another request';

/** Answers the names it got, its body, and one variable. */
const echo = {
  worker: {
    onRequest: (request: {
      readonly params: ReadonlyMap<string, string>;
      readonly body: Buffer;
      reply(text: string): void;
    }): void =>
      request.reply(
        `Content-Type: text/plain\r\n\r\n${JSON.stringify({
          names: [...request.params.keys()],
          carried: request.params.get('HTTP_X_CARRIED') ?? '',
          body: request.body.toString('latin1'),
        })}`,
      ),
  },
};

interface Echoed {
  readonly names: readonly string[];
  readonly carried: string;
  readonly body: string;
}

const echoed = (answer: { readonly body: Buffer }): Echoed =>
  JSON.parse(answer.body.toString('latin1')) as Echoed;

const beginRecord = (id: number, role: number = Role.RESPONDER, flags = 1): Buffer =>
  bytes`01 01 ${id >> 8} ${id & 255} 0008 00 00 ${role >> 8} ${role & 255} ${flags} 0000000000`;

const record = (type: number, id: number, content: Buffer | string): Buffer => {
  const body = Buffer.from(content);
  return Buffer.concat([encodeRecordHeader(type, id, body.length), body]);
};

describe('records on a front connection', () => {
  let attack: RouterAttack;
  before(async () => {
    attack = await RouterAttack.start({ [ECHO]: echo });
  });
  after(() => attack.stop());

  /** Sends bytes on a connection of their own; the connection has to end and nothing to come back. */
  async function endsConnection(...parts: readonly Buffer[]): Promise<void> {
    const client = await attack.front();
    for (const part of parts) client.socket.write(part);
    await waitFor('the connection to end', () => client.isEnded || client.isClosed);
    for (const answer of client.answers.values()) assert.deepEqual(answer.stdout, []);
    await attack.isOver(client);
  }

  const BROKEN: Readonly<Record<string, Buffer>> = {
    'version 0': bytes`00 01 0001 0000 00 00`,
    'version 2': bytes`02 01 0001 0000 00 00`,
    'END_REQUEST of the web server': bytes`01 03 0001 0008 00 00 0000000000000000`,
    'STDOUT of the web server': bytes`01 06 0001 0000 00 00`,
    'BEGIN_REQUEST with id 0': bytes`01 01 0000 0008 00 00 0001 01 0000000000`,
    'PARAMS with id 0': bytes`01 04 0000 0000 00 00`,
    'a second BEGIN_REQUEST for an open request': Buffer.concat([beginRecord(1), beginRecord(1)]),
    'STDIN before the end of PARAMS': Buffer.concat([
      beginRecord(1),
      record(RecordType.STDIN, 1, 'x'),
    ]),
    'a short BEGIN_REQUEST': bytes`01 01 0001 0004 00 00 00010100`,
    'GET_VALUES of 64 KiB': record(RecordType.GET_VALUES, 0, Buffer.alloc(65_535, 1)),
  };

  for (const [what, sent] of Object.entries(BROKEN)) {
    test(`${what} ends the connection and nothing else (T70, T73, T77)`, () =>
      endsConnection(sent));
  }

  test('a record that is announced and never comes costs its connection only (T70)', async () => {
    const client = await attack.front();
    client.socket.end(Buffer.concat([beginRecord(1), bytes`01 04 0001 ffff ff 00`]));
    await waitFor('the connection to end', () => client.isEnded || client.isClosed);
    await attack.isOver(client);
  });

  test('unknown management records are answered as such, junk for no request is ignored (T70, T73)', async () => {
    const client = await attack.front();
    for (const type of [0, 12, 255]) client.socket.write(record(type, 0, ''));
    client.socket.write(record(RecordType.ABORT_REQUEST, 77, ''));
    client.socket.write(record(RecordType.STDIN, 78, SECRET));
    client.socket.write(record(RecordType.PARAMS, 79, 'junk'));
    const answer = await client.fetch(appParams(ECHO));
    assert.equal(answer.status, 200);
    assert.deepEqual(
      client.management.map(({ type, content }) => [type, content[0]]),
      [0, 12, 255].map((type) => [RecordType.UNKNOWN_TYPE, type]),
    );
    await attack.isOver(client);
  });

  test('GET_VALUES is answered with three names whatever it asks for (T77)', async () => {
    const client = await attack.front();
    const asked = ['FCGI_MAX_CONNS', 'PATH', '__proto__', 'FCGI_MPXS_CONNS'];
    const pairs = asked.map((name) => bytes`${name.length} 05 ${name} ${'value'}`);
    client.socket.write(record(RecordType.GET_VALUES, 0, Buffer.concat(pairs)));
    await waitFor('the answer', () => client.management.length > 0);
    const content = client.management[0]?.content.toString('latin1') ?? '';
    assert.match(content, /FCGI_MAX_CONNS/);
    assert.match(content, /FCGI_MPXS_CONNS/);
    assert.doesNotMatch(content, /PATH|__proto__|value/);
    await attack.isOver(client);
  });

  for (const role of [0, 65_535]) {
    test(`role ${role} is refused as unknown and starts nothing (T74)`, async () => {
      const client = await attack.front();
      const needs = attack.rig.supervisor.needs.length;
      client.head(1, appParams('alice/never'), true, role);
      const { end } = await client.ended(1);
      assert.equal(end?.protocolStatus, ProtocolStatus.UNKNOWN_ROLE);
      assert.equal(attack.rig.supervisor.needs.length, needs);
      await attack.isOver(client);
    });
  }

  for (const role of [Role.AUTHORIZER, Role.FILTER]) {
    test(`role ${role} is refused by an application that has not asked for it (T74)`, async () => {
      const client = await attack.front();
      client.send(1, appParams(ECHO));
      assert.equal(parseCgi(await client.ended(1)).status, 200);
      const needs = attack.rig.supervisor.needs.length;
      client.head(2, appParams(ECHO), true, role);
      client.encoder.endStream(RecordType.STDIN, 2);
      if (role === Role.FILTER) client.encoder.endStream(RecordType.DATA, 2);
      const { end } = await client.ended(2);
      assert.equal(end?.protocolStatus, ProtocolStatus.UNKNOWN_ROLE);
      assert.equal(attack.rig.supervisor.needs.length, needs);
      await attack.isOver(client);
    });
  }

  test('reserved bytes mean nothing, and KEEP_CONN is what the last request says (T74)', async () => {
    const client = await attack.front();
    const head = (flags: number): void => {
      client.expect(1);
      client.socket.write(bytes`01 01 0001 0008 00 ff 0001 ${flags} ${'\xff\xff\xff\xff\xff'}`);
      client.encoder.params(1, appParams(ECHO));
      client.encoder.endStream(RecordType.STDIN, 1);
    };
    head(0xff);
    assert.equal(parseCgi(await client.ended(1)).status, 200);
    head(0xfe);
    assert.equal(parseCgi(await client.ended(1)).status, 200);
    await waitFor('the connection to end', () => client.isEnded || client.isClosed);
    await attack.isOver(client);
  });

  test('as many open requests as the limit, interleaved, and the next ends the connection (T73)', async () => {
    const client = await attack.front();
    const count = LIMITS.frontRequestsPerConnectionMaxCount;
    for (let id = 1; id <= count; id += 1) client.socket.write(beginRecord(id));
    await attack.neighbourIsServed();
    assert.equal(client.isEnded, false);
    client.socket.write(beginRecord(count + 1));
    await waitFor('the connection to end', () => client.isEnded || client.isClosed);
    await attack.isOver(client);
  });

  test('PARAMS after their end are never merged into a request (T73, T47)', async () => {
    const client = await attack.front();
    client.head(1, appParams(ECHO));
    client.socket.write(record(RecordType.PARAMS, 1, bytes`0e 01 ${'HTTP_X_CARRIED'} ${'!'}`));
    client.encoder.endStream(RecordType.STDIN, 1);
    assert.equal(echoed(parseCgi(await client.ended(1))).carried, '');
    await attack.isOver(client);
  });

  test('a param of one request is not in the next one of the same worker (T47)', async () => {
    const client = await attack.front();
    const first = await client.fetch(appParams(ECHO, '/', { HTTP_X_CARRIED: 'secret' }));
    assert.equal(echoed(first).carried, 'secret');
    const second = echoed(await client.fetch(appParams(ECHO)));
    assert.equal(second.carried, '');
    assert.ok(!second.names.includes('HTTP_X_CARRIED'));
    assert.equal(attack.rig.supervisor.needs.filter(({ app }) => app === ECHO).length, 1);
    await attack.isOver(client);
  });
});

describe('params on a front connection', () => {
  let attack: RouterAttack;
  before(async () => {
    const runtimes = new Map([...testConfig().runtimes, ['php', php]]);
    attack = await RouterAttack.start({ [ECHO]: echo }, { runtimes });
  });
  after(() => attack.stop());

  async function statusOf(params: Buffer): Promise<number> {
    const client = await attack.front();
    client.expect(1);
    client.socket.write(beginRecord(1));
    for (let at = 0; at < params.length; at += 65_535) {
      client.socket.write(record(RecordType.PARAMS, 1, params.subarray(at, at + 65_535)));
    }
    client.socket.write(record(RecordType.PARAMS, 1, ''));
    client.socket.write(record(RecordType.STDIN, 1, ''));
    const { status } = parseCgi(await client.ended(1));
    await attack.isOver(client);
    return status;
  }

  const MALFORMED: Readonly<Record<string, Buffer>> = {
    'a name of 4 GiB': bytes`ffffffff 00`,
    'a name of 2 GiB - 1 that overflows with its value': bytes`ffffffff ffffffff ${'x'.repeat(64)}`,
    'a value longer than all that comes': bytes`01 ff ${'A'} ${'x'}`,
    'a million empty pairs': Buffer.alloc(2_000_000),
    'one pair more than allowed': Buffer.concat(
      Array.from(
        { length: LIMITS.paramsPairMaxCount + 1 },
        (_, i) => bytes`04 00 ${`N${String(i).padStart(3, '0')}`}`,
      ),
    ),
    'SCRIPT_FILENAME twice': Buffer.concat([
      bytes`0f 16 ${'SCRIPT_FILENAME'} ${'/srv/alice/apps/echo/x'}`,
      bytes`0f 16 ${'SCRIPT_FILENAME'} ${'/srv/bobby/apps/echo/x'}`,
    ]),
  };

  for (const [what, params] of Object.entries(MALFORMED)) {
    test(`${what} is refused without memory (T71, T72)`, async () => {
      const before = process.memoryUsage().arrayBuffers;
      assert.ok([400, 431].includes(await statusOf(params)));
      assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024);
    });
  }

  test('__proto__ is a name that does not pass, and changes no object (T72)', async () => {
    const client = await attack.front();
    const params = appParams(ECHO, '/', { ['__proto__']: 'polluted', constructor: 'x' });
    params.set('__proto__', 'polluted');
    const { names } = echoed(await client.fetch(params));
    assert.ok(names.includes('__proto__')); // a name like any other; php sees a variable
    assert.equal(Object.getPrototypeOf({}), Object.prototype);
    assert.equal(Reflect.get({}, 'polluted'), undefined);
    await attack.isOver(client);
  });

  test('only a last component with its extension is a script (T68)', async () => {
    const client = await attack.front();
    const isAskedForPhp = async (rest: string): Promise<boolean> => {
      const before = attack.rig.supervisor.needs.length;
      await client.fetch(appParams(ECHO, rest));
      const asked = attack.rig.supervisor.needs.slice(before);
      return asked.some(({ runtime }) => runtime === 'php');
    };
    for (const rest of ['/x.jpg', '/x.php.jpg', '/x.phar', '/x.PHP', '/x.php.', '/xphp']) {
      assert.equal(await isAskedForPhp(rest), false, rest);
    }
    assert.equal(await isAskedForPhp('/x.php'), true);
    await attack.isOver(client);
  });
});

describe('bodies on a front connection', () => {
  let attack: RouterAttack;
  let client: FrontClient;
  before(async () => {
    attack = await RouterAttack.start({ [ECHO]: echo });
    client = await attack.front();
  });
  after(() => attack.stop());

  for (const length of ['5', '999999', '-7', '1e3', '0x10', '1,1', '']) {
    test(`a CONTENT_LENGTH of ${JSON.stringify(length)} never makes a body the next request (T76)`, async () => {
      const params = appParams(ECHO, '/', { REQUEST_METHOD: 'POST', CONTENT_LENGTH: length });
      const answer = await client.fetch(params, Buffer.from(`${SECRET}${SECRET}`));
      if (answer.status === 200) {
        assert.ok(`${SECRET}${SECRET}`.startsWith(echoed(answer).body));
      } else {
        assert.equal(answer.status, 400);
      }
      const next = await client.fetch(appParams(ECHO));
      assert.deepEqual([next.status, echoed(next).body], [200, '']);
    });
  }

  test('one byte at a time, five hundred connections at once: the neighbour is served (T78)', async () => {
    const head = Buffer.concat([beginRecord(1), record(RecordType.PARAMS, 1, 'x')]);
    const slow = await Promise.all(Array.from({ length: 500 }, () => attack.front()));
    for (let at = 0; at < head.length - 1; at += 1) {
      for (const one of slow) one.socket.write(head.subarray(at, at + 1));
      if (at % 5 === 0) await attack.neighbourIsServed();
    }
    await attack.isOver(...slow);
  });

  test('a web server that leaves after any byte of a request leaves nothing behind (T79)', async () => {
    const whole = Buffer.concat([
      beginRecord(1),
      record(RecordType.PARAMS, 1, bytes`0f 14 ${'SCRIPT_FILENAME'} ${'/srv/alice/apps/echo'}`),
      record(RecordType.PARAMS, 1, ''),
      record(RecordType.STDIN, 1, Buffer.alloc(300, 120)),
      record(RecordType.STDIN, 1, ''),
    ]);
    for (let at = 0; at <= whole.length; at += 3) {
      const leaving = await attack.front();
      leaving.socket.write(whole.subarray(0, at));
      leaving.socket.destroy();
    }
    await waitFor('no request to be left', () => attack.rig.router.counters.requestsActive === 0);
    await attack.isOver();
    const answer = await client.fetch(appParams(ECHO));
    assert.deepEqual([answer.status, echoed(answer).body], [200, '']);
  });
});

describe('applications for which there is no room', () => {
  const APPS_COUNT = 200;
  const APPS = Array.from({ length: APPS_COUNT }, (_, n) => `alice/new${n}`);

  test('do not make the router ask without a pause, however many they are (T95, T116)', async () => {
    const refuse = { code: 'E_SPAWN_LIMIT', rule: 'max-workers-per-user', retryAfterMs: 0 };
    const attack = await RouterAttack.start(
      Object.fromEntries(APPS.map((app) => [app, { refuse }])),
    );
    try {
      const client = await attack.front();
      const startMs = performance.now();
      APPS.forEach((app, n) => client.send(n + 1, appParams(app)));
      const asked = (): number => attack.rig.supervisor.needs.length;
      await waitFor('the third question after the first ones', () => asked() >= APPS_COUNT + 3);
      const elapsedMs = performance.now() - startMs;
      const askedMax = APPS_COUNT + elapsedMs / LIMITS.poolLimitHoldMinMs + 1;
      assert.ok(asked() <= askedMax, `${asked()} in ${elapsedMs} ms`);
      await attack.isOver(client);
    } finally {
      await attack.stop();
    }
  });
});
