// Wire checklist 30 and 66: Authorizers. What they are told, and that nothing but their own whole 200 ever lets a request pass.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProtocolStatus, RecordType, Role } from '../../../src/fcgi-protocol/index.js';
import type { FakeApp } from '../../support/fake-supervisor.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import { FrontClient, parseCgi, type CgiAnswer } from '../../support/front-client.js';
import { freePorts } from '../../support/fronts/server-process.js';
import { waitFor } from '../../support/wait-for.js';
import {
  begin,
  GET,
  hello,
  paramsRecords,
  POST,
  reasonOf,
  record,
  stages,
  TEXT,
  type Behaviour,
} from '../../support/wire-stage.js';

const start = stages();
const GATE: FakeApp = { facts: { roles: ['responder', 'authorizer'] } };
const ALLOW = 'Status: 200 OK\r\n\r\n';

/** As mod_authnz_fcgi asks: no SCRIPT_NAME, no PATH_INFO, and not one STDIN record, not even the empty one. */
const ASKED = new Map(GET)
  .set('SCRIPT_FILENAME', '/srv/alice/apps/blog/private/page.php')
  .set('REMOTE_USER', 'carol')
  .set('REMOTE_PASSWD', 'open sesame')
  .set('FCGI_ROLE', 'AUTHORIZER')
  .set('FCGI_APACHE_ROLE', 'AUTHENTICATOR');
for (const name of ['SCRIPT_NAME', 'PATH_INFO']) ASKED.delete(name);

const question = (id: number, params = ASKED): Buffer =>
  Buffer.concat([begin(id, Role.AUTHORIZER, 0), paramsRecords(id, params)]);

async function judge(front: FrontClient, params = ASKED): Promise<CgiAnswer> {
  front.expect(1);
  front.socket.write(question(1, params));
  return parseCgi(await front.ended(1));
}

describe('item 66: what an Authorizer is told', () => {
  test('item 30: it gets its end of STDIN though Apache sends none, the file that is asked for, and no body', async () => {
    let asked: WorkerRequest | undefined;
    const { front } = await start((request) => {
      asked = request;
      request.reply(ALLOW);
    }, GATE);
    const params = new Map(ASKED)
      .set('CONTENT_LENGTH', '17')
      .set('PATH_TRANSLATED', '/etc/passwd')
      .set('PATH_INFO', '/x')
      .set('SCRIPT_NAME', '/y');
    assert.equal((await judge(front, params)).status, 200);
    await waitFor('the end of the connection', () => front.isEnded);
    assert.equal(asked?.role, Role.AUTHORIZER);
    assert.equal(asked.body.length, 0);
    assert.equal(asked.params.get('SCRIPT_FILENAME'), '/srv/alice/apps/blog/private/page.php');
    assert.equal(asked.params.get('REMOTE_PASSWD'), 'open sesame');
    assert.equal(asked.params.get('FCGI_APACHE_ROLE'), 'AUTHENTICATOR');
    for (const name of [
      ...['CONTENT_LENGTH', 'PATH_TRANSLATED', 'PATH_INFO', 'SCRIPT_NAME', 'FCGI_ROLE'],
    ]) {
      assert.ok(!asked.params.has(name), name);
    }
  });

  test('a phase of Apache that there is not is not told', async () => {
    let asked: WorkerRequest | undefined;
    const { front } = await start((request) => {
      asked = request;
      request.reply(ALLOW);
    }, GATE);
    await judge(front, new Map(ASKED).set('FCGI_APACHE_ROLE', 'ANYTHING'));
    assert.equal(asked?.params.has('FCGI_APACHE_ROLE'), false);
  });

  test('a script in the URL is not run: the program of the application is asked', async () => {
    const { front, supervisor } = await start((request) => request.reply(ALLOW), GATE);
    assert.equal((await judge(front)).status, 200);
    assert.deepEqual(
      supervisor.needs.map(({ runtime }) => runtime),
      [''],
    );
  });

  test('a STDIN that comes all the same is ignored', async () => {
    const { front } = await start((request) => request.reply(ALLOW), GATE);
    front.expect(1);
    const late = Buffer.concat([record(RecordType.STDIN, 1, 'body'), record(RecordType.STDIN, 1)]);
    front.socket.write(Buffer.concat([question(1), late]));
    assert.equal(parseCgi(await front.ended(1)).status, 200);
  });
});

