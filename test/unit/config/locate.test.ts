// The line of a key, in every way that TOML can write it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyLines } from '../../../src/config/locate.js';
import { parseToml } from '../../../src/config/toml.js';

/** Finds `# HERE` in the text, which has to be TOML, and compares. */
function assertHere(path: readonly PropertyKey[], text: string): void {
  const parsed = parseToml(text, 'text');
  assert.ok(parsed.ok, text);
  const expected = text.split('\n').findIndex((line) => line.includes('# HERE')) + 1;
  assert.ok(expected > 0, 'the text marks no line');
  assert.equal(new KeyLines(text).lineOf(path), expected, text);
}

test('keys of the file, of tables and of tables below tables are found', () => {
  assertHere(['a'], '\n\na = 1 # HERE\n');
  assertHere(['t', 'a'], 'a = 1\n[t]\na = 2 # HERE\n');
  assertHere(['t', 'u', 'a'], '[t]\na = 1\n[t.u]\n\n  a = 2 # HERE\n');
  assertHere(['t'], 'a = 1\n[t] # HERE\na = 2\n');
});

test('dotted, quoted and spaced keys are found', () => {
  assertHere(['t', 'a', 'b'], '[t]\na.b = 1 # HERE\n');
  assertHere(['t', 'a', 'b'], '[t]\n"a" . \'b\'   =   1 # HERE\n');
  assertHere(['users', 'a.b', 'uid'], '[users."a.b"]\nuid = 1 # HERE\n');
  assertHere(['users', 'a]b', 'uid'], '[users."a]b"]\nuid = 1 # HERE\n');
  assertHere(['a'], 'a.b = 1 # HERE\na.c = 2\n');
});

test('what only looks like a key is not one', () => {
  assertHere(['a'], 's = """\na = 1\n[t]\n"""\na = 2 # HERE\n');
  assertHere(['a'], "s = '''\na = 1\n'''\na = 2 # HERE\n");
  assertHere(['a'], '# a = 1\n# [t]\na = 2 # HERE\n');
  assertHere(['a'], 's = "\\"a = 1 # [t]"\na = 2 # HERE\n');
  assertHere(['a'], 's = """x\\\n  y"""""\na = 2 # HERE\n');
  assertHere(['a'], "s = '[t]' # a = 1\na = 2 # HERE\n");
});

test('elements of lists are found, also over many lines and with comments between', () => {
  assertHere(['l', 1], 'l = [\n  "a", # one\n  # two\n  "b", # HERE\n]\n');
  assertHere(['l', 1, 'p'], 'l = [\n { p = 1 },\n { p = 2 }, # HERE\n]\nz = 1\n');
  assertHere(['l', 0, 0], 'l = [ [ "x" ] ] # HERE\n');
  assertHere(['z'], 'l = [ "]", "#", { a = "}" } ]\nz = 1 # HERE\n');
});

test('tables of arrays are counted', () => {
  assertHere(['s', 1, 'p'], '[[s]]\np = 1\n[[s]]\np = 2 # HERE\n');
  assertHere(['s', 1, 't', 'p'], '[[s]]\n[s.t]\np = 1\n[[s]]\n[s.t]\np = 2 # HERE\n');
  assertHere(['s', 0, 'u', 1, 'p'], '[[s]]\n[[s.u]]\np=1\n[[s.u]]\np=2 # HERE\n');
});

test('what is below a key longer than any of ours is placed at it', () => {
  const long = 'k'.repeat(5_000);
  assertHere([long], `a = 1\n${long} = 2 # HERE\n`);
  assertHere([long, 'b'], `a = 1\n[${long}] # HERE\na = 1\nb = 2\n`);
  assertHere(['c'], `${long} = [1, { b = 2 }]\nc = 1 # HERE\n`);
});

test('a key that does not stand in the text is placed at the table it is missing from', () => {
  assertHere(['t', 'missing'], 'a = 1\n[t] # HERE\nb = 1\n');
  assertHere(['l', 0, 'missing'], 'a = 1\nl = [{ b = 1 }] # HERE\n');
  assert.equal(new KeyLines('a = 1\n').lineOf(['nothing', 'of', 'it']), 1);
});

test('line ends of both kinds, a byte order mark and a missing last line end are counted right', () => {
  assertHere(['b'], 'a = 1\r\n\r\nb = 2 # HERE\r\n');
  assertHere(['b'], '\ufeffa = 1\nb = 2 # HERE');
  assertHere(['b'], 'd = 1979-05-27 07:32:00\nb = 2 # HERE');
});
