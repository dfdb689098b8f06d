// What a shell is offered after a half-written command line: commands, their options and words, and names that the supervisor knows.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fakeControl } from '../../support/fake-control.js';
import { scratchDirectory } from '../../support/scratch.js';

const MAIN = join(import.meta.dirname, '../../../src/main.js');

async function offered(words: readonly string[]): Promise<readonly string[]> {
  const argv = [MAIN, '--get-yargs-completions', 'usherd', ...words];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, text);
  return text.split('\n').filter((line) => line !== '');
}

test('commands are offered, and nothing is called a mistake', async () => {
  const commands = await offered(['re']);
  for (const name of ['ready', 'restart', 'reload']) assert.ok(commands.includes(name), name);
});

test('after restart the applications are offered, after suspend the users', async (t) => {
  const file = await fakeControl(t, { apps: [{ app: 'alice/blog' }, { app: 'bob/shop' }] });
  const config = ['--config', file];
  const apps = await offered(['restart', ...config, '']);
  assert.ok(apps.includes('alice/blog') && apps.includes('bob/shop'), apps.join());
  const users = await offered(['suspend', ...config, '']);
  assert.ok(users.includes('alice') && !users.includes('alice/blog'), users.join());
  // `vhost add HOST USER/APP`: at the right place, and only there.
  assert.deepEqual(await offered(['vhost', ...config, 'add', '']), []);
  assert.deepEqual(await offered(['vhost', ...config, 'add', 'a.example', '']), [
    'alice/blog',
    'bob/shop',
  ]);
});

test('after logs those are offered who have a log that the caller may read, without asking anybody', async (t) => {
  const directory = scratchDirectory(t);
  const user = userInfo().username;
  for (const file of [
    `${user}/blog.log`,
    `${user}/blog.log.1`,
    `${user}/shop.slow`,
    'bob/wiki.log',
  ]) {
    mkdirSync(dirname(join(directory, 'log', file)), { recursive: true });
    writeFileSync(join(directory, 'log', file), '');
  }
  const file = join(directory, 'usherd.toml');
  writeFileSync(file, `[paths]\nrun = "${directory}"\nlog = "${directory}/log"\n`);
  const wanted = process.getuid?.() === 0 ? [`${user}/blog`, 'bob/wiki'] : ['blog'];
  assert.deepEqual([...(await offered(['logs', '--config', file, '']))].sort(), wanted.sort());
});

test('the options of a command are offered after a dash, and no others', async () => {
  const options = await offered(['logs', 'alice/blog', '--']);
  for (const name of ['--config', '--follow', '--lines', '--access', '--slow', '--help'])
    assert.ok(options.includes(name), `${name} in ${options.join()}`);
  assert.ok(!options.includes('--watch') && !options.includes('--f'), options.join());
  assert.ok(!(await offered(['logs', '--slow', '--'])).includes('--slow'));
  assert.ok((await offered(['status', '-'])).includes('--watch'));
});

test('words that an argument can be are offered, and nothing else with them', async () => {
  assert.deepEqual(await offered(['import', '']), ['fcgid', 'fpm']);
  assert.deepEqual(await offered(['token', '']), ['new', 'rotate', 'revoke', 'list']);
  assert.deepEqual(await offered(['ready', '']), ['supervisor', 'router']);
});

test('where a file belongs, or a foreign command, the shell is left to itself', async () => {
  for (const words of [
    ['import', 'fcgid'],
    ['status', '--config'],
    ['run-as', 'a/b', '--'],
  ])
    assert.deepEqual(await offered([...words, '']), [], words.join(' '));
});

test('bash takes the script of `usherd completion`, and offers with it', (t) => {
  const directory = scratchDirectory(t);
  symlinkSync(join(import.meta.dirname, '../../../../bin/usherd'), join(directory, 'usherd'));
  const env = { PATH: `${directory}:${process.env['PATH'] ?? ''}`, SHELL: '/bin/bash' };
  const script = join(directory, 'script');
  writeFileSync(script, execFileSync(join(directory, 'usherd'), ['completion'], { env }));
  const ask =
    'source "$0"; COMP_WORDS=(usherd logs --f); COMP_CWORD=2; _usherd_yargs_completions; echo "${COMPREPLY[@]}"';
  const said = execFileSync('/bin/bash', ['--norc', '-c', ask, script], { env, encoding: 'utf8' });
  assert.equal(said, '--follow\n');
});
