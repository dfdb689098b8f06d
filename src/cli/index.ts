// What main.ts and the scripts need of the command line, without the commands themselves.
export { allCommands, commandsFor } from './commands.js';
export { nameOf, type Arguments, type Command, type Option } from './command.js';
export { exitCodeOf, formatFailure } from './failure.js';
export { complain } from './terminal.js';
export { readVersion } from './version.js';
