// Node: any program that listens on a port. The port becomes the inherited socket, so the program stays as it is.
import type { RuntimeConfig } from '../config/index.js';
import { ENTRY, LIBEXEC } from './entry.js';

export const node: RuntimeConfig = {
  name: 'node',
  kind: 'entry',
  protocol: 'http',
  command: ['/usr/bin/node', '--require', `${LIBEXEC}/node-listen.cjs`, ENTRY],
  // Its start script, its main file: for the owner's eyes only.
  variants: [{ file: 'package.json', command: ['/usr/bin/node', `${LIBEXEC}/node-start.cjs`] }],
  extensions: [],
  markers: ['package.json', 'server.js', 'server.mjs', 'app.js', 'app.mjs'],
  yieldsToScripts: true, // many sites of PHP have a package.json for their stylesheets, and an app.js for browsers
  environment: {
    NODE_ENV: 'production',
    PORT: '8080', // whatever it says: some programs end without
  },
  concurrency: 100,
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  debianPackage: 'nodejs',
  missingScriptBody: '',
};
