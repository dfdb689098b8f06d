// PHP: php-cgi runs the script that the request names, one request at a time.
import type { RuntimeConfig } from '../config/index.js';

export const php: RuntimeConfig = {
  name: 'php',
  kind: 'script',
  protocol: 'fastcgi',
  command: [
    '/usr/bin/php-cgi',
    // Without it `/upload.jpg/x.php` runs upload.jpg: php walks back along the path to a file that exists.
    // The price: in a request with PATH_INFO, PHP_SELF is the PATH_INFO alone (as everywhere with this setting).
    '-d',
    'cgi.fix_pathinfo=0',
    // The web server's log and ours are the place for what went wrong, not the page.
    '-d',
    'display_errors=0',
    '-d',
    'log_errors=1',
    '-d',
    'expose_php=0',
  ],
  extensions: ['.php'],
  markers: [],
  environment: {
    // One process a socket: the pool is ours, and only so do we know who is busy.
    PHP_FCGI_CHILDREN: '0',
    // php would exit on its own and reset the next request; we count instead.
    PHP_FCGI_MAX_REQUESTS: '0',
  },
  concurrency: 1,
  maxRequests: 1_000,
  stopSignal: 'SIGTERM',
  debianPackage: 'php-cgi',
  // Exactly this, whatever html_errors and display_errors say; the status beside it is 404.
  missingScriptBody: 'No input file specified.\n',
};
