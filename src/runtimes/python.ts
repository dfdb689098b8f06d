// Python: uWSGI serves a WSGI application over FastCGI on descriptor 0.
import type { RuntimeConfig } from '../config/index.js';
import { ENTRY } from './entry.js';

export const python: RuntimeConfig = {
  name: 'python',
  kind: 'entry',
  protocol: 'fastcgi',
  command: [
    '/usr/bin/uwsgi',
    ...['--plugin', 'python3'],
    ...['--protocol', 'fastcgi', '--socket', 'fd://0'],
    ...['--wsgi-file', ENTRY, '--need-app'],
    // The defaults (4096 bytes, 100 variables) make ordinary cookies fail after a wait of 4 s.
    ...['--buffer-size', '65535', '--max-vars', '1024'],
    // Without the hook SIGTERM loses the request in flight; the hook needs the master.
    ...['--master', '--processes', '1'],
    ...['--hook-master-start', 'unix_signal:15 gracefully_kill_them_all'],
  ],
  extensions: [],
  markers: ['passenger_wsgi.py', 'wsgi.py', 'app.py'],
  environment: {},
  concurrency: 1,
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  debianPackage: 'uwsgi-plugin-python3',
  missingScriptBody: '',
};
