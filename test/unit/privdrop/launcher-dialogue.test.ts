// The supervisor's side of descriptor 3: the one right conversation, and every way to leave it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Finding } from '../../../src/errors.js';
import { LIMITS } from '../../../src/limits.js';
import type { Program } from '../../../src/privdrop/index.js';
import {
  DESCRIPTORS_LINE,
  DIRECTORY,
  directoryLine,
  END_LINE,
  manifestLines,
  NAMES,
  NONCE,
  Recorder,
  report,
  statLine,
} from '../../support/launcher-lines.js';

const outside = { name: 'UsherdError', code: 'E_PRIVDROP_REPORT' };
const MANIFEST_MARK = statLine({ name: 'usherd.toml' });

describe('the dialogue with a launcher', () => {
  it('goes from descriptors to report to start', () => {
    const recorder = new Recorder();
    recorder.say(DESCRIPTORS_LINE);
    assert.deepEqual(recorder.descriptors, [[0, 1, 2, 3, 4]]);
    assert.deepEqual(recorder.texts, []);
    recorder.dialogue.look();
    const question = [NONCE, DIRECTORY, 5, ...NAMES, 'usherd.toml', '.env', ''].join('\n');
    assert.deepEqual(recorder.texts, [question]);
    recorder.say(report(statLine({ name: 'app.fcgi' }), MANIFEST_MARK, manifestLines('a = 1\n')));
    assert.equal(recorder.reports[0]?.manifestText, 'a = 1\n');
    recorder.dialogue.start({ umask: 0o27, environment: ['A=b c'], argv: ['./app.fcgi', ''] });
    assert.equal(recorder.texts[1], '0027\n0\n0\n1\n0\n2\n0\nA=b c\n./app.fcgi\n\n');
    assert.equal(recorder.dialogue.ended(), 'started');
    assert.deepEqual(recorder.refusals, []);
  });

  it('asks for the manifest once, however often it is named', () => {
    const recorder = new Recorder({ names: ['usherd.toml', 'a', 'a'] });
    recorder.say(DESCRIPTORS_LINE);
    recorder.dialogue.look();
    assert.equal(recorder.texts[0], `${NONCE}\n${DIRECTORY}\n3\nusherd.toml\na\n.env\n`);
  });

  it('reads marks field by field', () => {
    const recorder = Recorder.looking();
    recorder.say(report('S app.fcgi|1001|83ed|12345678901|-5|3\n'));
    assert.deepEqual(recorder.reports[0]?.marks, [
      {
        name: 'app.fcgi',
        uid: 1_001,
        mode: 0o1755,
        kind: 'file',
        sizeBytes: 12_345_678_901,
        mtimeS: -5,
        links: 3,
      },
    ]);
  });

  for (const line of [
    'R 0 1 2 3 4 251\n',
    'R 0 1 2 3\n',
    'R 0 1 2 3 5\n',
    'R 1 2 3 4\n',
    'R 0 1 2 3 4 4\n',
    'R 10 2 3 4 1\n',
  ]) {
    it(`refuses the descriptors of ${JSON.stringify(line)} before anybody is asked`, () => {
      const recorder = new Recorder();
      recorder.say(line);
      assert.equal(recorder.refusals[0]?.code, 'E_PRIVDROP_VERIFY');
      assert.equal(recorder.rule, 'drop-descriptors');
      assert.deepEqual(recorder.descriptors, []);
      assert.equal(recorder.dialogue.ended(), 'refused');
    });
  }

  for (const line of ['R\n', 'R 0 1 2 3 4 \n', 'R 0 1 x\n', 'R -1\n', 'Q 0\n', '\n', 'R 0 *\n']) {
    it(`does not read ${JSON.stringify(line)} as a list of descriptors`, () => {
      assert.throws(() => new Recorder().say(line), outside);
    });
  }

  for (const reason of ['missing', 'kind', 'link', 'search'] as const) {
    it(`tells why the directory was not entered: ${reason}`, () => {
      const recorder = Recorder.looking();
      recorder.say(`E ${reason} /srv/alice\n`);
      const code = reason === 'link' || reason === 'search' ? 'E_ACCESS_REFUSED' : 'E_APP_UNKNOWN';
      assert.equal(recorder.refusals[0]?.code, code);
      assert.equal(recorder.refusals[0].finding.path, '/srv/alice');
      assert.equal(recorder.dialogue.ended(), 'refused');
    });
  }

  it('tells that the program is missing', () => {
    const recorder = Recorder.starting();
    recorder.say('X\n');
    assert.equal(recorder.refusals[0]?.code, 'E_RUNTIME_MISSING');
    assert.equal(recorder.refusals[0].finding.path, '/srv/alice/apps/blog/app.fcgi');
    assert.equal(recorder.dialogue.ended(), 'refused');
  });
});

