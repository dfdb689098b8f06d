// Ruby: puma serves a Rack application over HTTP, with the gems of its Gemfile where it has one.
import type { RuntimeConfig } from '../config/index.js';
import { LIBEXEC } from './entry.js';
import { rubyGem } from './module-paths.js';

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
  variants: [
    {
      file: 'Gemfile.lock',
      command: puma('/usr/bin/bundle', 'exec', 'puma'),
      debianPackage: 'bundler',
      needs: [
        {
          what: 'gem puma for the Gemfile of the application',
          // The first three may lead anywhere.
          paths: ['.bundle/config', '~/.bundle/config', 'vendor/bundle', ...rubyGem('puma')],
          remedy:
            'add `gem "puma"` to the Gemfile and run `bundle install`, or apt-get install puma',
        },
      ],
    },
  ],
  extensions: [],
  markers: ['config.ru'],
  environment: { RACK_ENV: 'production' },
  concurrency: THREADS_COUNT,
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  debianPackage: 'puma ruby-rack',
  needs: [{ what: 'gem rack', paths: rubyGem('rack'), remedy: 'apt-get install ruby-rack' }],
  missingScriptBody: '',
};
