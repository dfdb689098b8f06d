// Old files of users' private directories go, as the user and nobody else, and nothing outside of them whatever he lays there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { needsRoot } from '../../support/needs-root.js';
import { SupervisorHost, UID } from '../../support/supervisor-host.js';
import { waitFor } from '../../support/wait-for.js';

/** Files cannot be given a change time, so what is old here is older than this. */
const AGE_MS = 1_000;
const TIMES = { firstAfterMs: 10, intervalMs: 50 };
const LONG_AGO = new Date('2020-01-01');
const KEPT_MS = 3_600_000;

describe('the cleaner of private directories', { skip: needsRoot }, () => {
  let host: SupervisorHost;
  let own: string;

  beforeEach(async () => {
    host = new SupervisorHost({
      cleanTimes: TIMES,
      privateDirectories: { temporaryAgeMs: AGE_MS, sessionAgeMs: AGE_MS },
    });
    own = join(host.users, String(UID.alice));
    await host.start();
  });
  afterEach(() => host.close());

  /** The last time that she read or wrote it is long ago; it is hers. */
  function lay(name: string, owner: number = UID.alice): string {
    const path = join(own, name);
    mkdirSync(dirname(path), { recursive: true });
    chownSync(dirname(path), UID.alice, UID.alice);
    writeFileSync(path, 'x');
    chownSync(path, owner, owner);
    utimesSync(path, LONG_AGO, LONG_AGO);
    return path;
  }

  /** A worker of hers that has made the directory; cleaning begins a moment later. */
  async function startWorker(): Promise<void> {
    if (!existsSync(join(host.root, 'alice/app'))) host.makeApp('alice', 'app', 'sleeps');
    const router = await host.router();
    await router.spawn('alice/app');
    router.close();
  }

  const lines = (msg: string): readonly Record<string, unknown>[] =>
    host.log.filter((line) => line.msg === msg) as object[] as Record<string, unknown>[];
  const cleanings = (): number => lines('private directory cleaned').length;
  const removed = (): number =>
    lines('private directory cleaned').reduce((sum, line) => sum + Number(line['removedCount']), 0);

  /** As many more as it takes for one to have begun after this call. */
  const twice = async (): Promise<void> => {
    const before = cleanings();
    await waitFor('two cleanings', () => cleanings() > before + 1);
  };

  const prepare = (): void => {
    mkdirSync(own);
    chownSync(own, UID.alice, UID.alice);
  };

  it('removes what is old, keeps what is new, and says how much it was', async () => {
    prepare();
    const old = [
      'tmp/upload',
      'tmp/.hidden',
      'tmp/a b\nc',
      'tmp/deep/er/file',
      'opcodes/app/x/y.bin',
      'isolated/app/in-its-tmp',
    ];
    const files = [...old, 'sessions/app/sess_1', 'sessions/app/a/b/sess_2'].map((name) =>
      lay(name),
    );
    await startWorker();
    await waitFor('them to be gone', () => files.every((file) => !existsSync(file)));
    const fresh = lay('tmp/fresh');
    utimesSync(fresh, new Date(Date.now() + KEPT_MS), LONG_AGO); // read since
    await twice();
    assert.ok(existsSync(fresh));
    // The directories of applications stay: a worker was told of them when it was started.
    for (const name of ['sessions/app', 'opcodes/app', 'isolated/app']) {
      assert.ok(existsSync(join(own, name)), name);
    }
    assert.ok(removed() >= files.length, `removed ${removed()}`);
    const [line] = lines('private directory cleaned');
    assert.equal(line?.['user'], 'alice');
    assert.equal(typeof line['durationMs'], 'number');
  });

  it('keeps empty directories while a worker lives that may count on them, and then no more', async () => {
    prepare();
    const folder = join(own, 'tmp/mine');
    const walled = join(own, 'isolated/app');
    for (const path of [folder, walled]) mkdirSync(path, { recursive: true });
    for (const path of [dirname(folder), folder, dirname(walled), walled]) {
      chownSync(path, UID.alice, UID.alice);
      utimesSync(path, LONG_AGO, LONG_AGO);
    }
    const witness = lay('tmp/witness');
    await startWorker();
    await waitFor('the witness to be gone', () => !existsSync(witness));
    await twice();
    assert.ok(existsSync(folder));
    await host.control({ command: 'stop', app: 'alice/app' });
    await waitFor('the folder to be gone', () => !existsSync(folder));
    assert.ok(existsSync(join(own, 'tmp')), 'of which the next worker is told');
    assert.ok(existsSync(walled), 'which may be the /tmp of one that starts now');
  });

  it('follows no link, whether below, in its way, or in place of its folders', async () => {
    prepare();
    const victim = join(host.root, 'alice', 'precious');
    mkdirSync(victim);
    writeFileSync(join(victim, 'letter'), 'dear');
    for (const path of [victim, join(victim, 'letter')]) {
      chownSync(path, UID.alice, UID.alice);
      utimesSync(path, LONG_AGO, LONG_AGO);
    }
    lay('tmp/witness');
    for (const name of ['tmp/link', 'sessions', 'opcodes']) {
      symlinkSync(victim, join(own, name));
      lchownSync(join(own, name), UID.alice, UID.alice);
    }
    await startWorker();
    await waitFor('the witness to be gone', () => !existsSync(join(own, 'tmp/witness')));
    await twice();
    assert.deepEqual(readdirSync(victim), ['letter']);
  });

  it('never leaves the directory while its owner swaps folders and links under it', async () => {
    prepare();
    const victim = join(host.root, 'alice', 'precious');
    mkdirSync(victim);
    chownSync(victim, UID.alice, UID.alice);
    for (let i = 0; i < 50; i += 1) {
      const file = join(victim, `letter${i}`);
      writeFileSync(file, 'dear');
      chownSync(file, UID.alice, UID.alice);
      utimesSync(file, LONG_AGO, LONG_AGO);
    }
    mkdirSync(join(own, 'tmp/flip'), { recursive: true });
    for (const name of ['tmp', 'tmp/flip']) chownSync(join(own, name), UID.alice, UID.alice);
    symlinkSync(victim, join(own, 'tmp/link'));
    lchownSync(join(own, 'tmp/link'), UID.alice, UID.alice);
    await startWorker();
    const before = cleanings();
    const [flip, link, third] = ['tmp/flip', 'tmp/link', 'tmp/third'].map((name) =>
      join(own, name),
    );
    assert.ok(flip !== undefined && link !== undefined && third !== undefined);
    await waitFor('many cleanings', () => {
      for (let i = 0; i < 200; i += 1) {
        if (!existsSync(link)) symlinkSync(victim, link);
        if (!existsSync(flip)) mkdirSync(flip);
        renameSync(flip, third);
        renameSync(link, flip);
        renameSync(third, link);
        renameSync(flip, third);
        renameSync(link, flip);
        renameSync(third, link);
      }
      return cleanings() > before + 20;
    });
    assert.equal(readdirSync(victim).length, 50);
  });

  it('touches nothing of anybody else’s that lies there', async () => {
    prepare();
    const roots = lay('tmp/private/of-root', 0);
    chownSync(dirname(roots), 0, 0); // root may have put a directory there; its files are root's
    lay('tmp/witness');
    const secret = join(host.root, 'secret');
    writeFileSync(secret, 'root');
    utimesSync(secret, LONG_AGO, LONG_AGO);
    linkSync(secret, join(own, 'tmp/hardlink'));
    await startWorker();
    await waitFor('the witness to be gone', () => !existsSync(join(own, 'tmp/witness')));
    await twice();
    assert.ok(existsSync(roots));
    assert.equal(readFileSync(secret, 'utf8'), 'root', 'a name of it may go, the file not');
  });

  it('touches nothing while something is mounted below it, be it of the same file system', async () => {
    prepare();
    const files = [lay('tmp/old'), lay('sessions/app/sess')];
    const precious = join(host.root, 'precious');
    mkdirSync(precious);
    writeFileSync(join(precious, 'letter'), 'dear');
    for (const path of [precious, join(precious, 'letter')]) {
      chownSync(path, UID.alice, UID.alice);
      utimesSync(path, LONG_AGO, LONG_AGO);
    }
    mkdirSync(join(own, 'tmp/mount'));
    execFileSync('mount', ['--bind', precious, join(own, 'tmp/mount')]);
    try {
      await startWorker();
      const [line] = await waitFor('it to be said', () => {
        const found = lines('private directory not cleaned');
        return found.length > 1 && found;
      });
      assert.match(String(line?.['detail']), /mounted/);
      for (const path of [...files, join(precious, 'letter')]) assert.ok(existsSync(path), path);
    } finally {
      execFileSync('umount', [join(own, 'tmp/mount')]);
    }
    await waitFor('it to be clean afterwards', () => files.every((file) => !existsSync(file)));
    assert.ok(existsSync(join(precious, 'letter')));
  });

  it('runs one at a time, is the user, and leaves no process and no group behind', async () => {
    prepare();
    lay('tmp/witness');
    await startWorker();
    await waitFor('a few cleanings', () => cleanings() > 5);
    await host.stop();
    assert.deepEqual(host.processesOf(UID.alice), []);
    assert.deepEqual(lines('privilege drop not proved'), []);
    assert.equal(lines('worker survives kill').length, 0);
  });

  it('keeps everything where the age is 0', async () => {
    await host.stop();
    host.change({ privateDirectories: { temporaryAgeMs: 0, sessionAgeMs: AGE_MS } });
    await host.start();
    prepare();
    const kept = [lay('tmp/old'), lay('opcodes/app/old')];
    const session = lay('sessions/app/sess');
    await startWorker();
    await waitFor('the session to be gone', () => !existsSync(session));
    await twice();
    for (const path of kept) assert.ok(existsSync(path), path);
  });
});
