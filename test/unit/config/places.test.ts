// Where what runs is found without the schema: what loadConfig() says of a sound file, and the rest despite its mistakes.
import assert from 'node:assert/strict';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';
import { mayHaveChanged, readPlaces, type Places } from '../../../src/config/index.js';
import { isUsherdError } from '../../../src/errors.js';
import { ConfigDirectory } from '../../support/config-directory.js';

const read = (file: string): Promise<Places> => readPlaces(file, { requireRootOwned: false });

async function placesOf(t: TestContext, text: string): Promise<Places> {
  const directory = await ConfigDirectory.make(t);
  return read(await directory.write(text));
}

const SOUND = [
  '',
  '[paths]\nrun = "/run/other"\nlog = "/srv/logs"',
  '[paths]\nrun = "/run/other"\n[front]\nauthentication = "token"',
  '[front]\nsockets = [{ path = "/run/a.sock", group = "www-data" }, { path = "/run/b.sock", group = "www-data", user = "alice" }]',
];

test('a sound file says the same with and without the schema', async (t) => {
  for (const text of SOUND) {
    const directory = await ConfigDirectory.make(t);
    await directory.write(text);
    const { paths, front } = await directory.load();
    assert.deepEqual(
      await read(directory.file),
      {
        run: paths.run,
        log: paths.log,
        fronts: front.sockets.map(({ path }) => path),
        isSound: true,
      },
      text,
    );
  }
});

test('a mistake about something else is not looked at', async (t) => {
  const places = await placesOf(t, 'nonsense = 1\n[paths]\nrun = "/run/other"\nlog = "/srv/logs"');
  assert.deepEqual([places.run, places.log, places.isSound], ['/run/other', '/srv/logs', true]);
});

test('a mistake about the places themselves leaves the default, or no front, and is told', async (t) => {
  const relative = await placesOf(t, '[paths]\nrun = "run"\nlog = "/srv/logs"');
  assert.deepEqual([relative.run, relative.log], ['/run/usherd', '/srv/logs']);
  assert.equal(relative.isSound, false);
  const mistakes = [
    'paths = 1',
    '[paths]\nlog = "/srv/../logs"',
    '[paths]\nlog = "/srv/\\nlogs"',
    'front = []',
    '[front]\nsockets = "/run/a.sock"',
    '[front]\nsockets = []',
    '[front]\nsockets = [{ group = "www-data" }]',
    '[front]\nsockets = [{ path = "a.sock", group = "www-data" }]',
    '[front',
  ];
  for (const text of mistakes) assert.equal((await placesOf(t, text)).isSound, false, text);
  assert.deepEqual((await placesOf(t, '[front]\nsockets = [1]')).fronts, []);
});

test('a file that somebody else could have written is refused, as is one that is not there', async (t) => {
  const directory = await ConfigDirectory.make(t);
  const codeOf = (err: unknown): boolean =>
    isUsherdError(err) && err.code.startsWith('E_CONFIG_UN');
  await assert.rejects(read(directory.file), codeOf);
  await chmod(await directory.write(''), 0o666);
  await assert.rejects(read(directory.file), codeOf);
});

test('a change of the file, of a user’s file, and a user’s file that goes, are all noticed', async (t) => {
  const directory = await ConfigDirectory.make(t);
  await directory.write('');
  const own = await directory.write('', 'users.d/alice.toml');
  const laterMs = Date.now() + 60_000;
  assert.equal(mayHaveChanged(directory.file, laterMs), false);
  for (const path of [directory.file, own, `${directory.path}/users.d`]) {
    const { ctimeMs } = await lstat(path);
    assert.equal(mayHaveChanged(directory.file, ctimeMs), true, path);
  }
  await unlink(own);
  const { ctimeMs } = await lstat(`${directory.path}/users.d`);
  assert.equal(mayHaveChanged(directory.file, ctimeMs), true);
});
