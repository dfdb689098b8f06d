// Small sites of five frameworks, each written as its own documentation does it, and all with the same pages.
//
//   /              "Home of NAME", its style sheet, a link to /greet/World, a form to /notes, the notes of this visitor
//   /greet/NAME    a path that is no file, of any characters
//   /notes         takes the form, remembers it in the session, sends back to /
//   /whoami        JSON
//   anything else  a page of the site's own that says so

export interface FrameworkSite {
  readonly name: string;
  /** What has to be installed. */
  readonly needs: string;
  readonly files: Readonly<Record<string, string>>;
  /** Where its style sheet comes from. */
  readonly styleSheet: string;
}

const FLASK: FrameworkSite = {
  name: 'flask',
  needs: '/usr/lib/python3/dist-packages/flask/__init__.py',
  styleSheet: '/static/site.css',
  files: {
    'app.py': `import os
from flask import Flask, redirect, render_template, request, session, url_for
app = Flask(__name__)
app.secret_key = os.environ['SITE_SECRET']

@app.get('/')
def home():
    return render_template('home.html', notes=session.get('notes', []))

@app.get('/greet/<name>')
def greet(name):
    return render_template('greet.html', name=name)

@app.post('/notes')
def add():
    session['notes'] = session.get('notes', []) + [request.form['text']]
    return redirect(url_for('home'))

@app.get('/whoami')
def whoami():
    return {'uid': os.geteuid(), 'host': request.host, 'address': request.remote_addr}

@app.errorhandler(404)
def missing(error):
    return render_template('missing.html', path=request.path), 404
`,
    'templates/home.html': `<title>Home of flask</title>
<link rel="stylesheet" href="{{ url_for('static', filename='site.css') }}">
<a href="{{ url_for('greet', name='World') }}">greet</a>
<form method="post" action="{{ url_for('add') }}"><input name="text"></form>
<ul>{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>
`,
    'templates/greet.html': '<p>Hello, {{ name }}!</p>',
    'templates/missing.html': '<p>No page {{ path }} in flask</p>',
    'static/site.css': 'body { color: navy }',
  },
};

const MOJOLICIOUS: FrameworkSite = {
  name: 'mojolicious',
  needs: '/usr/share/perl5/Mojolicious/Lite.pm',
  styleSheet: '/site.css',
  files: {
    'app.psgi': `#!/usr/bin/env perl
use Mojolicious::Lite -signatures;
app->secrets([$ENV{SITE_SECRET}]);
app->mode('production');
get '/' => sub ($c) { $c->render('home', notes => $c->session->{notes} // []) } => 'home';
get '/greet/#name' => sub ($c) { $c->render('greet') } => 'greeting';
post '/notes' => sub ($c) {
  return $c->render(text => 'forged', status => 403) if $c->validation->csrf_protect->has_error('csrf_token');
  push @{$c->session->{notes} //= []}, $c->param('text');
  $c->redirect_to('home');
} => 'notes';
get '/whoami' => sub ($c) {
  $c->render(json => { uid => $> + 0, host => $c->req->url->to_abs->host, address => $c->tx->remote_address });
};
any '/*whole' => sub ($c) { $c->render('missing', status => 404) };
app->start;
__DATA__
@@ home.html.ep
<title>Home of mojolicious</title>
%= stylesheet '/site.css'
%= link_to greet => url_for('greeting', name => 'World')
%= form_for notes => begin
%= csrf_field
%= text_field 'text'
% end
<ul>
% for my $note (@$notes) {
<li><%= $note %></li>
% }
</ul>
@@ greet.html.ep
<p>Hello, <%= $name %>!</p>
@@ missing.html.ep
<p>No page /<%= $whole %> in mojolicious</p>
`,
    'public/site.css': 'body { color: navy }',
  },
};

const SINATRA: FrameworkSite = {
  name: 'sinatra',
  needs: '/usr/share/rubygems-integration/all/specifications',
  styleSheet: '/site.css',
  files: {
    'config.ru': `require_relative 'site'
run Site
`,
    'site.rb': `require 'json'
require 'sinatra/base'
class Site < Sinatra::Base
  enable :sessions
  set :session_secret, ENV.fetch('SITE_SECRET')
  helpers { def h(text) = Rack::Utils.escape_html(text) }
  get('/') { erb :home }
  get('/greet/:name') { erb :greet }
  post('/notes') do
    session[:notes] = (session[:notes] || []) + [params[:text]]
    redirect to('/')
  end
  get('/whoami') do
    content_type :json
    { uid: Process.euid, host: request.host, address: request.ip }.to_json
  end
  not_found { erb :missing }
end
`,
    'views/home.erb': `<title>Home of sinatra</title>
<link rel="stylesheet" href="<%= url('/site.css', false) %>">
<a href="<%= url('/greet/World', false) %>">greet</a>
<form method="post" action="<%= url('/notes', false) %>"><input name="text"></form>
<ul><% (session[:notes] || []).each do |note| %><li><%= h note %></li><% end %></ul>
`,
    'views/greet.erb': '<p>Hello, <%= h params[:name] %>!</p>',
    'views/missing.erb': '<p>No page <%= h request.path_info %> in sinatra</p>',
    'public/site.css': 'body { color: navy }',
  },
};

const EXPRESS: FrameworkSite = {
  name: 'express',
  needs: '/usr/share/nodejs/express/index.js',
  styleSheet: '/assets/site.css',
  files: {
    'usherd.toml': '[env]\nNODE_PATH = "/usr/share/nodejs"\nSITE_SECRET = "SECRET-OF-THE-SITE"\n',
    'app.js': `const express = require('express');
const app = express();
app.set('trust proxy', true);
const h = (text) => text.replace(/[&<>"]/g, (c) => '&#' + c.charCodeAt(0) + ';');
const notesOf = (req) => {
  const [, value = ''] = /(?:^|; )notes=([^;]*)/.exec(req.get('Cookie') ?? '') ?? [];
  return value === '' ? [] : JSON.parse(Buffer.from(value, 'base64url').toString());
};
app.use(express.urlencoded({ extended: false }));
app.use('/assets', express.static('assets'));
app.get('/', (req, res) => res.send(\`<title>Home of express</title>
<link rel="stylesheet" href="/assets/site.css"><a href="/greet/World">greet</a>
<form method="post" action="/notes"><input name="text"></form>
<ul>\${notesOf(req).map((note) => '<li>' + h(note) + '</li>').join('')}</ul>\`));
app.get('/greet/:name', (req, res) => res.send('<p>Hello, ' + h(req.params.name) + '!</p>'));
app.post('/notes', (req, res) => {
  res.cookie('notes', Buffer.from(JSON.stringify([...notesOf(req), req.body.text])).toString('base64url'));
  res.redirect('/');
});
app.get('/whoami', (req, res) =>
  res.json({ uid: process.geteuid(), host: req.hostname, address: req.ip }));
app.use((req, res) => res.status(404).send('<p>No page ' + h(decodeURI(req.path)) + ' in express</p>'));
app.listen(process.env.PORT || 3000);
`,
    'assets/site.css': 'body { color: navy }',
  },
};

/** Django is a project with a generator, a database and a command, and has a test of its own. */
export const FRAMEWORK_SITES: readonly FrameworkSite[] = [FLASK, MOJOLICIOUS, SINATRA, EXPRESS];
