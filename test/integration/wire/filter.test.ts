// Wire checklist 66 and 67: Filters, which get a file (DATA) after the body. No web server is known to ask for one.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RecordType, Role } from '../../../src/fcgi-protocol/index.js';
import type { FakeApp } from '../../support/fake-supervisor.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import { parseCgi } from '../../support/front-client.js';
import { waitFor } from '../../support/wait-for.js';
import {
  begin,
  GET,
  paramsRecords,
  POST,
  reasonOf,
  record,
  stages,
  stdin,
  TEXT,
} from '../../support/wire-stage.js';

const start = stages();
const APP: FakeApp = { facts: { roles: ['responder', 'filter'] } };
const data = (content: Buffer | string = ''): Buffer => record(RecordType.DATA, 1, content);

const filtered = (length: number, base = GET): Map<string, string> =>
  new Map(base)
    .set('FCGI_DATA_LENGTH', String(length))
    .set('FCGI_DATA_LAST_MOD', '1700000000')
    .set('FCGI_WEB_SERVER_ADDRS', '10.0.0.1');

const head = (params: Map<string, string>): Buffer =>
  Buffer.concat([begin(1, Role.FILTER), paramsRecords(1, params)]);

/** Says what it got. */
const tell = (request: WorkerRequest): void => {
  const { body, data: file, params, role } = request;
  const said = [role, body.length, file.length, params.get('FCGI_DATA_LENGTH')];
  request.reply(`${TEXT}${said.join(' ')} ${params.get('FCGI_DATA_LAST_MOD') ?? '-'}`);
};

describe('item 67: a Filter gets its file after its body', () => {
  const orders: readonly (readonly [string, (file: Buffer) => readonly Buffer[]])[] = [
    ['one after the other', (file) => [stdin(1, 'abc'), stdin(1), data(file), data()]],
    ['mixed', (file) => [data(file), stdin(1, 'abc'), data(), stdin(1)]],
  ];
  for (const [what, order] of orders) {
    test(`${what} from the web server`, async () => {
      const { front, supervisor } = await start(tell, APP);
      front.expect(1);
      const params = filtered(5, POST).set('CONTENT_LENGTH', '3');
      front.socket.write(Buffer.concat([head(params), ...order(Buffer.from('12345'))]));
      const answer = parseCgi(await front.ended(1));
      assert.equal(answer.body.toString(), '3 3 5 5 1700000000');
      const [running] = supervisor.running.values();
      assert.deepEqual(running?.worker.violations, []);
    });
  }

  test('a large one, by way of the disk', async () => {
    let got: Buffer | undefined;
    const { front } = await start((request) => {
      got = request.data;
      tell(request);
    }, APP);
    const block = Buffer.from(Array.from({ length: 50_000 }, (_, at) => at % 251));
    front.expect(1);
    front.socket.write(Buffer.concat([head(filtered(0).set('FCGI_DATA_LENGTH', '')), stdin(1)]));
    for (let i = 0; i < 40; i += 1) front.socket.write(data(block));
    front.socket.write(data());
    const answer = parseCgi(await front.ended(1, 30_000));
    assert.equal(answer.body.toString(), '3 0 2000000 2000000 1700000000');
    assert.ok(got?.equals(Buffer.concat(Array.from({ length: 40 }, () => block))));
  });

  test('the same connection serves a Responder afterwards', async () => {
    const { front } = await start(tell, APP);
    front.expect(1);
    front.socket.write(Buffer.concat([head(filtered(1)), stdin(1), data('x'), data()]));
    assert.equal(parseCgi(await front.ended(1)).status, 200);
    assert.equal((await front.fetch(GET)).body.toString(), '1 0 0  -');
  });
});

describe('item 67: what breaks a Filter', () => {
  for (const [what, records] of [
    ['a file that is too short', [stdin(1), data('1234'), data()]],
    ['a file that is too long', [stdin(1), data('123456'), data()]],
  ] as const) {
    test(`${what} is a 400`, async () => {
      const { front, supervisor } = await start(tell, APP);
      front.expect(1);
      front.socket.write(Buffer.concat([head(filtered(5)), ...records]));
      const answer = parseCgi(await front.ended(1));
      assert.equal(answer.status, 400);
      assert.equal(reasonOf(answer), 'body-mismatch');
      assert.equal(supervisor.needs.length, 0);
    });
  }

  test('one that is announced beyond max_body is a 413', async () => {
    const limits = { maxBodyBytes: 1_000 };
    const { front } = await start(tell, { facts: { ...APP.facts, limits } });
    assert.equal((await front.fetch(GET)).status, 200);
    front.expect(1);
    front.socket.write(Buffer.concat([head(filtered(1_001)), stdin(1), data()]));
    assert.equal(parseCgi(await front.ended(1)).status, 413);
  });

  test('DATA before the end of the params ends the connection', async () => {
    const { front } = await start(tell, APP);
    front.socket.write(Buffer.concat([begin(1, Role.FILTER), data('x')]));
    await waitFor('the end of the connection', () => front.isClosed || front.isEnded);
  });

  test('a web server that leaves before the end of the file has asked nobody', async () => {
    const { front, rig, supervisor } = await start(tell, APP);
    front.socket.write(Buffer.concat([head(filtered(5)), stdin(1), data('12')]));
    await waitFor('the request', () => rig.router.counters.requestsActive === 1);
    front.close();
    await waitFor('no request', () => rig.router.counters.requestsActive === 0);
    assert.equal(supervisor.needs.length, 0);
  });
});
