// A Procfile: the command of its `web:` line, if nothing else says what the application is.
import type { RuntimeConfig } from '../config/index.js';
import { LIBEXEC } from './entry.js';

export const procfile: RuntimeConfig = {
  name: 'procfile',
  kind: 'entry',
  protocol: 'http',
  command: ['/usr/bin/sh', `${LIBEXEC}/procfile.sh`, `${LIBEXEC}/node-listen.cjs`],
  extensions: [],
  markers: ['Procfile'],
  yieldsToScripts: true,
  environment: { PORT: '8080' }, // whatever it says: some programs end without
  concurrency: 1, // nobody knows what it is; a manifest may say more
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  debianPackage: '',
  missingScriptBody: '',
};
