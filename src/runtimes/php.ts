// PHP: php-cgi runs the script that the request names, one request at a time.
import type { RuntimeConfig } from '../config/index.js';
import { PHP_PROGRAM } from './php-arguments.js';

export const php: RuntimeConfig = {
  name: 'php',
  programs: PHP_PROGRAM,
  kind: 'script',
  protocol: 'fastcgi',
  command: ['/usr/bin/php-cgi'], // its settings: php-arguments.ts
  extensions: ['.php'],
  markers: [],
  environment: {},
  // One process a request: the pool knows who is busy, and can stop one without the others. The opcode cache is a directory
  // that they share (docs/decisions/php-workers.md). More makes one tree of so many with one cache in memory.
  concurrency: 1,
  maxRequests: 10_000,
  stopSignal: 'SIGTERM',
  // Measured: a third of the time of a small request is connect, accept and close. php reads a body to its end by itself.
  keepConnections: 'always',
  debianPackage: 'php-cgi',
  // Exactly this, whatever html_errors and display_errors say; the status beside it is 404.
  missingScriptBody: 'No input file specified.\n',
};
