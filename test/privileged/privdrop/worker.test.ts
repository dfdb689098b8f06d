// What a worker is when its program begins: ids, limits, descriptors, environment, and nothing more, whichever shell launched it.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  findTools,
  runCanary,
  workerEnvironment,
  type Tools,
} from '../../../src/privdrop/index.js';
import {
  closeInheritedDescriptors,
  launch,
  type LaunchOptions,
  type LaunchOutcome,
} from '../../support/launch.js';
import { needsRoot } from '../../support/needs-root.js';
import { A_UID, accountOf, planFor, TenantTree } from '../../support/tenants.js';

const BASH = '/bin/bash';
const need = (...paths: readonly string[]): { what: string; paths: string[]; remedy: string } => ({
  ...{ what: paths.join(), remedy: '' },
  paths: [...paths],
});
const plan = planFor(A_UID);

function environmentOf(
  tree: TenantTree,
  manifest: Readonly<Record<string, string>> = {},
): string[] {
  return workerEnvironment({
    account: { ...accountOf(A_UID), home: tree.home(A_UID) },
    app: 'a/app',
    runtime: {},
    manifest: new Map(Object.entries(manifest)),
    temporaryDirectory: '/tmp',
  });
}

/** A listening socket as descriptor 0, as workers have it: bash would take it for rshd. */
async function listening(path: string): Promise<{ server: Server; fd: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const { _handle: handle } = server as unknown as { _handle: { fd: number } };
  return { server, fd: handle.fd };
}

