// Every command of usherd's that a document, an example, a unit or a remedy names is there, with these options and no more words.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allCommands, nameOf } from '../../src/cli/index.js';
import { ERRORS } from '../../src/errors.js';

const ROOT = join(import.meta.dirname, '../../..');
type Command = Awaited<ReturnType<typeof allCommands>>[number];

const COMMANDS = new Map((await allCommands()).map((command) => [nameOf(command), command]));
/** Of main.ts itself, without the argument parser; and what the parser brings. */
const OTHERS: ReadonlySet<string> = new Set(['supervisor', 'router', 'completion']);

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const filesIn = (path: string): readonly string[] =>
  readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' })
    .map((name) => `${path}/${name}`)
    .filter((name) => statSync(join(ROOT, name)).isFile() && !/\.(png|json)$/.test(name));

/** What stands behind `usherd` up to whatever ends a command in a shell. */
const CALL = /(?:^|[\s`(/])usherd ([a-z][a-z-]*)((?: +[^\s|;&>)`#]+)*)/g;

interface Call {
  readonly name: string;
  readonly words: readonly string[];
  readonly text: string;
}

function callsIn(text: string): readonly Call[] {
  // `{{ $labels.app }}` of an alert is one word by then.
  return [...text.replace(/\{\{.*?\}\}/g, 'NAME').matchAll(CALL)].map(
    ([whole, name = '', rest = '']) => {
      const words = rest.split(/\s+/).filter((word) => word !== '');
      return { name, words, text: whole.trim() };
    },
  );
}

/** Code between backquotes, and lines of blocks that are to be typed. */
function codeIn(document: string): readonly string[] {
  const blocks = [...document.matchAll(/^ *```sh\n([^]*?)^ *```$/gm)].map(([, text = '']) => text);
  const prose = document.replace(/^ *```[^]*?^ *```$/gm, '');
  return [...blocks, ...[...prose.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)];
}

function problemOf({ name, words }: Call): string | undefined {
  if (OTHERS.has(name)) return undefined;
  const command = COMMANDS.get(name);
  if (command === undefined) return 'there is no such command';
  // `run-as` has the command line of somebody else behind it.
  const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
  const unknown = own.find((word) => isOption(word) && optionOf(command, word) === undefined);
  if (unknown !== undefined) return `it has no option ${unknown}`;
  const taken = own.filter((word, at) => !isOption(word) && !takesNext(command, own[at - 1]));
  const places = command.usage.split(' ').length - 1;
  return taken.length > places ? `it takes ${places} words, not ${taken.length}` : undefined;
}

const isOption = (word: string): boolean => /^--?[a-z]/.test(word);

function optionOf({ options }: Command, word: string): Command['options'][string] | undefined {
  const bare = word.replace(/^--?/, '').replace(/=.*/, '');
  if (bare === 'help') return { type: 'boolean', summary: '' };
  return Object.entries(options).find(([key, { alias }]) => key === bare || alias === bare)?.[1];
}

/** Whether the next word is the value of this one. */
const takesNext = (command: Command, word = ''): boolean =>
  isOption(word) && !word.includes('=') && optionOf(command, word)?.type !== 'boolean';

const SOURCES: readonly (readonly [name: string, code: readonly string[]])[] = [
  ...['README.md', ...filesIn('docs')].map((path) => [path, codeIn(read(path))] as const),
  ...filesIn('conf.example').map((path) => [path, codeIn(read(path))] as const),
  [
    'conf.example/systemd',
    filesIn('conf.example/systemd').flatMap((path) => read(path).match(/^Exec\w+=.*$/gm) ?? []),
  ],
  ['src/errors.ts', Object.values(ERRORS).flatMap(({ remedy }) => codeIn(remedy))],
];

for (const [name, code] of SOURCES) {
  const calls = code.flatMap(callsIn);
  if (calls.length === 0) continue;
  test(`${name}: every command can be typed`, () => {
    const wrong = calls.flatMap((call) => {
      const problem = problemOf(call);
      return problem === undefined ? [] : [`${call.text}: ${problem}`];
    });
    assert.deepEqual(wrong, []);
  });
}

test('what cannot be typed is noticed', () => {
  const problems = (text: string): readonly (string | undefined)[] => callsIn(text).map(problemOf);
  assert.deepEqual(problems('sudo usherd statsu'), ['there is no such command']);
  assert.deepEqual(problems('usherd status --wach | less'), ['it has no option --wach']);
  assert.deepEqual(problems('usherd restart alice blog'), ['it takes 1 words, not 2']);
  assert.deepEqual(problems('(usherd ready supervisor --timeout 60s; usherd logs a/b -n 5 -f)'), [
    undefined,
    undefined,
  ]);
});

test('README and the guides are among what is looked at, and say something', () => {
  const counts = new Map(SOURCES.map(([name, code]) => [name, code.flatMap(callsIn).length]));
  for (const name of ['README.md', 'docs/administration.md', 'docs/troubleshooting.md'])
    assert.ok((counts.get(name) ?? 0) > 5, `${name}: ${counts.get(name)}`);
});
