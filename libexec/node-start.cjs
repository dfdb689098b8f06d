// Starts the Node application of ./package.json: its start script, else its main file. Runs as the application's owner.
'use strict';

const { spawn } = require('node:child_process');
const { existsSync, readFileSync } = require('node:fs');
const { resolve } = require('node:path');
const Module = require('node:module');
const { signals } = require('node:os').constants;

const PRELOAD = resolve(__dirname, 'node-listen.cjs');
const MAIN_FILES = ['server.js', 'app.js', 'index.js'];

/** `node server.js` and the like need no process of their own. */
const PLAIN_START = /^\s*node\s+([^\s"'$&|;<>()`\\-][^\s"'$&|;<>()`\\]*)\s*$/;

function complain(text) {
  process.stderr.write(`usherd: ${text}\n`);
  process.exit(1);
}

function readPackage() {
  try {
    return JSON.parse(readFileSync('package.json', 'utf8'));
  } catch (err) {
    return complain(`package.json cannot be read: ${err.message}`);
  }
}

/** As if it had been named on the command line: `require.main === module` holds. */
function runFile(file) {
  require(PRELOAD);
  process.argv[1] = resolve(file);
  Module.runMain();
}

/** The shell's environment is what npm's would be, without npm. */
function runScript(script) {
  const path = `${resolve('node_modules/.bin')}:${process.env.PATH}`;
  const options = [process.env.NODE_OPTIONS, `--require=${PRELOAD}`].filter(Boolean).join(' ');
  const child = spawn('/bin/sh', ['-c', script], {
    stdio: 'inherit',
    env: { ...process.env, PATH: path, NODE_OPTIONS: options },
  });
  // The process group gets the signal as a whole; only the end has to be waited for.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => undefined);
  child.on('error', (err) => complain(err.message));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + signals[signal]));
}

const { scripts = {}, main } = readPackage();
const start = typeof scripts?.start === 'string' ? scripts.start : '';
const plain = PLAIN_START.exec(start)?.[1];
if (plain !== undefined) {
  runFile(plain);
} else if (start !== '') {
  runScript(start);
} else if (typeof main === 'string') {
  runFile(main);
} else {
  const file = MAIN_FILES.find((name) => existsSync(name));
  if (file === undefined) {
    complain('package.json has neither a start script nor main, and there is no server.js');
  }
  runFile(file);
}
