// The runtimes that usherd knows by itself, in the order in which their markers are looked for.
import type { RuntimeConfig } from '../config/index.js';
import { asgi } from './asgi.js';
import { cgi } from './cgi.js';
import { fastcgi } from './fastcgi.js';
import { jar, java } from './java.js';
import { node } from './node.js';
import { perl } from './perl.js';
import { php } from './php.js';
import { procfile } from './procfile.js';
import { python } from './python.js';
import { ruby } from './ruby.js';

export const BUILTIN_RUNTIMES: readonly RuntimeConfig[] = [
  ...[fastcgi, asgi, python, perl, ruby, node, java, jar, procfile],
  ...[php, cgi],
];

/** What a manifest means that gives a command and no runtime. */
export const RUNTIME_OF_COMMANDS = fastcgi.name;
