// The status page through the front socket: who gets it, what it says, and that nobody gets it by a param alone.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import type { CgiAnswer } from '../../support/front-client.js';
import { appParams, RouterRig } from '../../support/router-rig.js';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

/** As `usherd token new` writes it. */
function makeToken({ directory }: RouterRig, name: string): string {
  const token = `${name}.${randomBytes(32).toString('base64url')}`;
  const sha256 = createHash('sha256').update(token, 'latin1').digest('hex');
  mkdirSync(`${directory}/state/tokens/digests`, { recursive: true });
  writeFileSync(`${directory}/state/tokens/digests/${name}`, `${sha256} 0\n`, { mode: 0o640 });
  return token;
}

async function started(): Promise<RouterRig> {
  rig = await RouterRig.start({
    apps: {
      'alice/blog': {
        worker: {
          onRequest: (request) =>
            request.reply(
              `Status: 200\r\n\r\n${[...request.params.keys()].filter((it) => it.includes('USHERD')).join()}`,
            ),
        },
      },
      'bob/shop': {
        refuse: { code: 'E_ACCESS_REFUSED', rule: 'app-owner', detail: '<i>root</i>' },
      },
    },
  });
  return rig;
}

/** As Apache sends it for `<Location /usherd-status>`. */
const statusParams = (
  token: string | undefined,
  extra: Readonly<Record<string, string>> = {},
): Map<string, string> =>
  new Map(
    Object.entries({
      REQUEST_METHOD: 'GET',
      QUERY_STRING: '',
      REQUEST_URI: '/usherd-status',
      SCRIPT_FILENAME: 'proxy:fcgi://usherd/var/www/html/usherd-status',
      SCRIPT_NAME: '/usherd-status',
      SERVER_PROTOCOL: 'HTTP/1.1',
      ...(token === undefined ? {} : { USHERD_STATUS: token }),
      ...extra,
    }),
  );

test('with its token, the page shows applications, workers, users and failures with their remedy', async () => {
  const router = await started();
  const token = makeToken(router, '@status');
  const front = await router.front();
  await front.fetch(appParams('alice/blog'));
  assert.equal((await front.fetch(appParams('bob/shop'))).status, 403);
  const answer = await front.fetch(statusParams(token));
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(
    answer.headers.get('content-security-policy') ?? '',
    /^default-src 'none'; .*frame-ancestors 'none'$/,
  );
  const page = answer.body.toString();
  for (const shown of [
    /alice\/blog/,
    /1 of 4/,
    /<a href="\?user=alice">/,
    /refused-app-owner/,
    /Remedy: /,
  ]) {
    assert.match(page, shown);
  }
  assert.match(page, /&lt;i&gt;root&lt;\/i&gt;/);
  assert.doesNotMatch(page, /<i>/);
  assert.equal(answer.headers.get('content-length'), String(answer.body.length));
});

test('style and script have the same policy, a user has a page of his own, and nothing can be sent', async () => {
  const router = await started();
  const token = makeToken(router, '@status');
  const front = await router.front();
  await front.fetch(appParams('alice/blog'));
  const get = (query: string): Promise<CgiAnswer> =>
    front.fetch(statusParams(token, { QUERY_STRING: query }));
  const style = await get('style');
  assert.equal(style.headers.get('content-type'), 'text/css; charset=utf-8');
  assert.equal(style.headers.get('x-content-type-options'), 'nosniff');
  assert.equal((await get('script')).headers.get('content-type'), 'text/javascript; charset=utf-8');
  assert.match((await get('user=alice')).body.toString(), /alice\/blog/);
  assert.doesNotMatch((await get('user=bob')).body.toString(), /alice\/blog/);
  assert.match((await get('user=<script>')).body.toString(), /<title>usherd<\/title>/);
  const posted = await front.fetch(statusParams(token, { REQUEST_METHOD: 'POST' }));
  assert.equal(posted.status, 405);
  const head = await front.fetch(statusParams(token, { REQUEST_METHOD: 'HEAD' }));
  assert.equal(head.body.length, 0);
});

test('a param alone opens nothing: no token, a wrong one, a user’s, or one without a file', async () => {
  const router = await started();
  const front = await router.front();
  const before = await front.fetch(statusParams('@status.guessed'));
  assert.equal(before.status, 403, 'there is no token at all');
  const token = makeToken(router, '@status');
  const alices = makeToken(router, 'alice');
  for (const wrong of ['', 'x', `${token}x`, token.slice(1), alices, '@status.', '@status']) {
    const answer = await front.fetch(statusParams(wrong));
    assert.equal(answer.status, 403, wrong);
    assert.equal(answer.headers.get('x-usherd-reason'), 'refused-token');
    assert.doesNotMatch(answer.body.toString(), /alice/);
  }
  // Without the param, it is a path like any other.
  assert.equal((await front.fetch(statusParams(undefined))).status, 403);
  assert.equal(
    (await front.fetch(appParams('alice/blog', '/', { USHERD_STATUS: 'guess' }))).status,
    403,
  );
  const through = await front.fetch(
    appParams('alice/blog', '/', { REDIRECT_USHERD_STATUS: token }),
  );
  assert.equal(through.body.toString(), '', 'no worker sees it');
});

test('commands of the administrator can ask while the page is being made', async () => {
  const router = await started();
  const token = makeToken(router, '@status');
  const front = await router.front();
  front.send(1, statusParams(token));
  router.supervisor.send({ type: 'report', serial: 7, about: 'requests' });
  await front.ended(1);
  for (const message of router.supervisor.received) {
    if (message.type === 'reportRequest') assert.equal(message.app, '');
  }
});
