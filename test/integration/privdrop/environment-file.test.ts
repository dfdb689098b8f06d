// How the launcher reads an application's `.env`: in both shells that may be /bin/sh, with the text that users write.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  environmentFileFinding,
  READ_ENVIRONMENT_FILE,
} from '../../../src/privdrop/environment-file.js';

const SHELLS = ['/bin/dash', '/bin/bash'];

/** As the launcher has it: `IFS=`, `set -uf`, the settings as arguments. */
const SCRIPT = `set -uf
IFS=
head=/usr/bin/head
set -- FIRST=1
${READ_ENVIRONMENT_FILE}
for setting; do printf '%s\\n' "$setting"; done
`;

for (const shell of SHELLS) {
  describe(`.env read by ${shell}`, { skip: existsSync(shell) ? false : 'not installed' }, () => {
    let directory: string;
    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'usherd-env-'));
    });
    after(() => rmSync(directory, { recursive: true }));

    const read = (text: string | Buffer): { settings: string[]; said: string; status: number } => {
      writeFileSync(join(directory, '.env'), text);
      return readAsItIs();
    };
    const readAsItIs = (): { settings: string[]; said: string; status: number } => {
      const { stdout, output, status } = spawnSync(shell, ['-c', SCRIPT], {
        argv0: 'sh',
        cwd: directory,
        env: {},
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        encoding: 'utf8',
      });
      assert.equal(output[2], '');
      return {
        settings: stdout.trimEnd().split('\n'),
        said: output[3] ?? '',
        status: status ?? -1,
      };
    };

    test('sets what stands there, as it stands there', () => {
      const { settings, said } = read(
        [
          '# a comment',
          '',
          'PLAIN=value',
          'export EXPORTED=yes',
          'QUOTED="two words"',
          "SINGLE='$HOME `id` $(id) \\n'",
          'NOT_EXPANDED=$HOME ${X} $(id) `id` \\',
          'EQUALS=a=b=c',
          'EMPTY=',
          'HALF="quote',
          'ONE="',
          'CR=dos\r',
          'UMLAUT=äöü',
          'LAST=without newline',
        ].join('\n'),
      );
      assert.equal(said, '');
      assert.deepEqual(settings, [
        'FIRST=1',
        'PLAIN=value',
        'EXPORTED=yes',
        'QUOTED=two words',
        'SINGLE=$HOME `id` $(id) \\n',
        'NOT_EXPANDED=$HOME ${X} $(id) `id` \\',
        'EQUALS=a=b=c',
        'EMPTY=',
        'HALF="quote',
        'ONE="',
        'CR=dos',
        'UMLAUT=äöü',
        'LAST=without newline',
      ]);
    });

    test('refuses a line that sets nothing, or what is not the user’s, and says which', () => {
      for (const line of [
        'no equals sign',
        '=value',
        ' INDENTED=1',
        '1ST=1',
        'A-B=1',
        'A B=1',
        'export =1',
        'USHERD_APP=eve/x',
        'LISTEN_FDS=7',
        'FCGI_ROLE=1',
        'BASH_ENV=/x',
        'IFS=x',
        'ENV=/x',
        'PS4=$(id)',
        'NOTIFY_SOCKET=/x',
        'PHP_FCGI_CHILDREN=5',
      ]) {
        const { said, status } = read(`GOOD=1\n${line}\nMORE=2\n`);
        assert.equal(said, 'V 2\n', line);
        assert.equal(status, 111, line);
      }
      assert.match(environmentFileFinding('2', '/srv/a')?.path ?? '', /\/srv\/a\/\.env:2$/);
      assert.equal(environmentFileFinding('x', '/srv/a'), undefined);
    });

    test('takes 16 KiB and not a byte more', () => {
      const line = (bytes: number): string => `A=${'x'.repeat(bytes - 2)}`;
      assert.equal(read(line(16_384)).settings[1]?.length, 16_384);
      assert.equal(read(line(16_385)).said, 'V 0\n');
      assert.equal(environmentFileFinding('0', '/srv/a')?.rule, 'env-file-size');
    });

    test('a file that is not there, or a link, sets nothing', () => {
      rmSync(join(directory, '.env'), { force: true });
      assert.deepEqual(readAsItIs(), { settings: ['FIRST=1'], said: '', status: 0 });
      symlinkSync('/etc/hostname', join(directory, '.env'));
      assert.deepEqual(readAsItIs(), { settings: ['FIRST=1'], said: '', status: 0 });
      rmSync(join(directory, '.env'));
    });
  });
}
