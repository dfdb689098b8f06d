// conf.example/nginx/usherd-status.conf through a real nginx.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fitNginx } from '../../src/cli/web-server-config.js';
import { freePorts, IS_ROOT, ServerProcess, WEB_USER } from '../support/fronts/server-process.js';
import { fetchHttp } from '../support/http.js';
import { StatusStage } from '../support/status-stage.js';

const NGINX = '/usr/sbin/nginx';
const PARAMS = '/etc/nginx/fastcgi_params';
const SNIPPET = join(import.meta.dirname, '../../../conf.example/nginx/usherd-status.conf');

test(
  'nginx serves the status page, with style and script',
  { skip: !existsSync(NGINX) },
  async (t) => {
    const stage = await StatusStage.start();
    t.after(() => stage.stop());
    await stage.visit(1);
    const directory = join(stage.rig.directory, 'nginx');
    mkdirSync(directory);
    const [port = 0] = await freePorts(1);
    const snippet = fitNginx(stage.config, readFileSync(SNIPPET, 'utf8'));
    assert.deepEqual(snippet.complaints, []);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    writeFileSync(
      join(directory, 'nginx.conf'),
      `daemon off;
${IS_ROOT ? `user ${WEB_USER};` : ''}
pid ${directory}/nginx.pid;
error_log ${directory}/error.log warn;
events { worker_connections 64; }
http {
access_log off;
${temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n')}
server {
listen 127.0.0.1:${port};
${snippet.text.replace('include fastcgi_params', `include ${PARAMS}`)}
} }
`,
    );
    const command = [NGINX, '-e', `${directory}/error.log`, '-c', join(directory, 'nginx.conf')];
    const server = new ServerProcess({ directory, port, command });
    t.after(() => server.stop());
    await server.start();
    const page = await fetchHttp({ port, path: '/usherd-status' });
    assert.equal(page.status, 200, server.output());
    assert.match(page.body.toString(), /alice\/blog/);
    for (const path of [
      '/usherd-status?style',
      '/usherd-status?script',
      '/usherd-status?user=alice',
    ]) {
      assert.equal((await fetchHttp({ port, path })).status, 200, path);
    }
    assert.equal((await fetchHttp({ port, path: '/usherd-status/x' })).status, 404);
  },
);
