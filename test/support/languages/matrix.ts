// What every language has to do behind the real Apache and behind the gateway, one test each: the same contract for all of them.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Gateway } from '../../../src/gateway/index.js';
import { createLogger } from '../../../src/log.js';
import { Apache, noApache } from '../apache.js';
import { fetchHttp, type HttpAnswer, type HttpRequest } from '../http.js';
import { needsRoot } from '../needs-root.js';
import { UsherdRun } from '../usherd-run.js';
import { waitFor } from '../wait-for.js';
import { LANGUAGES, noLanguage, type LanguageCase } from './cases.js';

/** A Java machine on a busy computer takes its time. */
const START_DEADLINE_MS = 120_000;

const ALICE = { name: 'alice', uid: 52_301 };
const BOB = { name: 'bob', uid: 52_302 };

const FRONTS = ['Apache', 'the gateway'] as const;
type Front = (typeof FRONTS)[number];

/** Everything that the tests of one language use. */
class Stage {
  readonly usherd: UsherdRun;
  readonly #apache: Apache;
  readonly #gateway: Gateway;
  readonly #ports: Readonly<Record<Front, number>>;
  /** Whom fetch() asks. */
  front: Front = 'Apache';

  private constructor(parts: {
    readonly usherd: UsherdRun;
    readonly apache: Apache;
    readonly gateway: Gateway;
    readonly gatewayPort: number;
  }) {
    this.usherd = parts.usherd;
    this.#apache = parts.apache;
    this.#gateway = parts.gateway;
    this.#ports = { Apache: parts.apache.port, 'the gateway': parts.gatewayPort };
  }

  static async start(more: string): Promise<Stage> {
    const usherd = await UsherdRun.start([ALICE, BOB], {
      routerUid: 52_309,
      more: `${more}\n[limits]\nstart_timeout = "120s"\nqueue_timeout = "120s"`,
    });
    const directory = join(usherd.directory, 'apache');
    const { frontSocket: socketPath, root } = usherd;
    const apache = await Apache.start({ directory, socketPath, root });
    const pattern = join(root, '{user}/apps/{app}');
    const log = createLogger('silent', 'gateway');
    const gateway = new Gateway({ socketPath, root: pattern, links: [], log });
    return new Stage({ usherd, apache, gateway, gatewayPort: await gateway.listen(0) });
  }

  async stop(): Promise<void> {
    await this.#gateway.close();
    await this.#apache.stop();
    await this.usherd.stop();
  }

  deploy(user: string, { name, files }: LanguageCase): void {
    for (const { name: file, text, mode } of files()) {
      this.usherd.write(`${user}/${name}`, file, text, mode);
    }
  }

  get port(): number {
    return this.#ports[this.front];
  }

  fetch(path: string, more: Partial<HttpRequest> = {}): Promise<HttpAnswer> {
    return fetchHttp({ port: this.port, path, ...more });
  }
}

const urlOf = (user: string, one: LanguageCase, route: string): string =>
  `/~${user}/apps/${one.name}${one.base}${route}`;

/** "hello NAME uid=U pid=P" */
function greetingOf(answer: HttpAnswer): { name: string; uid: number; pid: number } {
  const text = answer.body.toString();
  const [, name = '', uid, pid] = /^hello (\S+) uid=(\d+) pid=(\d+)$/.exec(text) ?? [];
  assert.ok(uid !== undefined && pid !== undefined, `${answer.status} ${text.slice(0, 2_000)}`);
  return { name, uid: Number(uid), pid: Number(pid) };
}

const MEGABYTES = 10;

async function bodyIsWhole(stage: Stage, one: LanguageCase, isChunked: boolean): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024, 'usherd');
  const count = (MEGABYTES * 1024 * 1024) / chunk.length;
  const hash = createHash('sha256');
  for (let i = 0; i < count; i += 1) hash.update(chunk);
  const length = isChunked ? {} : { 'Content-Length': count * chunk.length };
  const answer = await stage.fetch(urlOf('alice', one, '/hash'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream', ...length },
    body: Array.from({ length: count }, () => chunk),
  });
  assert.equal(answer.body.toString(), `${count * chunk.length} ${hash.digest('hex')}`);
}

/** All of the text that was there whenever more of it had come. */
function listen(
  stage: Stage,
  path: string,
): Promise<{ readonly seen: readonly string[]; readonly whole: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = http.get({ host: '127.0.0.1', port: stage.port, path, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const seen: string[] = [];
      let whole = '';
      incoming.on('error', reject);
      incoming.on('data', (chunk: Buffer) => {
        whole += chunk.toString();
        seen.push(whole);
      });
      incoming.on('end', () => resolve({ seen, whole }));
    });
  });
}