describe('a launcher that looks whether a program would run', () => {
  const needs = ['Perl module FCGI', 'gem rack'].map((what) => ({
    what,
    paths: ['/usr/a/*', '/usr/b'],
    remedy: `install ${what}`,
  }));
  const starting = (program: Partial<Program> = {}): Recorder => {
    const recorder = Recorder.looking();
    recorder.say(report());
    recorder.dialogue.start({ umask: 0o27, environment: [], argv: ['./app.fcgi'], ...program });
    return recorder;
  };

  it('names the package of a program that is missing', () => {
    const recorder = starting({ debianPackage: 'puma ruby-rack' });
    recorder.say('X\n');
    assert.match(
      recorder.refusals[0]?.finding.remedy ?? '',
      /^apt-get install puma ruby-rack; if it is there: chmod u\+x \/\S*\/app\.fcgi$/,
    );
  });

  it('names what is missing besides the program, by its number', () => {
    const recorder = starting({ needs });
    assert.match(recorder.texts[1] ?? '', /\n2\n1\n0\n\/usr\/a\/\*:\/usr\/b\n/);
    recorder.say('N 1\n');
    assert.equal(recorder.refusals[0]?.code, 'E_RUNTIME_MISSING');
    assert.equal(recorder.rule, 'runtime-incomplete');
    assert.equal(recorder.refusals[0].finding.found, 'no gem rack');
    assert.equal(recorder.refusals[0].finding.remedy, 'install gem rack');
    assert.equal(recorder.dialogue.ended(), 'refused');
  });

  for (const line of ['N 2\n', 'N -1\n', 'N \n', 'N 0x\n', 'N 1000\n', 'N constructor\n']) {
    it(`does not take ${JSON.stringify(line)} for something that is missing`, () => {
      assert.throws(() => starting({ needs }).say(line), outside);
    });
  }

  it('names the interpreter that is missing, and a line end of Windows', () => {
    const finding = (line: string): Finding | undefined => {
      const recorder = starting();
      recorder.say(line);
      assert.equal(recorder.refusals[0]?.code, 'E_RUNTIME_MISSING');
      return recorder.refusals[0].finding;
    };
    const missing = finding('P missing /usr/bin/lua5.1\n');
    assert.equal(missing?.path, '/srv/alice/apps/blog/app.fcgi');
    assert.match(missing.found, /\/usr\/bin\/lua5\.1/);
    assert.match(missing.remedy, /package lua5\.1/);
    assert.match(finding('P missing -\n')?.remedy ?? '', /^mend the first line/);
    assert.match(finding('P return -\n')?.found ?? '', /carriage return/);
  });

  for (const line of ['P\n', 'P missing\n', 'P missing \n', 'P x /bin/sh\n', 'P missing a b\n']) {
    it(`does not take ${JSON.stringify(line)} for an interpreter`, () => {
      assert.throws(() => starting().say(line), outside);
    });
  }

  it('rehearses, and a rehearsal has not started anything', () => {
    const recorder = starting({ isRehearsal: true });
    assert.equal(recorder.dialogue.ended(), 'silent');
    recorder.say('O\n');
    assert.equal(recorder.dialogue.ended(), 'rehearsed');
    assert.deepEqual(recorder.refusals, []);
    assert.throws(() => recorder.say('O\n'), outside);
    assert.throws(() => starting().say('O\n'), outside, 'nobody asked for a rehearsal');
  });
});

