// Programs that speak FastCGI themselves: the marker file is the program.
import type { RuntimeConfig } from '../config/index.js';
import { ENTRY } from './entry.js';

export const fastcgi: RuntimeConfig = {
  name: 'fastcgi',
  kind: 'entry',
  protocol: 'fastcgi',
  command: [`./${ENTRY}`],
  extensions: [],
  markers: ['app.fcgi', 'index.fcgi', 'dispatch.fcgi'],
  environment: {},
  concurrency: 1, // libfcgi and its children in every language; a manifest may say more
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  // libfcgi and FCGI.pm answer three times as many small requests; what they leave of a body is lost with its connection.
  keepConnections: 'after-bodiless',
  debianPackage: '',
  missingScriptBody: '',
};
