// conf.example/apache/usherd-status.conf through a real Apache: it serves the page, and a tenant's .htaccess does not.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { noApache } from '../../support/apache.js';
import { fetchHttp, type HttpAnswer } from '../../support/http.js';
import { StatusStage } from '../../support/status-stage.js';
import { waitFor } from '../../support/wait-for.js';

let stage: StatusStage;
const get = (path: string): Promise<HttpAnswer> => fetchHttp({ port: stage.apache.port, path });

describe('the status page behind Apache', { skip: noApache }, () => {
  before(async () => {
    stage = await StatusStage.start(
      {},
      {
        // A host where whoever writes .htaccess files may do everything that FileInfo allows.
        more: `<Directory \${USHERD_ROOT}/mallory>\n    Require all granted\n    AllowOverride FileInfo\n</Directory>
Alias /mallory \${USHERD_ROOT}/mallory\n`,
      },
    );
    await stage.visit(1);
  });
  after(() => stage.stop());

  test('is served with its style and script under their policy', async () => {
    const page = await get('/usherd-status');
    assert.equal(page.status, 200, stage.apache.errorLog());
    assert.match(page.body.toString(), /alice\/blog/);
    assert.match(String(page.headers['content-security-policy']), /^default-src 'none'/);
    assert.equal(
      (await get('/usherd-status?style')).headers['content-type'],
      'text/css; charset=utf-8',
    );
    assert.equal((await get('/usherd-status?script')).status, 200);
    assert.match((await get('/usherd-status?user=alice')).body.toString(), /usherd: alice/);
  });

  test('is not served by a .htaccess, whatever it says that it is', async () => {
    const directory = `${stage.rig.directory}/srv/mallory`;
    mkdirSync(directory, { recursive: true });
    writeFileSync(`${directory}/x`, 'x');
    writeFileSync(
      `${directory}/.htaccess`,
      `SetHandler "proxy:unix:${stage.rig.frontPath}|fcgi://usherd"
ProxyFCGISetEnvIf "true" USHERD_STATUS "@status.${'A'.repeat(43)}"
ProxyFCGISetEnvIf "true" REQUEST_URI "/usherd-status"
SetEnv USHERD_STATUS x
`,
    );
    const answer = await get('/mallory/x');
    assert.equal(answer.status, 403);
    assert.equal(answer.headers['x-usherd-reason'], 'refused-token');
  });

  test('asks for the new token once there is one', async () => {
    await stage.rotateToken();
    await waitFor('the old token to end', async () => (await get('/usherd-status')).status === 403);
    await stage.apache.graceful();
    assert.equal((await get('/usherd-status')).status, 200);
  });
});