describe('item 66: an Authorizer that lets a request pass', () => {
  test('its variables go on; everything else that it says does not', async () => {
    const { front } = await start(
      (request) =>
        request.reply(
          'Status: 200 OK\nVariable-GROUP: staff\nvariable-X_1: a b\nSet-Cookie: a=b\n' +
            'Variable-LD_PRELOAD: /tmp/x.so\nVariable-USHERD_TOKEN: alice.x\nVariable-PHP_VALUE: x\n' +
            'Variable-proxy-nokeepalive: 1\nVariable-: x\nLocation: /elsewhere\n\nbody',
        ),
      GATE,
    );
    front.expect(1);
    front.socket.write(question(1));
    const answer = await front.ended(1);
    assert.equal(
      Buffer.concat(answer.stdout).toString('latin1'),
      'Status: 200 OK\r\nVariable-GROUP: staff\r\nvariable-X_1: a b\r\n\r\n',
    );
    assert.deepEqual(answer.end, { appStatus: 0, protocolStatus: 0 });
  });
});

describe('item 66: an Authorizer that refuses', () => {
  for (const [what, text, status] of [
    ['401 with a challenge', 'Status: 401 No\nWWW-Authenticate: Basic realm="x"\n\nwho?', 401],
    ['403', 'Status: 403\nContent-Type: text/plain\n\nno', 403],
    ['302 to a page for signing in', 'Location: /login\nStatus: 302\n\n', 302],
    ['503', 'Status: 503\n\nlater', 503],
  ] as const) {
    test(`${what}: goes to the client as it is`, async () => {
      const { front } = await start((request) => request.reply(text), GATE);
      const answer = await judge(front);
      assert.equal(answer.status, status);
      assert.equal(answer.body.toString(), text.slice(text.indexOf('\n\n') + 2));
      if (status === 401) assert.equal(answer.headers.get('www-authenticate'), 'Basic realm="x"');
    });
  }
});

describe('item 66: nothing that is broken lets a request pass', () => {
  const out = ({ socket, id }: WorkerRequest, text: string): unknown =>
    socket.write(record(RecordType.STDOUT, id, text));
  const end = ({ socket, id }: WorkerRequest, status = 0): unknown =>
    socket.write(record(RecordType.END_REQUEST, id, Buffer.from([0, 0, 0, 0, status, 0, 0, 0])));
  const rows: readonly (readonly [string, Behaviour])[] = [
    ['no Status', (r) => r.reply(`${TEXT}hello`)],
    ['no Status, but variables', (r) => r.reply('Variable-X: y\n\n')],
    ['201', (r) => r.reply('Status: 201\n\n')],
    ['204', (r) => r.reply('Status: 204\n\n')],
    ['status 100', (r) => r.reply('Status: 100\n\n')],
    ['two statuses', (r) => r.reply('Status: 403\nStatus: 200\n\n')],
    ['END alone', (r) => end(r)],
    ['OVERLOADED alone', (r) => end(r, ProtocolStatus.OVERLOADED)],
    ['UNKNOWN_ROLE alone', (r) => end(r, ProtocolStatus.UNKNOWN_ROLE)],
    ['the end of the connection at once', (r) => r.socket.destroy()],
    ['the end of the connection in the head', (r) => (out(r, 'Status: 200\r\n'), r.socket.end())],
    ['END in the head', (r) => (out(r, 'Status: 200\r\n'), end(r))],
    [
      'a whole 200, but no END',
      (r) => (out(r, `${ALLOW}body`), setImmediate(() => r.socket.end())),
    ],
    ['a 200, then a foreign id', (r) => (out(r, ALLOW), r.socket.write(record(6, r.id + 1, 'x')))],
    ['a 200, then another version', (r) => (out(r, ALLOW), r.socket.write(Buffer.alloc(8, 2)))],
    ['a 200, then an unknown type', (r) => (out(r, ALLOW), r.socket.write(record(42, r.id)))],
  ];
  for (const [what, behave] of rows) {
    test(what, async () => {
      const { front } = await start(behave, GATE);
      const answer = await judge(front);
      assert.ok(answer.status === 502 || answer.status === 503, `${answer.status}`);
      assert.equal(front.answer(1).endCount, 1);
    });
  }

  test('silence after the head of a 200', async () => {
    const limits = { firstByteTimeoutMs: 300, startTimeoutMs: 300, requestTimeoutMs: 400 };
    const app = { facts: { ...GATE.facts, limits } };
    const { front } = await start((request) => out(request, ALLOW), app);
    assert.equal((await judge(front)).status, 504);
  });

  for (const [what, app, status] of [
    ['nobody listens', { ...GATE, isDead: true }, 503],
    ['it does not start', { refuse: { code: 'E_START_FAILED' } }, 503],
    ['its user is suspended', { refuse: { code: 'E_SUSPENDED' } }, 503],
    ['there is no such application', { refuse: { code: 'E_APP_UNKNOWN' } }, 404],
  ] as const) {
    test(what, async () => {
      const { front } = await start(hello, app);
      assert.equal((await judge(front)).status, status);
    });
  }
});

