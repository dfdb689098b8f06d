// Without root everything runs as the current user, with the same launcher and the same proof.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, describe, it } from 'node:test';

const FIXTURE = fileURLToPath(new URL('../../fixtures/privdrop/self-launch.js', import.meta.url));
const ORDINARY_UID = 52_001;
const SETPRIV = '/usr/bin/setpriv';

const isRoot = process.getuid?.() === 0;
const uid = isRoot ? ORDINARY_UID : (process.getuid?.() ?? 0);
/** As root, the test becomes ordinary first, with one supplementary group to be found again. */
const drop = isRoot
  ? [SETPRIV, `--reuid=${uid}`, `--regid=${uid}`, '--groups=52009', '--inh-caps=-all', '--']
  : [];

interface Said {
  readonly account: { name: string; uid: number; groups: number[]; source: string };
  readonly ended: string;
  readonly faults: readonly unknown[];
  readonly refusal: unknown;
  readonly output: string;
}

describe('self mode', () => {
  const directory = mkdtempSync(join(tmpdir(), 'usherd-self-'));
  chmodSync(directory, 0o755);
  if (isRoot) chownSync(directory, uid, uid);
  after(() => rmSync(directory, { recursive: true }));

  it('launches a verified worker as the current user, whatever the account is called', () => {
    const [file, ...args] = [...drop, process.execPath, FIXTURE, directory];
    const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', cwd: '/' });
    assert.equal(stderr, '');
    const said = JSON.parse(stdout) as Said;
    assert.equal(said.ended, 'started', JSON.stringify(said));
    assert.deepEqual(said.faults, []);
    assert.equal(said.account.name, 'somebody');
    assert.equal(said.account.uid, uid);
    assert.equal(said.account.source, 'self');
    if (isRoot) assert.deepEqual(said.account.groups, [52_009]);
    assert.match(said.output, new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'));
    assert.match(said.output, /^NoNewPrivs:\t1$/m);
    assert.match(said.output, /^CapEff:\t0+$/m);
  });
});
