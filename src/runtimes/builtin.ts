// The runtimes that usherd knows by itself, in the order in which their markers are looked for.
import type { RuntimeConfig } from '../config/index.js';
import { cgi } from './cgi.js';
import { fastcgi } from './fastcgi.js';
import { perl } from './perl.js';
import { php } from './php.js';
import { python } from './python.js';

export const BUILTIN_RUNTIMES: readonly RuntimeConfig[] = [fastcgi, python, perl, php, cgi];

/** What a manifest means that gives a command and no runtime. */
export const RUNTIME_OF_COMMANDS = fastcgi.name;
