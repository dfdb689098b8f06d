// What the runtimes refuse, mistakes of the manifest among it: one application that breaks each rule, and the exact words.
import type { Broken } from './broken-applications.js';
import { A_UID, type TenantTree } from './tenants.js';

const PROGRAM = '#!/bin/sh\n';
const manifest = (tree: TenantTree, app: string, text: string): string =>
  tree.file(A_UID, `${app}/usherd.toml`, text);

export const BROKEN_RUNTIMES: readonly Broken[] = [
  {
    rule: 'no-runtime',
    make: (tree, app) => {
      tree.file(A_UID, `${app}/main.py`, '');
      return {
        path: app,
        found: 'no file that says what is to run',
        expected:
          'one of app.fcgi, index.fcgi, dispatch.fcgi, asgi.py, passenger_wsgi.py, wsgi.py, app.py, manage.py, app.psgi, config.ru, package.json, server.js, server.mjs, app.js, app.mjs, WEB-INF, app.jar, Procfile, index.php, index.cgi, or a usherd.toml that names a runtime or a command',
        remedy:
          'put the program there under one of these names; a site of plain files, or of scripts (.php, .cgi) that URLs name, needs nothing',
      };
    },
  },
  {
    rule: 'entry-missing',
    make: (tree, app) => ({
      path: manifest(tree, app, 'runtime = "python"\n'),
      found: 'the runtime python, and no file that it could start',
      expected: `one of passenger_wsgi.py, wsgi.py, app.py, manage.py in ${app}`,
      remedy: 'give the program that name, or name its language in `runtime`',
    }),
  },
  {
    rule: 'entry-executable',
    make: (tree, app) => {
      const path = tree.file(A_UID, `${app}/app.fcgi`, PROGRAM, 0o640);
      return {
        path,
        found: 'mode 0640, which lets nobody execute it',
        expected: 'a program that its owner may execute',
        remedy: `chmod u+x ${path}`,
      };
    },
  },
  {
    rule: 'manifest-runtime',
    make: (tree, app) => ({
      path: manifest(tree, app, 'runtime = "cobol"\n'),
      found: 'runtime = "cobol", which usherd does not know',
      expected: 'one of fastcgi, asgi, python, perl, ruby, node, java, jar, procfile, php, cgi',
      remedy:
        'name one of them, or delete the line: the files of the application then decide; another one is root’s to add ([runtimes] of the configuration)',
    }),
  },
  {
    rule: 'manifest-roles',
    make: (tree, app) => {
      tree.file(A_UID, `${app}/index.php`, '');
      return {
        path: manifest(tree, app, 'roles = ["authorizer"]\n'),
        found: 'the role "authorizer" in `roles`, and no program of its own that speaks FastCGI',
        expected:
          'an app.fcgi or a `command` with protocol = "fastcgi", which alone can take that role',
        remedy: 'take "authorizer" out of `roles`, or give the application such a program',
      };
    },
  },
  {
    rule: 'config-syntax',
    make: (tree, app) => ({
      path: `${manifest(tree, app, 'mode = "production"\nruntime =\n')}:2`,
      found: 'column 10: invalid value',
      expected: 'TOML: on each line a key = value, a [table], or a comment that begins with #',
      remedy: 'mend this line; https://toml.io describes the format',
    }),
  },
  {
    rule: 'config-unknown-key',
    make: (tree, app) => ({
      path: `${manifest(tree, app, '[limits]\nmax_worker_per_app = 2\n')}:2`,
      found: 'the key "max_worker_per_app" in [limits]',
      expected:
        'one of max_workers_per_app, min_workers, queue_length, queue_timeout, idle_timeout, start_timeout, first_byte_timeout, silence_timeout, request_timeout, stop_timeout, max_requests, recycle_memory, max_body, memory_max, memory_high, pids_max, slow_request',
      remedy: 'did you mean max_workers_per_app?',
    }),
  },
  {
    rule: 'config-value',
    make: (tree, app) => ({
      path: `${manifest(tree, app, 'command = ["/usr/bin/env"]\n')}:1`,
      found: 'command is a list of 1',
      expected:
        'a list of at most 64 texts on one line each, the first a file of the application (any other command goes into a Procfile: "web: COMMAND")',
      remedy: 'write, for example, command = ["./serve"]',
    }),
  },
  {
    rule: 'config-value',
    make: (tree, app) => ({
      path: `${manifest(tree, app, '[php]\ndisable_functions = "mail"\n')}:1`,
      found: 'php is a table',
      expected: 'settings that an application may change; disable_functions is none',
      remedy: 'write what is expected, or delete it',
    }),
  },
];
