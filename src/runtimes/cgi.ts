// CGI programs: fcgiwrap runs the program that the request names, one process a request.
import type { RuntimeConfig } from '../config/index.js';

export const cgi: RuntimeConfig = {
  name: 'cgi',
  kind: 'script',
  protocol: 'fastcgi',
  command: ['/usr/sbin/fcgiwrap', '-f'], // -f: the program's stderr becomes FastCGI records, and so our log
  extensions: ['.cgi'],
  markers: [],
  environment: {},
  params: { NO_BUFFERING: '1' }, // fcgiwrap gathers what a program writes otherwise; each read is a write then
  concurrency: 1,
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  keepConnections: 'never', // measured: beside a fork and an exec it gains nothing
  debianPackage: 'fcgiwrap',
  missingScriptBody: '', // its 403 for a missing program is the same as for one that is not executable
};
