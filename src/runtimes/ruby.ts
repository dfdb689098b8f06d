// Ruby: puma serves a Rack application over HTTP, with the gems of its Gemfile where it has one.
import type { RuntimeConfig } from '../config/index.js';
import { LIBEXEC } from './entry.js';

const THREADS_COUNT = 5; // puma's own default

const puma = (...program: readonly string[]): readonly string[] => [
  ...program,
  ...['--bind-to-activated-sockets', 'only', '--no-config', '--environment', 'production'],
  ...['--threads', `${THREADS_COUNT}:${THREADS_COUNT}`, '--quiet', `${LIBEXEC}/rack.ru`],
];

export const ruby: RuntimeConfig = {
  name: 'ruby',
  kind: 'entry',
  protocol: 'http',
  command: puma('/usr/bin/puma'),
  variants: [{ file: 'Gemfile.lock', command: puma('/usr/bin/bundle', 'exec', 'puma') }],
  extensions: [],
  markers: ['config.ru'],
  environment: { RACK_ENV: 'production' },
  concurrency: THREADS_COUNT,
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  debianPackage: 'puma',
  missingScriptBody: '',
};
