// A router with one application, for the tests of the wire checklist: what its worker does, and what the web server sends byte for byte.
import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import type { Config } from '../../src/config/index.js';
import { encodeRecordHeader, RecordType } from '../../src/fcgi-protocol/index.js';
import type { FakeApp } from './fake-supervisor.js';
import type { WorkerRequest } from './fake-worker.js';
import { parseCgi, type CgiAnswer, type FrontClient } from './front-client.js';
import { appParams, RouterRig, type RigOptions } from './router-rig.js';
import { waitFor } from './wait-for.js';

export const TEXT = 'Content-Type: text/plain\r\n\r\n';
export const GET = appParams('alice/blog');
export const POST = appParams('alice/blog', '/', { REQUEST_METHOD: 'POST' });

/** Refused as soon as the params are there. */
export const REFUSED = new Map(POST).set('SCRIPT_FILENAME', '/etc/passwd');

export type Behaviour = (request: WorkerRequest) => unknown;

/** Answers with the path and the length of the body. */
export const hello: Behaviour = (request) =>
  request.reply(`${TEXT}${request.params.get('PATH_INFO') ?? ''}:${request.body.length}`);

export interface WireStage {
  readonly rig: RouterRig;
  readonly front: FrontClient;
  readonly supervisor: RouterRig['supervisor'];
}

/** Stops what a test has started, whether or not it passed. */
export function stages(): (
  onRequest: Behaviour,
  app?: FakeApp,
  config?: Partial<Config>,
  options?: Pick<RigOptions, 'authorizers' | 'copyStderr'>,
) => Promise<WireStage> {
  const rigs: RouterRig[] = [];
  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.stop()));
  });
  return async (onRequest, app = {}, config = {}, options = {}) => {
    const here = { ...app, worker: { onRequest, ...app.worker } };
    const apps = { 'alice/blog': here, 'bob/shop': here };
    const rig = await RouterRig.start({ apps, config, ...options });
    rigs.push(rig);
    return { rig, front: await rig.front(), supervisor: rig.supervisor };
  };
}

/** A record of any header fields; the eighth byte and the padding are junk. */
export function record(
  type: number,
  id: number,
  content: Buffer | string = '',
  { version = 1, padding = 0 }: { readonly version?: number; readonly padding?: number } = {},
): Buffer {
  const bytes = Buffer.from(content);
  const header = encodeRecordHeader(type, id, bytes.length);
  header.writeUInt8(version, 0);
  header.writeUInt8(padding, 6);
  header.writeUInt8(0xa5, 7);
  return Buffer.concat([header, bytes, Buffer.alloc(padding, 0xa5)]);
}

export const begin = (id: number, role = 1, flags = 1, length = 8): Buffer =>
  record(
    RecordType.BEGIN_REQUEST,
    id,
    Buffer.from([role >> 8, role & 0xff, flags, 9, 9, 9, 9, 9, 9]).subarray(0, length),
  );

/** Name-value pairs with short lengths where they fit. */
export function pairs(params: ReadonlyMap<string, string>): Buffer {
  const length = (n: number): Buffer =>
    n < 128 ? Buffer.from([n]) : Buffer.from([0x80 | (n >>> 24), n >>> 16, n >>> 8, n]);
  return Buffer.concat(
    [...params].flatMap(([name, value]) => [
      length(name.length),
      length(value.length),
      Buffer.from(name + value, 'latin1'),
    ]),
  );
}

export const paramsRecords = (id: number, params: ReadonlyMap<string, string>): Buffer =>
  Buffer.concat([record(RecordType.PARAMS, id, pairs(params)), record(RecordType.PARAMS, id)]);
export const stdin = (id: number, content: Buffer | string = ''): Buffer =>
  record(RecordType.STDIN, id, content);

/** BEGIN, PARAMS, body and the end of STDIN. */
export const whole = (id: number, params = GET, body: Buffer | string = '', flags = 1): Buffer =>
  Buffer.concat([
    begin(id, 1, flags),
    paramsRecords(id, params),
    ...(body.length > 0 ? [stdin(id, body)] : []),
    stdin(id),
  ]);

export async function answerTo(front: FrontClient, id: number): Promise<CgiAnswer> {
  return parseCgi(await front.ended(id));
}

/** Another connection is served: what happened on the first has not hurt the router. */
export async function assertServing(rig: RouterRig): Promise<void> {
  const front = await rig.front();
  assert.equal((await front.fetch(GET)).status, 200);
}

export const closed = (front: FrontClient): Promise<boolean> =>
  waitFor('the end of the front connection', () => front.isClosed || front.isEnded);

export const reasonOf = (answer: CgiAnswer): string | undefined =>
  answer.headers.get('x-usherd-reason');
