// Events arrive one by one, whatever stands in between: the worker sends the next only when the browser has the last.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import type { WorkerRequest } from '../support/fake-worker.js';
import { absence, FrontRig } from '../support/fronts/front-rig.js';
import { FRONT_NAMES, type FrontName } from '../support/fronts/front.js';
import { waitFor } from '../support/wait-for.js';

const EVENTS_COUNT = 20;
const STDOUT = 6;

const streams = new Map<string, WorkerRequest>();
let rig: FrontRig;
before(async () => {
  rig = await FrontRig.start({
    worker: {
      onRequest: (request) => streams.set(request.params.get('QUERY_STRING') ?? '', request),
    },
  });
});
after(() => rig.stop());

interface Listener {
  text(): string;
  leave(): void;
  isEnded(): boolean;
}

async function listen(
  name: FrontName,
  query: string,
): Promise<{ listener: Listener; request: WorkerRequest }> {
  let text = '';
  let isEnded = false;
  const outgoing = http.get({
    host: '127.0.0.1',
    port: rig.front(name).port,
    path: `/~alice/apps/tool/events?${query}`,
    headers: { Host: 'localhost' },
    agent: false,
  });
  outgoing.on('error', () => undefined);
  outgoing.on('response', (message) => {
    message.setEncoding('latin1');
    message.on('data', (part: string) => (text += part));
    message.on('error', () => undefined);
    message.on('end', () => (isEnded = true));
  });
  const request = await waitFor('the request at the worker', () => streams.get(query));
  const listener = {
    text: () => text,
    leave: () => void outgoing.destroy(),
    isEnded: () => isEnded,
  };
  return { listener, request };
}

const say = ({ encoder, id }: WorkerRequest, text: string): boolean =>
  encoder.stream(STDOUT, id, Buffer.from(text));

for (const name of FRONT_NAMES) {
  describe(name, { skip: absence(name) }, () => {
    test('item 58: events of a few bytes arrive one by one', async () => {
      const { listener, request } = await listen(name, `${name}-events`);
      say(request, 'Content-Type: text/event-stream\r\n\r\n');
      for (let i = 0; i < EVENTS_COUNT; i += 1) {
        say(request, `data: ${i}\n\n`);
        await waitFor(`event ${i}`, () => listener.text().endsWith(`data: ${i}\n\n`));
      }
      request.encoder.endRequest(request.id, 0, 0);
      await waitFor('the end', () => listener.isEnded());
    });

    test('a browser that leaves a stream ends it at the worker, some events later at most', async () => {
      const { listener, request } = await listen(name, `${name}-left`);
      say(request, 'Content-Type: text/event-stream\r\n\r\n');
      say(request, 'data: first\n\n');
      await waitFor('the first event', () => listener.text() !== '');
      listener.leave();
      await waitFor('the end at the worker', () => {
        if (!request.socket.destroyed && !request.socket.readableEnded) {
          say(request, `data: ${'more'.repeat(200)}\n\n`);
          return false;
        }
        return true;
      });
      assert.ok(rig.front(name).isAlive);
    });
  });
}
