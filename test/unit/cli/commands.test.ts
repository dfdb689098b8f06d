// The table of commands: each name loads the command that is called so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOf } from '../../../src/cli/command.js';
import { allCommands, commandsFor } from '../../../src/cli/commands.js';

test('each name loads the one command that has it', async () => {
  const names = (await allCommands()).map(nameOf);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) {
    assert.deepEqual((await commandsFor(name)).map(nameOf), [name]);
  }
});

test('without a name, and with one that there is not, all are loaded', async () => {
  const { length } = await allCommands();
  for (const name of [undefined, '--help', 'statsu']) {
    assert.equal((await commandsFor(name)).length, length, name);
  }
});
