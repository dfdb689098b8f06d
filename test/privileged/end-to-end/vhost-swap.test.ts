// A host's link leads to a directory that its user may exchange for a link: what Apache can read elsewhere stays unpublished.
import assert from 'node:assert/strict';
import { lchownSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Apache, noApache, SHIPPED_VHOSTS } from '../../support/apache.js';
import { fetchHttp, type HttpAnswer } from '../../support/http.js';
import { needsRoot } from '../../support/needs-root.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_141 };
const BOB = { name: 'bob', uid: 52_142 };

describe(
  'a virtual host whose user exchanges the directory',
  {
    skip: needsRoot || noApache,
  },
  () => {
    let usherd: UsherdRun;
    let apache: Apache;
    const get = (path: string): Promise<HttpAnswer> =>
      fetchHttp({ port: apache.port, path, headers: { Host: 'blog.test' } });

    before(async () => {
      usherd = await UsherdRun.start([ALICE, BOB], { routerUid: 52_149 });
      usherd.write('alice/blog', 'hello.txt', 'hello of alice\n');
      usherd.write('alice/other', 'hello.txt', 'another of alice\n');
      usherd.write('bob/shop', 'public/index.html', 'shop of bob\n');
      usherd.write('bob/shop', 'private/customers.txt', 'customers of bob\n');
      apache = await Apache.start({
        directory: join(usherd.directory, 'apache'),
        socketPath: usherd.frontSocket,
        root: usherd.root,
        more: readFileSync(SHIPPED_VHOSTS, 'utf8').replace('*:80>', '*:${PORT}>'),
      });
      const { code, out } = await usherd.command('vhost', 'add', 'blog.test', 'alice/blog');
      assert.equal(code, 0, out);
    });
    after(async () => {
      await apache.stop();
      await usherd.stop();
    });

    const exchange = (target: string): void => {
      const blog = join(usherd.root, 'alice/apps/blog');
      const draft = `${blog}.new`;
      symlinkSync(target, draft);
      lchownSync(draft, ALICE.uid, ALICE.uid);
      renameSync(draft, blog);
    };

    test('her own files are published, those of another user are not', async () => {
      const own = await waitFor('the host answers', async () => {
        const answer = await get('/hello.txt');
        return answer.status === 200 && answer;
      });
      assert.equal(own.body.toString(), 'hello of alice\n');

      const apps = join(usherd.root, 'alice/apps');
      renameSync(join(apps, 'blog'), join(apps, 'blog.old'));
      exchange(join(apps, 'other'));
      assert.equal((await get('/hello.txt')).body.toString(), 'another of alice\n');

      exchange(join(usherd.root, 'bob/apps/shop/private'));
      const stolen = await get('/customers.txt');
      assert.doesNotMatch(stolen.body.toString(), /customers of bob/);
      assert.notEqual(stolen.status, 200);
    });
  },
);