describe('a launcher that is told of walls', () => {
  const behindWalls = (...lines: readonly string[]): Recorder => {
    const recorder = Recorder.looking();
    recorder.say(report());
    const walls = ['/usr/bin/bwrap', '--proc', '/proc'];
    recorder.dialogue.start({ umask: 0o27, environment: [], argv: ['/opt/bin/serve'], walls });
    for (const line of lines) recorder.say(line);
    return recorder;
  };

  it('gets them before the program', () => {
    const text = '0027\n0\n3\n0\n0\n1\n0\n/usr/bin/bwrap\n--proc\n/proc\n/opt/bin/serve\n';
    assert.equal(behindWalls().texts[1], text);
  });

  it('has started when it says that it is inside, and then nothing more', () => {
    const recorder = behindWalls('I\n');
    assert.equal(recorder.dialogue.ended(), 'started');
    assert.deepEqual(recorder.refusals, []);
  });

  it('has not started when it ends before it is inside (T133)', () => {
    const recorder = behindWalls();
    assert.equal(recorder.dialogue.ended(), 'refused');
    assert.equal(recorder.refusals[0]?.code, 'E_ISOLATION_FAILED');
    assert.equal(recorder.rule, 'isolation-walls');
    assert.equal(recorder.dialogue.ended(), 'refused');
    assert.equal(recorder.refusals.length, 1);
  });

  it('refuses a directory that is another one inside (T132)', () => {
    const recorder = behindWalls('I moved\n');
    assert.equal(recorder.refusals[0]?.code, 'E_ISOLATION_FAILED');
    assert.match(recorder.refusals[0].finding.found, /exchanged/);
  });

  it('tells of a missing program only from inside, with the remedy for it', () => {
    const recorder = behindWalls('I\n', 'X\n');
    assert.equal(recorder.refusals[0]?.code, 'E_RUNTIME_MISSING');
    assert.match(recorder.refusals[0].finding.remedy, /`visible` of \[isolation\]/);
    assert.throws(() => behindWalls('X\n'), outside);
    assert.throws(() => behindWalls('V 1\n'), outside);
  });

  it('may not be inside twice, nor inside of none', () => {
    assert.throws(() => behindWalls('I\n', 'I\n'), outside);
    assert.throws(() => Recorder.starting().say('I\n'), outside);
  });

  it('makes directories outside only', () => {
    assert.throws(() => behindWalls('I\n', 'M /x\n'), outside);
  });
});

