// Application directories made by somebody who wants more than is his: refused with the rule, and nothing of another user is read.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { findTools, type Tools } from '../../../src/privdrop/index.js';
import {
  closeInheritedDescriptors,
  launch,
  type LaunchOptions,
  type LaunchOutcome,
} from '../../support/launch.js';
import { needsRoot } from '../../support/needs-root.js';
import { A_UID, B_UID, planFor, TenantTree } from '../../support/tenants.js';

const SECRET = 'secret = "of b"\n';

describe('a hostile application', { skip: needsRoot }, () => {
  let tree: TenantTree;
  let tools: Tools;

  beforeEach(() => {
    closeInheritedDescriptors();
    tools = findTools();
    tree = new TenantTree();
  });
  afterEach(() => tree.remove());

  const startAsA = (
    directory: string,
    change: Partial<LaunchOptions> = {},
  ): Promise<LaunchOutcome> =>
    launch({
      plan: planFor(A_UID),
      tools,
      directory,
      names: ['app.fcgi', 'public', 'tmp/restart.txt'],
      program: { umask: 0o27, environment: [], argv: ['/bin/pwd'] },
      ...change,
    });

  async function ruleFor(directory: string, change: Partial<LaunchOptions> = {}): Promise<string> {
    const outcome = await startAsA(directory, change);
    assert.equal(outcome.ended, 'refused', JSON.stringify(outcome));
    assert.equal(outcome.report, undefined);
    assert.doesNotMatch(JSON.stringify(outcome), /of b|root:/);
    return outcome.refusal?.finding.rule ?? '';
  }

  const manifestRule = (make: (path: string) => void): Promise<string> => {
    const directory = tree.app(A_UID, 'x');
    make(join(directory, 'usherd.toml'));
    return ruleFor(directory);
  };

  it('works when it is not hostile, below a directory that only its user may enter (T21)', async () => {
    const directory = tree.app(A_UID, 'x', { 'usherd.toml': 'a = 1\n', 'app.fcgi': '#!/bin/sh\n' });
    const outcome = await startAsA(directory);
    assert.equal(outcome.ended, 'started');
    assert.equal(outcome.output, `${directory}\n`);
    assert.equal(outcome.report?.manifestText, 'a = 1\n');
    assert.deepEqual(outcome.report.marks.map(({ name }) => name).sort(), ['app.fcgi', 'usherd.toml']); // prettier-ignore
  });

  it('is a link to an application of another user (T1)', async () => {
    const victim = tree.app(B_UID, 'y', { 'usherd.toml': SECRET });
    const link = tree.link(A_UID, victim, tree.path(A_UID, 'x'));
    assert.equal(await ruleFor(link), 'app-directory-symlink');
    chmodSync(tree.home(B_UID), 0o755);
    assert.equal(await ruleFor(link), 'app-directory-symlink');
  });

  it('is the whole home of a user replaced by a link (T2)', async () => {
    tree.app(B_UID, 'y', { 'usherd.toml': SECRET });
    const apps = join(tree.root, 'c', 'apps', 'y');
    const link = tree.link(0, tree.home(B_UID), join(tree.root, 'c'));
    assert.equal(await ruleFor(apps), 'app-directory-symlink');
    // Made by root it is trusted, but what it leads to is still not a's.
    chmodSync(tree.home(B_UID), 0o755);
    assert.equal(await ruleFor(apps), 'app-directory-owner');
    lchownSync(link, A_UID, A_UID);
    assert.equal(await ruleFor(apps), 'app-directory-symlink');
  });

  it('may be reached through a link that root made', async () => {
    const directory = tree.app(A_UID, 'x');
    tree.link(0, tree.home(A_UID), join(tree.root, 'home-of-a'));
    const outcome = await startAsA(join(tree.root, 'home-of-a', 'apps', 'x'));
    assert.equal(outcome.ended, 'started');
    assert.equal(outcome.output, `${directory}\n`);
  });

  it('is a link of the user to another directory of the user', async () => {
    const other = tree.app(A_UID, 'other');
    const link = tree.link(A_UID, other, tree.path(A_UID, 'x'));
    assert.equal(await ruleFor(link), 'app-directory-symlink');
  });

  it('is not there, or no directory', async () => {
    const missing = await startAsA(tree.path(A_UID, 'none'));
    assert.equal(missing.refusal?.code, 'E_APP_UNKNOWN');
    assert.equal(missing.refusal.finding.path, tree.path(A_UID, 'none'));
    tree.file(A_UID, tree.path(A_UID, 'file'), '');
    const file = await startAsA(tree.path(A_UID, 'file'));
    assert.equal(file.refusal?.code, 'E_APP_UNKNOWN');
    assert.equal(file.refusal.finding.rule, 'app-directory-kind');
  });

  it('lies below a directory that its user may not enter', async () => {
    const outcome = await startAsA(tree.app(B_UID, 'y', { 'usherd.toml': SECRET }));
    assert.equal(outcome.refusal?.finding.rule, 'app-directory-search');
    assert.equal(outcome.refusal.finding.path, tree.home(B_UID));
  });

  it('belongs to another user or to root, or is writable by others (T13, T20)', async () => {
    const directory = tree.app(A_UID, 'x', { 'usherd.toml': 'a = 1\n' });
    chmodSync(directory, 0o777);
    assert.equal(await ruleFor(directory), 'app-directory-mode');
    chmodSync(directory, 0o775);
    assert.equal(await ruleFor(directory), 'app-directory-mode');
    chmodSync(directory, 0o755);
    for (const uid of [B_UID, 0]) {
      chownSync(directory, uid, A_UID);
      assert.equal(await ruleFor(directory), 'app-directory-owner');
    }
  });

  for (const target of ['/etc/shadow', '/proc/self/environ', '/dev/zero', '/dev/tty', '/none']) {
    it(`has a manifest that is a link to ${target} (T3)`, async () => {
      assert.equal(await manifestRule((path) => tree.link(A_UID, target, path)), 'manifest-kind');
    });
  }

  it('has a manifest that is a FIFO, eight at once, and keeps nobody waiting (T4)', async () => {
    const directories = Array.from({ length: 8 }, (_, i) => tree.app(A_UID, `x${i}`));
    for (const directory of directories) {
      spawnSync('/usr/bin/mkfifo', ['-m', '644', join(directory, 'usherd.toml')]);
    }
    const rules = await Promise.all(directories.map((directory) => ruleFor(directory)));
    assert.deepEqual([...new Set(rules)], ['manifest-kind']);
  });

  it('has a manifest that is a directory, a socket or a device (T5)', async () => {
    assert.equal(await manifestRule((path) => mkdirSync(path)), 'manifest-kind');
    tree.remove();
    tree = new TenantTree();
    const listen = 'IO::Socket::UNIX->new(Local => shift, Listen => 1)';
    const socket = (path: string): unknown =>
      spawnSync('/usr/bin/perl', ['-MIO::Socket::UNIX', '-e', listen, path]);
    assert.equal(await manifestRule(socket), 'manifest-kind');
    tree.remove();
    tree = new TenantTree();
    const device = (path: string): unknown => spawnSync('/bin/mknod', [path, 'b', '7', '0']);
    assert.equal(await manifestRule(device), 'manifest-kind');
  });

  it('has a manifest that is another name of a file of somebody else (T6)', async () => {
    const file = tree.file(B_UID, join(tree.root, 'readable'), SECRET, 0o644);
    assert.equal(await manifestRule((path) => linkSync(file, path)), 'manifest-kind');
  });

  it('has a manifest of another owner, or writable by others, or unreadable (T13)', async () => {
    const directory = tree.app(A_UID, 'x', { 'usherd.toml': 'a = 1\n' });
    const manifest = join(directory, 'usherd.toml');
    for (const mode of [0o664, 0o646, 0o200]) {
      chmodSync(manifest, mode);
      assert.equal(await ruleFor(directory), 'manifest-mode');
    }
    chmodSync(manifest, 0o644);
    chownSync(manifest, B_UID, A_UID);
    assert.equal(await ruleFor(directory), 'manifest-owner');
  });

  it('has a manifest of three gigabytes, or of one byte too many (T8)', async () => {
    const directory = tree.app(A_UID, 'x', { 'usherd.toml': '' });
    const rssBefore = process.memoryUsage().rss;
    truncateSync(join(directory, 'usherd.toml'), 3 * 1_024 ** 3);
    assert.equal(await ruleFor(directory), 'manifest-size');
    assert.ok(process.memoryUsage().rss - rssBefore < 32 * 1_024 ** 2);
    truncateSync(join(directory, 'usherd.toml'), 16_385);
    assert.equal(await ruleFor(directory), 'manifest-size');
    truncateSync(join(directory, 'usherd.toml'), 16_384);
    assert.equal((await startAsA(directory)).report?.manifestText?.length, 16_384);
  });

  it('has an entry of another owner, or writable by others (T13)', async () => {
    const directory = tree.app(A_UID, 'x', { 'app.fcgi': '#!/bin/sh\n' });
    chmodSync(join(directory, 'app.fcgi'), 0o777);
    assert.equal(await ruleFor(directory), 'entry-mode');
    chmodSync(join(directory, 'app.fcgi'), 0o755);
    chownSync(join(directory, 'app.fcgi'), B_UID, B_UID);
    assert.equal(await ruleFor(directory), 'entry-owner');
  });

  it('is renamed between report and start: the worker stays where it was checked (T17)', async () => {
    const directory = tree.app(A_UID, 'x');
    const moved = tree.path(A_UID, 'moved');
    const victim = tree.app(B_UID, 'y', { 'usherd.toml': SECRET });
    const outcome = await startAsA(directory, {
      onStep: (step) => {
        if (step !== 'report') return;
        renameSync(directory, moved);
        tree.link(A_UID, victim, directory);
      },
    });
    assert.equal(outcome.ended, 'started');
    assert.equal(outcome.output, `${moved}\n`);
  });

  it('is replaced by a directory of another user before the launcher enters (T18)', async () => {
    const directory = tree.app(A_UID, 'x');
    chmodSync(tree.home(B_UID), 0o755);
    const victim = tree.app(B_UID, 'y', { 'usherd.toml': SECRET });
    const rule = await ruleFor(directory, {
      onStep: (step) => {
        if (step !== 'verify') return;
        rmSync(directory, { recursive: true });
        renameSync(victim, directory);
      },
    });
    assert.equal(rule, 'app-directory-owner');
  });

  it('flips between its directory and a link to a readable one of another user (T7)', async () => {
    chmodSync(tree.home(B_UID), 0o755);
    const victim = tree.app(B_UID, 'y', { 'usherd.toml': SECRET });
    const directory = tree.app(A_UID, 'x', { 'usherd.toml': 'own = 1\n' });
    const text = `my ($x, $v) = @ARGV; symlink($v, "$x.link"); while (1) {
      rename($x, "$x.dir"); rename("$x.link", $x); rename($x, "$x.link"); rename("$x.dir", $x); }`;
    const flipper = spawn('/usr/bin/perl', ['-e', text, directory, victim], {
      uid: A_UID,
      gid: A_UID,
      stdio: 'ignore',
    });
    try {
      for (let i = 0; i < 60; i += 1) {
        const outcome = await startAsA(directory);
        assert.doesNotMatch(JSON.stringify(outcome), /of b/);
        assert.equal(outcome.errorCode, undefined);
        if (outcome.ended === 'started') {
          assert.equal(outcome.report?.manifestText, 'own = 1\n');
          assert.ok(outcome.output.startsWith(directory), outcome.output);
        }
      }
    } finally {
      flipper.kill('SIGKILL');
    }
  });

  it('cannot be made to leave anything behind by being refused', async () => {
    const directory = tree.app(A_UID, 'x', { 'run.sh': '#!/bin/sh\ntouch ran\n' });
    chmodSync(directory, 0o777);
    const program = { umask: 0, environment: [], argv: ['./run.sh'] };
    assert.equal(await ruleFor(directory, { program }), 'app-directory-mode');
    assert.equal(existsSync(join(directory, 'ran')), false);
  });
});