/** As the supervisor knows them: behind walls all programs have the same number. */
async function workerPids(stage: Stage, one: LanguageCase): Promise<readonly number[]> {
  const { apps } = await stage.usherd.status();
  const own = apps.filter(({ app }) => app === `alice/${one.name}`);
  return own.flatMap(({ workers }) => workers.map(({ pid }) => pid));
}

async function restartsGracefully(stage: Stage, one: LanguageCase): Promise<void> {
  const wrong: string[] = [];
  let served = 0;
  let isOver = false;
  const client = async (): Promise<void> => {
    const agent = new http.Agent({ keepAlive: true });
    while (!isOver) {
      const answer = await stage.fetch(urlOf('alice', one, '/hello'), { agent });
      if (answer.status === 200 && greetingOf(answer).name === one.name) served += 1;
      else wrong.push(`${answer.status} ${answer.body.toString().slice(0, 200)}`);
    }
    agent.destroy();
  };
  const clients = Array.from({ length: 8 }, client);
  await waitFor('answers', () => served > 0 || wrong.length > 0, START_DEADLINE_MS);
  const before = await waitFor('the workers of before', async () => {
    const pids = await workerPids(stage, one);
    return pids.length > 0 ? pids : undefined;
  });
  stage.usherd.write(`alice/${one.name}`, 'restart.txt', String(process.hrtime.bigint()));
  await waitFor(
    'other processes only',
    async () => {
      const now = await workerPids(stage, one);
      return now.length > 0 && !now.some((pid) => before.includes(pid));
    },
    START_DEADLINE_MS,
  );
  const servedByBefore = served;
  await waitFor('their answers', () => served > servedByBefore, START_DEADLINE_MS);
  isOver = true;
  await Promise.all(clients);
  assert.deepEqual(wrong, []);
}

function caseOf(name: string): LanguageCase {
  const found = LANGUAGES.find((one) => one.name === name);
  assert.ok(found, name);
  return found;
}

/** The tests of one language. @param more of the configuration */
export function testLanguage(name: string, more = ''): void {
  const one = caseOf(name);
  describe(
    [one.language, more.replaceAll('\n', ' ')].join(' ').trim(),
    { skip: needsRoot || noApache || noLanguage(one) },
    () => {
      let stage: Stage;
      before(async () => {
        stage = await Stage.start(more);
        stage.deploy('alice', one);
        stage.deploy('bob', one);
      });
      after(() => stage.stop());

      for (const front of FRONTS) {
        describe(`behind ${front}`, () => {
          before(() => {
            stage.front = front;
          });
          contract(one, () => stage);
        });
      }
    },
  );
}

/** The same behind every front. */
function contract(one: LanguageCase, stage: () => Stage): void {
  test('two users side by side, each under the own uid', async () => {
    for (const user of [ALICE, BOB]) {
      const greeting = greetingOf(await stage().fetch(urlOf(user.name, one, '/hello')));
      assert.equal(greeting.name, one.name);
      assert.equal(greeting.uid, user.uid);
    }
  });

  test('64 requests at once, users interleaved', async () => {
    const answers = await Promise.all(
      Array.from({ length: 64 }, async (_, i) => {
        const user = i % 2 === 0 ? ALICE : BOB;
        const answer = await stage().fetch(urlOf(user.name, one, '/hello'));
        return { expected: user.uid, uid: greetingOf(answer).uid };
      }),
    );
    for (const { expected, uid } of answers) assert.equal(uid, expected);
  });

  test('the mount, the path and the query arrive as they are', async () => {
    const answer = await stage().fetch(`${urlOf('alice', one, '/echo/x%20y/z')}?q=1&r=%20`);
    assert.equal(answer.body.toString(), `/~alice/apps/${one.name}|/echo/x y/z|q=1&r=%20`);
  });

  for (const isChunked of [false, true]) {
    test(`10 MiB go in whole, ${isChunked ? 'chunked' : 'with their length'}`, () =>
      bodyIsWhole(stage(), one, isChunked));
  }

  test('one event a second comes one by one', async () => {
    const { seen, whole } = await listen(stage(), urlOf('alice', one, '/stream'));
    assert.equal(whole, 'event 1\nevent 2\nevent 3\n');
    for (const part of ['event 1\n', 'event 1\nevent 2\n']) assert.ok(seen.includes(part), part);
  });

  test('a restart under load fails no request', () => restartsGracefully(stage(), one));

  test('a crash is a 502, and the next request is served', async () => {
    const crashed = await stage().fetch(urlOf('alice', one, '/crash'));
    assert.equal(crashed.status, 502, crashed.body.toString().slice(0, 500));
    await waitFor(
      'an answer after the back-off',
      async () => (await stage().fetch(urlOf('alice', one, '/hello'))).status === 200,
      START_DEADLINE_MS,
    );
  });
}
