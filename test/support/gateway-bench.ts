// A gateway between a test's browser and a test's responder.
import { once } from 'node:events';
import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Gateway } from '../../src/gateway/index.js';
import { createLogger } from '../../src/log.js';
import { FakeResponder, type FakeBehaviour } from './fake-responder.js';
import { scratchDirectory } from './scratch.js';

export interface Bench {
  readonly port: number;
  readonly directory: string;
  readonly responder: FakeResponder;
}

/** A gateway on a free port in front of a responder that does as told; both gone after the test. */
export async function setUp(t: TestContext, behaviour: FakeBehaviour): Promise<Bench> {
  const directory = scratchDirectory(t);
  const socketPath = join(directory, 'front.sock');
  const responder = new FakeResponder(behaviour);
  await responder.listen(socketPath);
  const gateway = new Gateway({
    socketPath,
    root: join(directory, 'srv/{user}/apps/{app}'),
    links: [{ href: '/~alice/apps/blog/', text: 'PHP <as alice>' }],
    log: createLogger('silent', 'gateway'),
  });
  const port = await gateway.listen(0);
  t.after(async () => {
    await gateway.close();
    await responder.close();
  });
  return { port, directory, responder };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** Every request on a new connection. */
export const noAgent = new Agent({ keepAlive: false });

/** The whole of an answer. */
export async function answerOf(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('latin1');
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

/** One request on a connection of its own. */
export async function ask(
  port: number,
  path: string,
  options: RequestOptions & { body?: string } = {},
): Promise<Answer> {
  const request = httpRequest({ host: '127.0.0.1', port, path, agent: noAgent, ...options });
  request.end(options.body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return answerOf(response);
}

/** Answers every request with one word. */
export const HELLO: FakeBehaviour = {
  onBody: (request) => request.answer('Content-Type: text/plain\r\n\r\nhello'),
};