describe('item 66: roles that an application does not offer', () => {
  for (const [what, app, role] of [
    ['an Authorizer that nobody offers', {}, Role.AUTHORIZER],
    ['a Filter that nobody offers', {}, Role.FILTER],
    [
      'pages of an application that only judges',
      { facts: { roles: ['authorizer'] } },
      Role.RESPONDER,
    ],
  ] as const satisfies readonly (readonly [string, FakeApp, number])[]) {
    test(`${what}: 500 and UNKNOWN_ROLE, and no program is asked`, async () => {
      let asked = 0;
      const { front } = await start(() => (asked += 1), app);
      front.expect(1);
      const ends = [record(RecordType.STDIN, 1), record(RecordType.DATA, 1)];
      front.socket.write(Buffer.concat([begin(1, role), paramsRecords(1, ASKED), ...ends]));
      const answer = parseCgi(await front.ended(1));
      assert.equal(answer.status, 500);
      assert.equal(reasonOf(answer), 'unknown-role');
      assert.equal(front.answer(1).end?.protocolStatus, ProtocolStatus.UNKNOWN_ROLE);
      assert.equal(asked, 0);
    });
  }
});

describe('item 66: the address of an Authorizer', () => {
  const isOver = (client: FrontClient): boolean => client.isEnded || client.isClosed;
  const setUp = async (
    behave: Behaviour,
    app: FakeApp = GATE,
  ): Promise<{ readonly client: FrontClient; readonly port: number }> => {
    const [port = 0] = await freePorts(1);
    const authorizers = [{ host: '127.0.0.1', port, application: 'alice/blog' }];
    await start(behave, app, {}, { authorizers });
    return { client: await FrontClient.connect({ host: '127.0.0.1', port }), port };
  };

  test('asks the application that the administrator named, whatever the request says', async () => {
    const seen: string[] = [];
    const { client } = await setUp((request) => {
      seen.push(request.params.get('SCRIPT_FILENAME') ?? '');
      request.reply(ALLOW);
    });
    const elsewhere = new Map(ASKED).set('SCRIPT_FILENAME', '/srv/bob/apps/shop/index.php');
    assert.equal((await judge(client, elsewhere)).status, 200);
    assert.deepEqual(seen, ['/srv/bob/apps/shop/index.php']);
    client.close();
  });

  for (const role of [Role.RESPONDER, Role.FILTER]) {
    test(`refuses role ${role}: anybody on the machine could ask`, async () => {
      let asked = 0;
      const { client } = await setUp(() => (asked += 1), {
        facts: { roles: ['responder', 'authorizer', 'filter'] },
      });
      client.expect(1);
      const ends = [record(RecordType.STDIN, 1), record(RecordType.DATA, 1)];
      client.socket.write(Buffer.concat([begin(1, role), paramsRecords(1, POST), ...ends]));
      const answer = parseCgi(await client.ended(1));
      assert.equal(answer.status, 500);
      assert.equal(reasonOf(answer), 'unknown-role');
      assert.equal(asked, 0);
      client.close();
    });
  }

  test('item 16: a web server that resets its connection has left', async () => {
    const held: WorkerRequest[] = [];
    const { client, port } = await setUp((request) => {
      held.push(request);
      if (held.length > 1) request.reply(ALLOW);
    });
    client.socket.write(question(1));
    await waitFor('the question at the worker', () => held.length === 1);
    client.socket.resetAndDestroy();
    await waitFor('the end of the worker connection', () => held[0]?.socket.destroyed);
    const next = await FrontClient.connect({ host: '127.0.0.1', port });
    assert.equal((await judge(next)).status, 200);
    next.close();
  });

  test('has a bound of its own on connections, and nobody keeps them all by saying nothing', async () => {
    const { client, port } = await setUp((request) => request.reply(ALLOW));
    const others = await Promise.all(
      Array.from({ length: 260 }, () => FrontClient.connect({ host: '127.0.0.1', port })),
    );
    await waitFor('some are closed', () => [client, ...others].filter(isOver).length >= 5);
    const late = await FrontClient.connect({ host: '127.0.0.1', port });
    assert.equal((await judge(late)).status, 200);
    await waitFor('a sixth to be closed', () => [client, ...others].filter(isOver).length >= 6);
    for (const one of [late, client, ...others]) one.close();
  });
});