for (const shell of ['/bin/sh', BASH]) {
  const skip = needsRoot === false && !existsSync(shell) ? `no ${shell}` : needsRoot;

  describe(`a worker launched by ${shell} called sh`, { skip }, () => {
    let tree: TenantTree;
    let tools: Tools;
    let folder: string;

    before(() => {
      closeInheritedDescriptors();
      tree = new TenantTree();
      folder = mkdtempSync(join(tmpdir(), 'usherd-sh-'));
      chmodSync(folder, 0o755);
      const sh = join(folder, 'sh');
      symlinkSync(shell, sh);
      tools = { ...findTools(), sh };
      tree.app(A_UID, 'app');
    });
    after(() => {
      tree.remove();
      rmSync(folder, { recursive: true });
    });

    const run = (
      argv: readonly string[],
      change: Partial<LaunchOptions> & { environment?: readonly string[] } = {},
    ): Promise<LaunchOutcome> =>
      launch({
        plan,
        tools,
        directory: tree.path(A_UID, 'app'),
        program: { umask: 0o27, environment: change.environment ?? environmentOf(tree), argv },
        ...change,
      });

    const outputOf = async (...args: Parameters<typeof run>): Promise<string> => {
      const outcome = await run(...args);
      assert.equal(outcome.ended, 'started', JSON.stringify(outcome));
      return outcome.output;
    };

    it('passes the canary', () => runCanary(plan, tools));

    it('has exactly its environment, whatever the supervisor and the shell have (T39)', async () => {
      const secrets = { AWS_SECRET: 'x', NODE_OPTIONS: '--no-warnings', LD_PRELOAD: '/evil.so' };
      const sockets = { NOTIFY_SOCKET: '/n', LISTEN_FDS: '1', SHLVL: '7', OLDPWD: '/' };
      const before = { ...process.env };
      Object.assign(process.env, secrets, sockets);
      try {
        // Names that the launcher itself uses, and a value with everything that a shell might touch.
        const names = { line: '9', stat: 'x', env: '/e', words: '99', program: 'p', found: '' };
        const value = ' \t"\'$(id)`id`\\n * ~ é ; & | < >\u0001\u0081\u0088 ';
        const environment = environmentOf(tree, { ...names, VALUE: value, EMPTY: '' });
        const output = await outputOf(['/usr/bin/env'], { environment });
        const expected = environment.map((line) => Buffer.from(line).toString('latin1'));
        assert.deepEqual(output.split('\n').slice(0, -1).sort(), expected.sort());
      } finally {
        for (const name of Object.keys({ ...secrets, ...sockets })) {
          const old = before[name];
          if (old === undefined) Reflect.deleteProperty(process.env, name);
          else process.env[name] = old;
        }
      }
    });

    it('gets every byte of its arguments', async () => {
      const words = ['a b', '', '*', '-x', "'", '"', '\\n', '\\', '$HOME', '`id`', 'ü', ' ', '\t'];
      const output = await outputOf(['/usr/bin/printf', '[%s]', ...words]);
      assert.equal(Buffer.from(output, 'latin1').toString(), words.map((w) => `[${w}]`).join(''));
    });

    it('runs in its directory', async () => {
      assert.equal(await outputOf(['/bin/pwd']), `${tree.path(A_UID, 'app')}\n`);
    });

    it('has descriptors 0, 1 and 2 only (T49)', async () => {
      // The fourth is the one by which ls reads the directory.
      assert.equal(await outputOf(['/bin/ls', '/proc/self/fd']), '0\n1\n2\n3\n');
    });

    it('has no terminal (T62)', async () => {
      const output = await outputOf(['/bin/cat', '/dev/tty']);
      assert.match(output, /No such device or address/);
    });

    it('has its ids, no groups, no capabilities, its umask, and ignores SIGPIPE only', async () => {
      const status = await outputOf(['/bin/cat', '/proc/self/status']);
      const field = (name: string): string | undefined =>
        new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(status)?.[1]?.replaceAll('\t', ' ');
      assert.equal(field('Uid'), '52001 52001 52001 52001');
      assert.equal(field('Gid'), '52001 52001 52001 52001');
      assert.equal(field('Groups'), '');
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
        assert.equal(field(set), '0000000000000000', set);
      }
      assert.equal(field('NoNewPrivs'), '1');
      assert.equal(field('Umask'), '0027');
      assert.equal(field('SigIgn'), '0000000000001000');
      assert.equal(field('SigBlk'), '0000000000000000');
    });

    it('is the first to go when memory is short', async () => {
      assert.equal(await outputOf(['/bin/cat', '/proc/self/oom_score_adj']), '200\n');
    });

    it('has its limits', async () => {
      const output = await outputOf(['/bin/cat', '/proc/self/limits']);
      assert.match(output, /^Max open files +1024 +1024 /m);
      assert.match(output, /^Max core file size +0 +0 /m);
      assert.match(output, /^Max processes +256 +256 /m);
    });

    it('gains nothing from a set-user-id program (T35)', async () => {
      const program = join(tree.path(A_UID, 'app'), 'id');
      copyFileSync('/usr/bin/id', program);
      chmodSync(program, 0o4755);
      assert.equal(await outputOf(['./id', '-u']), '52001\n');
      // The same without no_new_privs shows that the program would have worked.
      const open = planFor(A_UID, { noNewPrivileges: false });
      assert.equal(await outputOf(['./id', '-u'], { plan: open }), '0\n');
      rmSync(program);
    });

    it('reads no start-up file of its user, even with a socket as descriptor 0 (T44)', async () => {
      const touch = `touch ${tree.home(A_UID)}/sourced\n`;
      for (const name of ['.bashrc', '.profile', '.bash_profile', '.shrc']) {
        tree.file(A_UID, join(tree.home(A_UID), name), touch);
        tree.file(A_UID, join(tree.path(A_UID, 'app'), name), touch);
      }
      tree.file(A_UID, join(tree.home(A_UID), '.env'), touch);
      // That of the application is read, as names and values that nothing expands.
      const dotEnv = join(tree.path(A_UID, 'app'), '.env');
      tree.file(A_UID, dotEnv, `A=$(${touch.trim()})\n`, 0o600);
      const { server, fd } = await listening(join(folder, 'listen.sock'));
      try {
        const outcome = await run(['/bin/true'], { listenFd: fd });
        assert.equal(outcome.ended, 'started', JSON.stringify(outcome));
        assert.equal(outcome.exitCode, 0);
      } finally {
        server.close();
        rmSync(dotEnv);
      }
      assert.equal(existsSync(join(tree.home(A_UID), 'sourced')), false);
    });

    it('may be given loader variables, which nothing before it sees (T40)', async () => {
      const environment = environmentOf(tree, { LD_PRELOAD: './none.so' });
      const outcome = await run(['/bin/true'], { environment });
      assert.equal(outcome.ended, 'started');
      const complaints = outcome.output.match(/none\.so.*cannot be preloaded/g) ?? [];
      // bash execs through env(1), which is the user's already.
      assert.equal(complaints.length, shell === BASH ? 2 : 1);
    });

    it('starts when one of the places of each need is there', async () => {
      tree.file(A_UID, join(tree.path(A_UID, 'app'), 'own-1.2.gem'), '');
      const needs = [need('/none', '/bin/tru*'), need('own-*'), need('/none*', '/etc/passwd')];
      const environment = environmentOf(tree, { number: '9', needs: '9', search: '/', path: '/' });
      const program = { umask: 0o27, environment, argv: ['/usr/bin/env'], needs };
      const outcome = await run([], { program });
      assert.equal(outcome.ended, 'started', JSON.stringify(outcome));
      assert.deepEqual(outcome.output.split('\n').slice(0, -1).sort(), [...environment].sort());
    });

    it('is refused for the first need that is nowhere, unless modules may be anywhere', async () => {
      const needs = [need('/bin/true'), need('/none', '/none/*', 'none*'), need('/nor')];
      const argv = ['/bin/true'];
      const started = (variables: Readonly<Record<string, string>>): Promise<LaunchOutcome> =>
        run([], {
          program: { umask: 0o27, environment: environmentOf(tree, variables), argv, needs },
        });
      const { refusal, output } = await started({});
      assert.equal(refusal?.code, 'E_RUNTIME_MISSING');
      assert.match(refusal.finding.found, /^no \/none,/);
      assert.equal(output, '');
      assert.equal((await started({ PERL5LIB: '/opt/perl' })).ended, 'started');
    });

    for (const [what, text, found] of [
      ['is not there', '#! /usr/bin/none5.1 -w\n', /\/usr\/bin\/none5\.1, which/],
      ['is not in the PATH', '#!/usr/bin/env -S none5.1 -u\n', /names none5\.1, which/],
      ['is nothing', '#!\n', /names a program, which/],
      ['is no plain name', '#!/usr/bin/a;b\n', /names a program, which/],
      ['is a directory', '#!/usr/bin\n', /\/usr\/bin, which/],
      ['ends in a carriage return', '#!/bin/sh\r\necho ran\r\n', /carriage return/],
      ['is too long', `#!/${'x'.repeat(5_000)}`, /, which/],
    ] as const) {
      it(`is refused when its interpreter ${what}`, async () => {
        tree.file(A_UID, join(tree.path(A_UID, 'app'), 'script'), text, 0o755);
        const { refusal, output } = await run(['./script']);
        assert.equal(refusal?.code, 'E_RUNTIME_MISSING');
        assert.equal(refusal.finding.rule, 'program-interpreter');
        assert.match(refusal.finding.found, found);
        assert.equal(output, '');
      });
    }

    for (const [what, text] of [
      ['the interpreter of the system', '#!/bin/sh\necho ran\n'],
      ['words and spaces', '#! \t/usr/bin/env \t sh \n'],
      ['a variable before it', '#!/usr/bin/env -S A=1 -i sh -eu\n'],
      ['an option before it that has a word', '#!/usr/bin/env -S -u none5.1 sh\n'],
      ['words that env joins', '#!/usr/bin/env -S A="1 none5.1" sh\n'],
      ['a PATH of its own', '#!/usr/bin/env -S PATH=/none none5.1\n'],
      ['no interpreter', 'echo ran\n'],
      ['bytes that are no text', '\u007fELF\0\0\u00ff\n\0'],
      ['nothing in it', ''],
    ] as const) {
      it(`is started with ${what}`, async () => {
        tree.file(A_UID, join(tree.path(A_UID, 'app'), 'script'), text, 0o755);
        const outcome = await run(['./script']);
        assert.equal(outcome.ended, 'started', JSON.stringify(outcome));
      });
    }

    it('is not started by a rehearsal, which sees the same', async () => {
      const rehearse = (argv: readonly string[]): Promise<LaunchOutcome> =>
        run([], { program: { umask: 0o27, environment: [], argv, isRehearsal: true } });
      const outcome = await rehearse(['/bin/echo', 'ran']);
      assert.equal(outcome.ended, 'rehearsed');
      assert.equal(outcome.output, '');
      assert.equal((await rehearse(['./none'])).refusal?.finding.rule, 'program-missing');
    });

    for (const [what, argv] of [
      ['is not there', ['./none']],
      ['is not executable', ['/etc/passwd']],
      ['is a directory', ['/usr/bin']],
    ] as const) {
      it(`is refused when its program ${what}`, async () => {
        const outcome = await run(argv);
        assert.equal(outcome.ended, 'refused');
        assert.equal(outcome.refusal?.code, 'E_RUNTIME_MISSING');
        assert.equal(outcome.refusal.finding.path, resolve(tree.path(A_UID, 'app'), argv[0]));
      });
    }
  });
}
