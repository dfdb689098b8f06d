// Every web server tells an application the same of the same URL: wherever it is mounted, whatever it is made of.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { absence, FrontRig } from '../support/fronts/front-rig.js';
import { FRONT_NAMES, type Front, type FrontName } from '../support/fronts/front.js';
import { RESPONDER } from '../support/fronts/responder.js';
import { URL_ROWS, type UrlRow } from './url-table.js';

let rig: FrontRig;
before(async () => {
  rig = await FrontRig.start({ worker: RESPONDER });
});
after(() => rig.stop());

/** Where an application is seen. */
interface Place {
  readonly host: string;
  /** What comes before the path in the URL, and is its SCRIPT_NAME. */
  readonly mount: string;
  /** Below /srv. */
  readonly webRoot: string;
  readonly kind: 'script' | 'entry';
}

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

interface Told {
  readonly SCRIPT_NAME?: string | undefined;
  readonly PATH_INFO?: string | undefined;
  readonly QUERY_STRING?: string | undefined;
  readonly REQUEST_URI?: string | undefined;
  readonly SCRIPT_FILENAME?: string | undefined;
  readonly DOCUMENT_ROOT?: string | undefined;
}

function expected(name: FrontName, row: UrlRow, { mount, webRoot, kind }: Place): Told {
  const root = `${rig.srv}/${webRoot}`;
  const common = {
    QUERY_STRING: row.query ?? '',
    REQUEST_URI: mount + (row.uri?.[name] ?? row.url),
    DOCUMENT_ROOT: root,
  };
  if (kind === 'entry' && row.script === undefined) {
    const directory = root.replace(/\/public$/, '');
    return { SCRIPT_NAME: mount, PATH_INFO: row.path, SCRIPT_FILENAME: directory, ...common };
  }
  const [script, info] = row.script ?? ['/index.php', row.path === '/' ? '' : row.path];
  const pathInfo = info === '' ? {} : { PATH_INFO: info };
  return {
    SCRIPT_NAME: mount + script,
    ...pathInfo,
    SCRIPT_FILENAME: root + script,
    ...common,
  };
}

async function told(front: Front, row: UrlRow, { host, mount }: Place): Promise<Told | number> {
  const { status, body } = await front.request({ path: mount + row.url, host });
  if (status !== 200) return status;
  const params = JSON.parse(body.toString('latin1')) as Record<string, string>;
  const names = [
    'SCRIPT_NAME',
    'PATH_INFO',
    'SCRIPT_FILENAME',
    'QUERY_STRING',
    'REQUEST_URI',
    'DOCUMENT_ROOT',
  ];
  return Object.fromEntries(
    names.flatMap((name) => (params[name] === undefined ? [] : [[name, params[name]]])),
  );
}

const shown = (told: Told | number): string =>
  typeof told === 'number' ? `${told}` : JSON.stringify(told, Object.keys(told).sort());

/** All differences at once: one line a URL says more than the first that fails. */
async function differences(name: FrontName, at: Place): Promise<string[]> {
  const found: string[] = [];
  for (const row of URL_ROWS) {
    const wanted = shown(row.refused?.[name] ?? expected(name, row, at));
    const got = shown(await told(rig.front(name), row, at));
    if (got !== wanted) found.push(`${row.url}: ${got} instead of ${wanted}`);
  }
  return found;
}

test('the table has at least sixty URLs, each once', () => {
  assert.ok(URL_ROWS.length >= 60);
  assert.equal(new Set(URL_ROWS.map(({ url }) => url)).size, URL_ROWS.length);
});

for (const name of FRONT_NAMES) {
  describe(name, { skip: absence(name), concurrency: 4 }, () => {
    for (const at of PLACES) {
      test(`${at.kind} at ${at.host}${at.mount} (${at.webRoot})`, async () => {
        assert.deepEqual(await differences(name, at), []);
      });
    }
  });
}
