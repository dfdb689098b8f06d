// Perl: plackup serves a PSGI application over FastCGI on descriptor 0.
import type { RuntimeConfig } from '../config/index.js';
import { ENTRY, LIBEXEC } from './entry.js';
import { perlModule } from './module-paths.js';

export const perl: RuntimeConfig = {
  name: 'perl',
  kind: 'entry',
  protocol: 'fastcgi',
  // In any other environment than "deployment" plackup writes an access log line for every request to stderr.
  command: [
    ...['/usr/bin/plackup', '-s', 'FCGI', '-E', 'deployment'],
    ...['-I', LIBEXEC, '-M', 'UsherdFlush'],
    ENTRY,
  ],
  extensions: [],
  markers: ['app.psgi'],
  environment: {},
  concurrency: 1,
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  // As for fastcgi: FCGI.pm takes what is left of a body for the next request.
  keepConnections: 'after-bodiless',
  debianPackage: 'libplack-perl libfcgi-perl libfcgi-procmanager-perl',
  needs: [
    {
      what: 'Perl module FCGI',
      paths: perlModule('FCGI'),
      remedy: 'apt-get install libfcgi-perl',
    },
    {
      what: 'Perl module FCGI::ProcManager',
      paths: perlModule('FCGI::ProcManager'),
      remedy: 'apt-get install libfcgi-procmanager-perl',
    },
  ],
  missingScriptBody: '',
};