describe('a launcher outside its dialogue', () => {
  it('may not speak before it was verified, nor before it was told what to start', () => {
    const verifying = new Recorder();
    verifying.say(DESCRIPTORS_LINE);
    assert.throws(() => verifying.say('D'), outside);
    const deciding = Recorder.looking();
    deciding.say(report());
    assert.throws(() => deciding.say('\n'), outside);
  });

  it('may not speak ahead in the same breath', () => {
    const recorder = new Recorder();
    assert.throws(() => recorder.say(DESCRIPTORS_LINE + 'D'), outside);
    assert.deepEqual(recorder.descriptors, []);
    const looking = Recorder.looking();
    assert.throws(() => looking.say(report() + 'x'), outside);
    assert.deepEqual(looking.reports, []);
  });

  it('may not go on after its end', () => {
    for (const last of ['E missing /srv\n', 'E link /srv\n']) {
      const recorder = Recorder.looking();
      recorder.say(last);
      assert.throws(() => recorder.say('x'), outside);
    }
    const dead = new Recorder();
    assert.throws(() => dead.say('nonsense\n'), outside);
    assert.throws(() => dead.say(DESCRIPTORS_LINE), outside);
    assert.equal(dead.dialogue.ended(), 'silent');
  });

  const reports: readonly (readonly [what: string, text: string])[] = [
    ['no directory', `${directoryLine()}${END_LINE}`],
    ['a relative directory', `D srv\n${directoryLine()}${END_LINE}`],
    ['no stat of the directory', `D ${DIRECTORY}\n${END_LINE}`],
    ['the end only', END_LINE],
    ['a name that was not asked', report(statLine({ name: 'index.php' }))],
    ['a component that was not asked', report(statLine({ name: '/etc' }))],
    ['a name twice', report(statLine({ name: 'public' }), statLine({ name: 'public' }))],
    ['the directory twice', report(directoryLine())],
    ['a component although nothing was linked', report(statLine({ name: '/srv' }))],
    [
      'the end of somebody else',
      `D ${DIRECTORY}\n${directoryLine()}L ${NONCE.replace('0', '1')}\n`,
    ],
    ['a manifest before the directory', `D ${DIRECTORY}\n${manifestLines('')}${END_LINE}`],
    ['a signed uid', report('S public|-1|41ed|1|1|1\n')],
    ['a fraction', report('S public|1001|41ed|1.5|1|1\n')],
    ['a missing field', report('S public|1001|41ed|1|1\n')],
    ['a mode that is no number', report('S public|1001|zz|1|1|1\n')],
    ['an unknown reason', 'E because /srv\n'],
    ['a refusal of another path', 'E missing /etc\n'],
    ['a refusal without a path', 'E missing\n'],
    ['an X too early', 'X\n'],
    ['an empty line', '\n'],
  ];
  for (const [what, text] of reports) {
    it(`may not report ${what}`, () => {
      const recorder = Recorder.looking();
      assert.throws(() => recorder.say(text), outside);
      assert.deepEqual(recorder.reports, []);
      assert.notEqual(recorder.dialogue.ended(), 'started');
    });
  }

  for (const text of ['x\n', 'X \n', 'E program\n', 'X\nX\n', 'R 0 1 2 3 4\n']) {
    it(`may not answer a start with ${JSON.stringify(text)}`, () => {
      const recorder = Recorder.starting();
      assert.throws(() => recorder.say(text), outside);
      assert.equal(recorder.dialogue.ended(), 'silent');
    });
  }

  it('may say as many bytes as the limit, and not one more', () => {
    const full = new Recorder();
    full.say(Buffer.alloc(LIMITS.launcherReportMaxBytes, 'R'));
    assert.throws(() => full.say('R'), outside);
    assert.throws(() => new Recorder().say(Buffer.alloc(LIMITS.launcherReportMaxBytes + 1, 'R')), outside); // prettier-ignore
  });
});

describe('the end of descriptor 3', () => {
  it('means nothing was started at every point before start()', () => {
    assert.equal(new Recorder().dialogue.ended(), 'silent');
    const verifying = new Recorder();
    verifying.say(DESCRIPTORS_LINE);
    assert.equal(verifying.dialogue.ended(), 'silent');
    const looking = Recorder.looking();
    assert.equal(looking.dialogue.ended(), 'silent');
    looking.say(report());
    assert.equal(looking.dialogue.ended(), 'silent');
  });

  it('means started after start(), unless half a line came', () => {
    assert.equal(Recorder.starting().dialogue.ended(), 'started');
    const half = Recorder.starting();
    half.say('X');
    assert.equal(half.dialogue.ended(), 'silent');
  });
});

describe('the turns of the supervisor', () => {
  it('are asserted', () => {
    const program = { umask: 0, environment: [], argv: ['/bin/true'] };
    assert.throws(() => new Recorder().dialogue.look(), { name: 'AssertionError' });
    assert.throws(() => new Recorder().dialogue.start(program), { name: 'AssertionError' });
    assert.throws(() => Recorder.looking().dialogue.look(), { name: 'AssertionError' });
    assert.throws(() => Recorder.starting().dialogue.start(program), { name: 'AssertionError' });
  });

  for (const directory of [
    'srv',
    '',
    '/',
    '/srv/',
    '//srv',
    '/srv/../etc',
    '/./srv',
    '/a\nb',
    '/a\0',
  ]) {
    it(`never ask for ${JSON.stringify(directory)}`, () => {
      assert.throws(() => new Recorder({ directory }), { name: 'AssertionError' });
    });
  }

  for (const name of ['', '/etc/passwd', '../x', 'a/../b', '-rf', '..', 'a b', 'a|b', 'a\nb']) {
    it(`never ask for the name ${JSON.stringify(name)}`, () => {
      assert.throws(() => new Recorder({ names: [name] }), { name: 'AssertionError' });
    });
  }
});
