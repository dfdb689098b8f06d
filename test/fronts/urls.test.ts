// Every web server tells an application the same of the same URL: wherever it is mounted, whatever it is made of.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { absence, FrontRig } from '../support/fronts/front-rig.js';
import { FRONT_NAMES } from '../support/fronts/front.js';
import type { HttpAnswer, HttpRequest } from '../support/fronts/http-client.js';
import { RESPONDER } from '../support/fronts/responder.js';
import { URL_ROWS, type UrlRow } from './url-table.js';
import { differences, expected, type Place, type Told } from './url-told.js';

let rig: FrontRig;
before(async () => {
  rig = await FrontRig.start({ worker: RESPONDER });
});
after(() => rig.stop());

/** `webRoot` is below /srv. */
const place = (at: string, webRoot: string, kind: Place['kind']): Place => {
  const slash = at.indexOf('/');
  return slash === -1
    ? { host: at, mount: '', webRoot, kind }
    : { host: at.slice(0, slash), mount: at.slice(slash), webRoot, kind };
};

const PLACES: readonly Place[] = [
  place('localhost/~alice/apps/shop', 'alice/apps/shop', 'script'),
  place('localhost/~bob/apps/shop', 'bob/apps/shop/public', 'script'),
  place('localhost/~alice/apps/tool', 'alice/apps/tool', 'entry'),
  place('localhost/~bob/apps/tool', 'bob/apps/tool/public', 'entry'),
  place('shop.test', 'alice/apps/shop', 'script'),
  place('press.test', 'bob/apps/shop/public', 'script'),
  place('tool.test', 'alice/apps/tool', 'entry'),
  place('kit.test', 'bob/apps/tool/public', 'entry'),
  place('localhost/blog', 'alice/apps/shop', 'script'),
  place('localhost/press', 'bob/apps/shop/public', 'script'),
  place('localhost/kit', 'alice/apps/tool', 'entry'),
  place('localhost/suite', 'bob/apps/tool/public', 'entry'),
];

test('the table has at least sixty URLs, each once', () => {
  assert.ok(URL_ROWS.length >= 60);
  assert.equal(new Set(URL_ROWS.map(({ url }) => url)).size, URL_ROWS.length);
});

for (const name of FRONT_NAMES) {
  describe(name, { skip: absence(name), concurrency: 4 }, () => {
    for (const at of PLACES) {
      test(`${at.kind} at ${at.host}${at.mount} (${at.webRoot})`, async () => {
        const here = { ...at, webRoot: `${rig.srv}/${at.webRoot}` };
        const ask = (request: HttpRequest): Promise<HttpAnswer> => rig.front(name).request(request);
        const wanted = (row: UrlRow): Told | number =>
          row.refused?.[name] ?? expected(name, row, here);
        assert.deepEqual(await differences(ask, URL_ROWS, here, wanted), []);
      });
    }
  });
}
