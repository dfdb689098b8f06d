// `usherd run-as` from a terminal: a shell with job control on a terminal of its own, and root's terminal out of its reach.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needsRoot } from '../../support/needs-root.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_361 };
const noScript = existsSync('/usr/bin/script') ? false : 'script(1) is not installed';
const BIN = join(import.meta.dirname, '../../../../bin/usherd');

/** What it and every other process of its user holds, its controlling terminal, and what becomes of pushing a command into each terminal that it can name. */
const PROBE = `
use strict; use POSIX ();
print "holds ", join(' ', grep { defined } map { readlink } glob '/proc/[0-9]*/fd/*'), "\\n";
print "tty ", POSIX::ttyname(0) // 'none', "\\n";
for my $path (@ARGV, '/dev/tty') {
  if (!open(my $terminal, '+<', $path)) { print "open $path: $!\\n"; next }
  else { for my $char (split //, "echo INJE" . "CTED\\n") { ioctl($terminal, 0x5412, my $c = $char) } }
}
for my $fd (0, 1, 2) {
  open(my $terminal, '+<&=', $fd) or next;
  for my $char (split //, "echo INJE" . "CTED\\n") { ioctl($terminal, 0x5412, my $c = $char) }
}
print "probed\\n";
`;

/** A person at a terminal: what a shell there shows, and keys for it. */
class Person {
  readonly #child;
  text = '';

  constructor(command: string) {
    this.#child = spawn('script', ['-qe', '-E', 'never', '-c', command, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: '/usr/bin:/bin', SHELL: '/bin/sh', TERM: 'vt220' },
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.text += text));
  }

  async type(keys: string, answer: RegExp): Promise<RegExpExecArray> {
    this.#child.stdin.write(keys);
    return this.see(answer);
  }

  see(answer: RegExp): Promise<RegExpExecArray> {
    return waitFor(`${answer.source} in ${JSON.stringify(this.text)}`, () => {
      return answer.exec(this.text) ?? undefined;
    });
  }

  async leave(): Promise<number | null> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'close');
    return this.#child.exitCode;
  }
}

describe('run-as from a terminal', { skip: needsRoot || noScript }, () => {
  let usherd: UsherdRun;
  let runAs: string;
  before(async () => {
    usherd = await UsherdRun.start([ALICE], { routerUid: 52_369 });
    usherd.write('alice/site', 'app.py', '');
    usherd.write('alice/site', 'probe.pl', PROBE);
    runAs = `${BIN} run-as --config ${usherd.configFile} alice/site --`;
  });
  after(() => usherd.stop());

  test('is a shell with job control, the size and the type of the caller’s terminal', async () => {
    const person = new Person(`stty rows 31 cols 101; ${runAs} bash --norc -i`);
    await person.type('echo $((40 + 2)) $TERM $(stty size) $(id -u)\n', /42 vt220 31 101 52361/);
    await person.type('sleep 1000\n', /sleep 1000/);
    await waitFor('the sleep', () => usherd.workerPids().length > 2);
    await person.type('\x03', /\^C/);
    await person.type('echo "status $?"\n', /status 130/);
    await person.type('sleep 1000 &\n', /\[1\] \d+/);
    await person.type('jobs; echo "shell $SHELL"\n', /Running +sleep 1000[^]*shell \/\S+/);
    assert.doesNotMatch(person.text, /no job control/);
    await person.type('exit 9\n', /exit/);
    assert.equal(await person.leave(), 9);
    await waitFor('what it left behind to end', () => usherd.workerPids().length === 0);
  });

  test('neither holds nor reaches the terminal of the caller: no TIOCSTI (T62)', async () => {
    const person = new Person(
      `echo "outer $(tty)"; ${runAs} perl probe.pl $(tty); echo back; head -n 1; echo end`,
    );
    const [, outer = ''] = await person.see(/outer (\/dev\/pts\/\d+)/);
    await person.see(/back/);
    await person.type('typed by the person\n', /typed by the person\s+end/);
    const [, held = ''] = await person.see(/holds (.*)/);
    assert.ok(!held.split(/\s/).includes(outer), held);
    const [, inner] = await person.see(/tty (\/dev\/pts\/\d+)/);
    assert.notEqual(inner, outer);
    assert.match(person.text, new RegExp(`open ${outer}: Permission denied`));
    // What it pushed went into its own terminal, whose echo may show it; nothing of it came out of the caller's.
    const afterwards = person.text.slice(person.text.indexOf('back'));
    assert.doesNotMatch(afterwards, /INJECTED/);
    assert.equal(await person.leave(), 0);
  });

  test('with its output in a file it has no terminal at all, and the file is as it should be', async () => {
    const file = join(usherd.directory, 'probe.out');
    const person = new Person(`${runAs} perl probe.pl $(tty) > ${file}; echo "status $?"`);
    await person.see(/status 0/);
    await person.leave();
    const text = readFileSync(file, 'utf8');
    assert.match(text, /^tty none$/m);
    assert.doesNotMatch(text, /holds .*\/dev\/pts/);
    assert.match(text, /open \/dev\/tty: No such device/);
    assert.doesNotMatch(person.text, /INJECTED/);
  });

  test('leaves the terminal as it found it, whatever becomes of the command', async () => {
    const person = new Person(
      `before=$(stty -g); ${runAs} sh -c 'kill -9 $PPID; sleep 1000'; [ "$before" = "$(stty -g)" ] && echo "as before"`,
    );
    await person.see(/as before/);
    await person.leave();
    await waitFor('all of it to end', () => usherd.workerPids().length === 0);
  });
});
