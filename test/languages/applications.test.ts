// Real frameworks from Debian's packages behind the real Apache: pages, their own links below the mount, redirects, static files.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Apache, noApache } from '../support/apache.js';
import { fetchHttp, type HttpAnswer } from '../support/http.js';
import { needsRoot } from '../support/needs-root.js';
import { UsherdRun } from '../support/usherd-run.js';

const ALICE = { name: 'alice', uid: 52_321 };

interface Framework {
  readonly name: string;
  readonly needs: string;
  readonly files: Readonly<Record<string, string>>;
}

const DJANGO_SETTINGS = `SECRET_KEY = 'x' * 50
ROOT_URLCONF = 'site1.urls'
ALLOWED_HOSTS = ['*']
`;
const DJANGO_URLS = `from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
urlpatterns = [
    path('', lambda request: HttpResponse('home of django ' + reverse('page'))),
    path('page', lambda request: HttpResponse('a page'), name='page'),
    path('go', lambda request: redirect('page')),
]
`;
const DJANGO_WSGI = `import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')
application = get_wsgi_application()
`;

/** Each: `/` says "home of NAME" and the address of its page; `/go` sends there; `/page` says "a page". */
const FRAMEWORKS: readonly Framework[] = [
  {
    name: 'flask',
    needs: '/usr/lib/python3/dist-packages/flask/__init__.py',
    files: {
      'app.py': `from flask import Flask, redirect, url_for
app = Flask(__name__)
@app.route('/')
def home(): return 'home of flask ' + url_for('page')
@app.route('/page')
def page(): return 'a page'
@app.route('/go')
def go(): return redirect(url_for('page'))
`,
    },
  },
  {
    name: 'django',
    needs: '/usr/lib/python3/dist-packages/django/__init__.py',
    files: {
      'manage.py': "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n",
      'site1/__init__.py': '',
      'site1/settings.py': DJANGO_SETTINGS,
      'site1/urls.py': DJANGO_URLS,
      'site1/wsgi.py': DJANGO_WSGI,
    },
  },
  {
    name: 'mojolicious',
    needs: '/usr/share/perl5/Mojolicious/Lite.pm',
    files: {
      'app.psgi': `use Mojolicious::Lite -signatures;
get '/' => sub ($c) { $c->render(text => 'home of mojolicious ' . $c->url_for('page')) };
get '/page' => sub ($c) { $c->render(text => 'a page') } => 'page';
get '/go' => sub ($c) { $c->redirect_to('page') };
app->secrets(['x'])->start;
`,
    },
  },
  {
    name: 'sinatra',
    needs: '/usr/share/rubygems-integration/all/specifications',
    files: {
      'config.ru': `require 'sinatra/base'
class Site < Sinatra::Base
  get('/') { 'home of sinatra ' + url('/page', false) }
  get('/page') { 'a page' }
  get('/go') { redirect to('/page') }
end
run Site
`,
    },
  },
  {
    name: 'express',
    needs: '/usr/share/nodejs/express/index.js',
    files: {
      'usherd.toml': '[env]\nNODE_PATH = "/usr/share/nodejs"\n',
      'server.js': `const app = require('express')();
app.get('/', (q, r) => r.send('home of express ' + q.get('X-Forwarded-Prefix') + '/page'));
app.get('/page', (q, r) => r.send('a page'));
app.get('/go', (q, r) => r.redirect('/page'));
app.listen(process.env.PORT || 3000);
`,
    },
  },
];

describe('real frameworks', { skip: needsRoot || noApache }, () => {
  let usherd: UsherdRun;
  let apache: Apache;
  before(async () => {
    usherd = await UsherdRun.start([ALICE], { routerUid: 52_329 });
    const directory = join(usherd.directory, 'apache');
    const { frontSocket: socketPath, root } = usherd;
    apache = await Apache.start({ directory, socketPath, root });
  });
  after(async () => {
    await apache.stop();
    await usherd.stop();
  });

  for (const { name, needs, files } of FRAMEWORKS) {
    const skip = existsSync(needs) ? false : `${needs} is not there`;
    test(
      `${name}: pages, links, redirects and static files below its mount`,
      { skip },
      async () => {
        for (const [file, text] of Object.entries(files)) usherd.write(`alice/${name}`, file, text);
        usherd.write(`alice/${name}`, 'public/style.css', 'p { color: red }');
        const mount = `/~alice/apps/${name}`;
        const get = (path: string): Promise<HttpAnswer> =>
          fetchHttp({ port: apache.port, path: mount + path });
        assert.equal((await get('/')).body.toString(), `home of ${name} ${mount}/page`);
        const sent = await get('/go');
        assert.equal(sent.status, 302);
        const location = new URL(sent.headers.location ?? '', `http://127.0.0.1:${apache.port}/`);
        assert.equal(location.pathname, `${mount}/page`);
        assert.equal((await get('/page')).body.toString(), 'a page');
        assert.equal((await get('/style.css')).body.toString(), 'p { color: red }');
        for (const file of Object.keys(files)) {
          const leaked = await get(`/${file}`);
          assert.notEqual(leaked.body.toString(), files[file], file);
        }
        assert.equal((await get('/nothing')).status, 404);
      },
    );
  }
});
