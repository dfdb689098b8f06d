// Capabilities of the supervisor: exactly five as root, none otherwise; and programs that somebody else could replace.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findCapabilityFaults, findLimitFaults } from '../../../src/privdrop/startup.js';
import { checkTool, findTools, recheckTools } from '../../../src/privdrop/tools.js';

const NEEDED = 0x1e1n;
const SETS = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'];

const statusWith = (values: readonly bigint[]): string =>
  SETS.map((set, i) => `${set}:\t${(values[i] ?? 0n).toString(16).padStart(16, '0')}\n`).join('');

describe('the limits of the supervisor', () => {
  const limits = (hard: string): string =>
    `Limit Soft Hard Units\nMax open files            1024                 ${hard}             files\n`;

  it('are enough for what every worker gets', () => {
    for (const hard of ['1024', '65536', 'unlimited']) {
      assert.deepEqual(findLimitFaults(limits(hard)), []);
    }
  });

  it('are named with what to raise where they are not', () => {
    const [fault] = findLimitFaults(limits('1023'));
    assert.match(fault?.found ?? '', /1023 open files/);
    assert.match(fault?.remedy ?? '', /LimitNOFILE/);
    assert.equal(findLimitFaults('').length, 1);
  });
});

const ROOT = [0n, NEEDED, NEEDED, NEEDED, 0n];

describe('the capabilities of the supervisor', () => {
  it('are chown, kill, setgid, setuid and setpcap as root', () => {
    assert.deepEqual(findCapabilityFaults(statusWith(ROOT), 'root'), []);
  });

  for (const [i, set] of SETS.entries()) {
    it(`are found to differ in ${set}`, () => {
      const wrong = (ROOT[i] ?? 0n) ^ (1n << 8n);
      const faults = findCapabilityFaults(statusWith(ROOT.with(i, wrong)), 'root');
      assert.equal(faults.length, 1);
      assert.match(faults[0]?.found ?? '', new RegExp(`^${set}:`));
    });
  }

  it('are one too many with any other capability', () => {
    const more = ROOT.with(3, NEEDED | 2n);
    const [fault] = findCapabilityFaults(statusWith(more), 'root');
    assert.match(fault?.found ?? '', /CAP_CHOWN capability 1 CAP_KILL/);
  });

  it('are none in self mode, where the bounding set does not matter', () => {
    assert.deepEqual(findCapabilityFaults(statusWith([0n, 0n, 0n, 0x1ffn, 0n]), 'self'), []);
    assert.equal(findCapabilityFaults(statusWith([0n, 1n, 0n, 0n, 0n]), 'self').length, 1);
  });

  it('are not taken for granted where nothing is said', () => {
    assert.equal(findCapabilityFaults('', 'root').length, 5);
    assert.equal(findCapabilityFaults('', 'self').length, 4);
  });
});

describe('the programs of the chain', () => {
  it('are found, called by their own names, and still the same', () => {
    const tools = findTools();
    assert.equal(tools.sh, '/bin/sh');
    assert.match(tools.setpriv, /^\/.*\/setpriv$/);
    assert.equal(tools.pins.length, 11);
    recheckTools(tools);
  });

  it('are refused when they are other files than before, or gone (T112)', () => {
    const tools = findTools();
    const changed = tools.pins.map((pin) => ({ ...pin, version: '' }));
    assert.throws(() => recheckTools({ ...tools, pins: changed }), { code: 'E_STARTUP_TOOL' });
    const gone = [{ path: '/nonexistent/setpriv', version: '' }];
    assert.throws(() => recheckTools({ ...tools, pins: gone }), { code: 'E_STARTUP_TOOL' });
  });

  it('are refused below a directory where everybody may write (T124)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'usherd-tools-'));
    const tool = join(folder, 'setpriv');
    writeFileSync(tool, '');
    chmodSync(tool, 0o755);
    assert.equal(checkTool(tool)?.rule, 'tool-owner');
    rmSync(folder, { recursive: true });
  });

  it('are regular files that can be run', () => {
    assert.equal(checkTool('/usr/bin')?.rule, 'tool-kind');
    assert.equal(checkTool('/etc/passwd')?.rule, 'tool-kind');
    assert.equal(checkTool('/bin/sh'), undefined);
  });
});
