// Python: uWSGI serves a WSGI application over FastCGI on descriptor 0. Which name it has in its file is found by wsgi.py.
import type { RuntimeConfig, RuntimeNeed, RuntimeVariant } from '../config/index.js';
import { ENTRY, LIBEXEC } from './entry.js';
import { environmentPython } from './module-paths.js';

const uwsgi = (...more: readonly string[]): readonly string[] => [
  '/usr/bin/uwsgi',
  ...['--plugin', 'python3', ...more],
  ...['--protocol', 'fastcgi', '--socket', 'fd://0'],
  ...['--wsgi-file', `${LIBEXEC}/wsgi.py`, '--pyargv', ENTRY, '--need-app'],
  // The defaults (4096 bytes, 100 variables) make ordinary cookies fail after a wait of 4 s.
  ...['--buffer-size', '65535', '--max-vars', '1024'],
  // Without the hook SIGTERM loses the request in flight; the hook needs the master.
  ...['--master', '--processes', '1'],
  ...['--hook-master-start', 'unix_signal:15 gracefully_kill_them_all'],
  '--disable-logging', // of each request; what the application says is logged
];

const needs: readonly RuntimeNeed[] = [
  {
    what: 'uWSGI plugin for Python 3',
    paths: [
      '/usr/lib/uwsgi/plugins/python3*_plugin.so',
      '/usr/lib*/uwsgi/python3*_plugin.so',
      '/usr/local/lib*/uwsgi/python3*_plugin.so',
    ],
    remedy: 'apt-get install uwsgi-plugin-python3',
  },
];

const environment = (directory: string): RuntimeVariant => ({
  file: `${directory}/bin/python`,
  command: uwsgi('--virtualenv', directory),
  needs: [...needs, environmentPython(directory)],
});

export const python: RuntimeConfig = {
  name: 'python',
  kind: 'entry',
  protocol: 'fastcgi',
  command: uwsgi(),
  variants: ['venv', '.venv'].map(environment),
  extensions: [],
  markers: ['passenger_wsgi.py', 'wsgi.py', 'app.py', 'manage.py'],
  environment: {},
  concurrency: 1,
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  keepConnections: 'never', // uWSGI closes after each request
  debianPackage: 'uwsgi-plugin-python3',
  needs,
  missingScriptBody: '',
};
