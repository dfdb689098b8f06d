// Every system call of the supervisor while tenants attack its file system accesses: what root opens, where it writes, what it starts.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HostileHost } from '../support/hostile-host.js';
import { needsRoot } from '../support/needs-root.js';
import { perlWorker } from '../support/perl-worker.js';
import { waitFor } from '../support/wait-for.js';

const noStrace = existsSync('/usr/bin/strace') ? false : 'strace is not installed';

interface Call {
  readonly pid: string;
  readonly name: string;
  readonly text: string;
  /** The second half of a call that another thread's interrupted; the first half has the arguments. */
  readonly resumed: string | undefined;
}

const LINE = /^(?<pid>\d+) +(?<resumed><\.\.\. )?(?<name>\w+)(?: resumed>|\()(?<text>.*)$/;
const BIRTH = /^(?:clone3?|v?fork)$/;

const callsOf = (trace: string): readonly Call[] =>
  trace.split('\n').flatMap((line) => {
    const groups = LINE.exec(line)?.groups as unknown as Call | undefined;
    return groups === undefined ? [] : [groups];
  });

const childOf = ({ name, text }: Call): string | undefined =>
  BIRTH.test(name) ? /= (\d+)$/.exec(text)?.[1] : undefined;

/** Pids that are root when they begin: the supervisor's threads, and what these start. */
function rootPids(calls: readonly Call[], threads: readonly string[]): ReadonlySet<string> {
  const root = new Set(threads);
  const dropped = new Set<string>();
  for (const call of calls) {
    if (call.name === 'setresuid') dropped.add(call.pid);
    const child = childOf(call);
    if (child !== undefined && root.has(call.pid) && !dropped.has(call.pid)) root.add(child);
  }
  return root;
}

/** The calls that were made as root: each process's up to its setresuid(2). */
function rootCalls(trace: string, threads: readonly string[]): readonly Call[] {
  const all = callsOf(trace);
  const root = rootPids(all, threads);
  const dropped = new Set<string>();
  return all.filter(({ pid, name, resumed }) => {
    if (name === 'setresuid') dropped.add(pid);
    return root.has(pid) && !dropped.has(pid) && resumed === undefined;
  });
}

const pathsOf = ({ text }: Call): readonly string[] =>
  [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path = '']) => path);

describe('the supervisor under strace', { skip: needsRoot || noStrace }, () => {
  let host: HostileHost;
  let calls: readonly Call[];

  before(async () => {
    host = await HostileHost.start(52_321);
    const { usherd } = host;
    const output = join(usherd.directory, 'trace');
    const supervisor = String(usherd.pidOf('supervisor'));
    const what = 'trace=%file,%process,setresuid,bind,connect,fchmod,fchown';
    const strace = spawn(
      'strace',
      ['-f', '-v', '-s', '2000', '-e', what, '-o', output, '-p', supervisor],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let said = '';
    strace.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    await waitFor('strace to be attached', () => said.includes('attached'));
    const threads = readdirSync(`/proc/${supervisor}/task`);
    await attack(host);
    strace.kill('SIGTERM');
    await once(strace, 'exit');
    calls = rootCalls(readFileSync(output, 'latin1'), threads);
  });
  after(() => host.usherd.stop());

  const below = (path: string): boolean => path.startsWith(`${host.usherd.root}/`);

  test('saw it start workers', () => {
    assert.ok(calls.some(({ name, text }) => name === 'execve' && text.includes('prlimit')));
  });

  test('opens nothing of a tenant’s but as a place to look at names from (T1)', () => {
    const opened = calls.filter(
      ({ name, text }) => name.startsWith('open') && !text.includes('O_PATH'),
    );
    assert.ok(opened.length > 0);
    const foreign = opened.filter((call) =>
      pathsOf(call).some((path) => below(path) || /^\/proc\/self\/fd\/\d+\//.test(path)),
    );
    assert.deepEqual(foreign, []);
  });

  test('binds, renames, makes and unlinks in directories of its own only (T19)', () => {
    const changes =
      /^(?:bind|unlink|rename|mkdir|rmdir|link|symlink|mknod|chmod|fchmod|chown|lchown|truncate)/;
    const { directory } = host.usherd;
    // In `state` a user's own directory is made; its parent is root's.
    const own = [join(directory, 'run/'), join(directory, 'state/'), '/sys/fs/cgroup/'];
    const changing = calls.filter(({ name }) => changes.test(name));
    assert.ok(changing.some(({ name }) => name === 'bind'));
    const foreign = changing.filter((call) =>
      pathsOf(call).some(
        (path) => path.startsWith('/') && !own.some((start) => path.startsWith(start)),
      ),
    );
    assert.deepEqual(foreign, []);
  });

  test('starts prlimit and setpriv, and tells them nothing of a tenant’s (T40)', () => {
    const started = calls.filter(({ name, text }) => name === 'execve' && !text.includes('ENOENT'));
    assert.ok(started.length > 0);
    for (const call of started) {
      assert.match(call.text, /^"\/(?:usr\/)?bin\/(?:prlimit|setpriv)", \[/);
      assert.match(call.text, /\], \[\]\) += 0$|\], \[\] <unfinished/);
      assert.doesNotMatch(call.text, /LD_|BASH_ENV|hostile|GLIBC/);
    }
  });
});

/** Links, hostile manifests, restarts, removals: whatever makes root look. */
async function attack(host: HostileHost): Promise<void> {
  const { usherd } = host;
  const names = ['LD_PRELOAD', 'LD_AUDIT', 'GLIBC_TUNABLES', 'PERL5LIB', 'PYTHONPATH'];
  const env = names.map((name) => `${name} = "/nonexistent/hostile"`).join('\n');
  usherd.write('alice/env', 'usherd.toml', `[env]\n${env}\n`);
  usherd.write('alice/env', 'app.fcgi', perlWorker('return $ENV{PYTHONPATH}'), 0o755);
  assert.equal(await host.text('alice/env'), '/nonexistent/hostile');

  usherd.write('bob/real', 'app.fcgi', perlWorker('return "of bob"'), 0o755);
  symlinkSync(join(usherd.root, 'bob/apps/real'), join(usherd.root, 'alice/apps/link'));
  assert.equal((await host.fetch('alice/link')).status, 403);

  usherd.write('alice/moved', 'app.fcgi', perlWorker('return "moved"'), 0o755);
  await host.text('alice/moved');
  const moved = join(usherd.root, 'alice/apps/moved');
  renameSync(moved, `${moved}.old`);
  symlinkSync(join(usherd.root, 'bob/apps/real'), moved);
  await host.fetch('alice/moved');
  await host.fetch('alice/missing');
  await usherd.command('restart', 'alice/env');
  await host.text('alice/env');
  await usherd.command('stop', 'alice/env');
  await host.neighbourIsServed();
}
