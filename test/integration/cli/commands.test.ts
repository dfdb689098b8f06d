// bin/usherd as a person uses it: answers, complaints, exit codes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ExitCode } from '../../../src/errors.js';
import { scratchDirectory } from '../../support/scratch.js';

const BIN = join(import.meta.dirname, '../../../../bin/usherd');

function usherd(args: readonly string[], options: { bin?: string; env?: NodeJS.ProcessEnv } = {}) {
  const env = { PATH: process.env['PATH'], ...options.env };
  const { status, stdout, stderr } = spawnSync(options.bin ?? BIN, [...args], {
    encoding: 'utf8',
    env,
  });
  return { status, stdout, stderr };
}

/** A configuration of the current user whose run directory is below it. */
function configFile(t: TestContext, text = ''): string {
  const directory = scratchDirectory(t);
  const file = join(directory, 'usherd.toml');
  writeFileSync(file, text.replaceAll('HERE', directory));
  chmodSync(file, 0o644);
  return file;
}

test('check says that a sound configuration is fine', (t) => {
  const { status, stdout, stderr } = usherd(['check', '--config', configFile(t)]);
  assert.equal(status, ExitCode.OK, stderr);
  assert.match(stdout, /fine/);
  assert.equal(stderr, '');
});

test('check prints every mistake with its line and remedy, and no stack trace', (t) => {
  const file = configFile(t, '[limits]\nqueue_lenght = 1\nidle_timeout = 5\n');
  const { status, stdout, stderr } = usherd(['check', '--config', file]);
  assert.equal(status, ExitCode.FAILED);
  assert.equal(stdout, '');
  assert.ok(stderr.includes(`${file}:2: `) && stderr.includes(`${file}:3: `), stderr);
  assert.match(stderr, /did you mean queue_length/);
  assert.match(stderr, /idle_timeout = "5s"/);
  assert.doesNotMatch(stderr, /\.js:\d+/);
});

test('mistakes on the command line end with 100 and one complaint', () => {
  for (const args of [
    ...[
      [],
      ['chek'],
      ['check', '--confg', 'x'],
      ['check', '--config'],
      ['restart'],
      ['status', 'X'],
      ['requests', 'a/b/c'],
    ],
    ...[
      ['restart', 'NoApp'],
      ['restart', 'alice'],
      ['suspend', 'al/ice'],
      ['restart', 'a/b', 'c'],
    ],
    ...[
      ['check', '--config', 'a', '--config', 'b'],
      ['supervisor', '--bad'],
      ['router', 'x', 'y'],
    ],
  ]) {
    const { status, stdout, stderr } = usherd(args);
    assert.equal(status, ExitCode.PERMANENT, `${args.join(' ')}: ${stderr}`);
    assert.equal(stdout, '');
    assert.match(stderr, /^usherd: .*E_USAGE/);
    assert.doesNotMatch(stderr, /\.js:\d+/);
  }
});

test('a command that there is not is called that, and what may have been meant is said', () => {
  const { stderr } = usherd(['restrat', 'alice/blog']);
  assert.match(stderr, /there is no command "restrat"; Did you mean restart\?/);
  assert.doesNotMatch(stderr, /alice/);
});

test('a command to a supervisor that is not there is told so', (t) => {
  const file = configFile(t, '[paths]\nrun = "HERE/run"\n');
  for (const args of [
    ['status'],
    ['status', '--json'],
    ['requests'],
    ['reload'],
    ['restart', 'alice/blog'],
  ]) {
    const { status, stderr } = usherd([...args, '--config', file]);
    assert.equal(status, ExitCode.FAILED);
    assert.match(stderr, /not running/);
  }
});

test('services refuse a configuration with mistakes for good', (t) => {
  const file = configFile(t, 'mistake');
  for (const command of ['run', 'supervisor', 'router']) {
    const { status, stderr } = usherd([command, '--config', file]);
    assert.equal(status, ExitCode.PERMANENT, stderr);
    assert.ok(stderr.includes(`${file}:1`), stderr);
  }
});

test('help and version are answers', () => {
  const help = usherd(['--help']);
  assert.equal(help.status, ExitCode.OK);
  for (const name of ['run', 'check', 'status', 'restart', 'stop', 'reset', 'suspend', 'resume']) {
    assert.match(help.stdout, new RegExp(`usherd ${name}\\b`));
  }
  assert.match(usherd(['--version']).stdout, /^\d+\.\d+\.\d+/);
});

test('through a link, as npm makes it, the same program starts', (t) => {
  const link = join(scratchDirectory(t), 'usherd');
  symlinkSync(BIN, link);
  assert.equal(usherd(['--version'], { bin: link }).status, ExitCode.OK);
});

test('NODE_OPTIONS of the caller has no effect', (t) => {
  const planted = join(scratchDirectory(t), 'planted.cjs');
  writeFileSync(planted, 'process.stdout.write("PLANTED");');
  const env = { NODE_OPTIONS: `--require ${planted}` };
  const { status, stdout } = usherd(['--version'], { env });
  assert.equal(status, ExitCode.OK);
  assert.doesNotMatch(stdout, /PLANTED/);
});
