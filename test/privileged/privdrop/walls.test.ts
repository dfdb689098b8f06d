// The half of the launcher that runs behind walls, whichever shell it is: what it refuses, and what a program gets from it.
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findTools, wallsArgv, type Tools } from '../../../src/privdrop/index.js';
import { needsWalls } from '../../support/bubblewrap.js';
import {
  closeInheritedDescriptors,
  launch,
  type LaunchOptions,
  type LaunchOutcome,
} from '../../support/launch.js';
import { A_UID, B_UID, planFor, TenantTree } from '../../support/tenants.js';

const BWRAP = '/usr/bin/bwrap';
const LONG_GONE = '/nonexistent/home';

for (const shell of ['/bin/sh', '/bin/bash']) {
  const skip = existsSync(shell) ? needsWalls : `no ${shell}`;

  describe(`behind walls with ${shell} called sh`, { skip }, () => {
    let tree: TenantTree;
    let tools: Tools;
    let folder: string;

    before(() => {
      closeInheritedDescriptors();
      tree = new TenantTree();
      tree.app(A_UID, 'tmp');
      // The walls show /usr, and a shell's name is what makes it POSIX.
      folder = mkdtempSync('/usr/local/lib/usherd-sh-');
      chmodSync(folder, 0o755);
      const sh = join(folder, 'sh');
      symlinkSync(shell, sh);
      tools = { ...findTools(), sh };
    });
    after(() => {
      tree.remove();
      rmSync(folder, { recursive: true });
    });

    const wallsOf = (directory: string, isShown = false): readonly string[] => [
      BWRAP,
      ...wallsArgv({
        directory,
        folders: [],
        temporaryDirectory: tree.path(A_UID, 'tmp'),
        home: { path: LONG_GONE, isShown },
        visible: [],
        hidden: [],
        isThere: (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
      }),
    ];

    const run = (
      name: string,
      argv: readonly string[],
      change: Partial<LaunchOptions> & { environment?: readonly string[]; showsHome?: true } = {},
    ): Promise<LaunchOutcome> => {
      const directory = tree.path(A_UID, name);
      const { environment = [], showsHome } = change;
      const walls = wallsOf(directory, showsHome);
      const program = { umask: 0o27, environment, argv, walls };
      return launch({ plan: planFor(A_UID), tools, directory, program, ...change });
    };

    it('runs the program in the application’s directory with its environment and .env, and no other', async () => {
      const directory = tree.app(A_UID, 'app');
      tree.file(A_UID, join(directory, '.env'), 'TOKEN=from the file\n', 0o600);
      const argv = [
        '/bin/sh',
        '-c',
        'pwd; id -u; env -0 | tr "\\0" "\\n" | grep -v ^_= | sort; umask',
      ];
      const { ended, output } = await run('app', argv, { environment: ['B=2', 'A=1 $x'] });
      assert.equal(ended, 'started');
      const lines = output.trimEnd().split('\n');
      const own = lines.filter((line) => !/^(?:PWD|SHLVL|OLDPWD)=/.test(line));
      assert.deepEqual(own, [
        directory,
        String(A_UID),
        'A=1 $x',
        'B=2',
        'TOKEN=from the file',
        '0027',
      ]);
    });

    it('gives a program its listening socket as descriptor 3, for the number that it has inside', async () => {
      tree.app(A_UID, 'http');
      const server = createServer().listen(join(tmpdir(), `usherd-walls-${process.pid}`));
      const { _handle: handle } = server as unknown as { _handle: { fd: number } };
      try {
        const argv = ['/bin/sh', '-c', '[ "$LISTEN_PID" = $$ ] && ls /proc/self/fd | tr "\\n" " "'];
        const listening = { listenFd: handle.fd, environment: ['LISTEN_FDS=1'] };
        const { output } = await run('http', argv, listening);
        assert.equal(output, '0 1 2 3 4 ', 'and 4 is the listing itself');
      } finally {
        server.close();
      }
    });

    it('refuses a directory that became a link to another’s in between (T132)', async () => {
      const other = tree.app(B_UID, 'other', { secret: 'open to all' });
      chmodSync(tree.home(B_UID), 0o755);
      const own = tree.app(A_UID, 'moves');
      const seen = await run('moves', ['/bin/cat', 'secret'], {
        onStep: (step) => {
          if (step !== 'report') return;
          renameSync(own, `${own}-aside`);
          symlinkSync(other, own);
        },
      });
      assert.equal(seen.output, '');
      assert.equal(seen.refusal?.code, 'E_ISOLATION_FAILED');
      assert.match(seen.refusal.finding.found, /exchanged/);
    });

    it('says that a program is not to be seen, and how it would be', async () => {
      tree.app(A_UID, 'missing');
      const { refusal } = await run('missing', ['/var/lib/dpkg/status']);
      assert.equal(refusal?.code, 'E_RUNTIME_MISSING');
      assert.match(refusal.finding.remedy, /visible/);
    });

    it('starts nothing where the walls do not stand (T133)', async () => {
      tree.app(A_UID, 'nowhere');
      const { refusal, output } = await run('nowhere', ['/bin/echo', 'ran'], { showsHome: true });
      assert.equal(refusal?.code, 'E_ISOLATION_FAILED');
      assert.equal(refusal.finding.rule, 'isolation-walls');
      assert.match(output, /^bwrap: .*\/nonexistent\/home/);
      assert.doesNotMatch(output, /ran/);
    });
  });
}
