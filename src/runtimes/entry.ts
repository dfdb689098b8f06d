// The words in a runtime's command that stand for something: the marker file that selected the runtime, and our own programs.
import { fileURLToPath } from 'node:url';

export const ENTRY = '{entry}';
/** Programs that come along with usherd, for workers to run or to load. */
export const LIBEXEC = '{libexec}';

export const LIBEXEC_DIRECTORY = fileURLToPath(new URL('../../../libexec', import.meta.url));

/** Whether the command needs a marker file to be complete. */
export const needsEntry = (command: readonly string[]): boolean =>
  command.some((argument) => argument.includes(ENTRY));

/** The command with the marker file in its place. */
export const withEntry = (command: readonly string[], entry: string): readonly string[] =>
  command.map((argument) => argument.replaceAll(ENTRY, entry));

/** The command with the path of our programs in its place. */
export const withLibexec = (command: readonly string[]): readonly string[] =>
  command.map((argument) => argument.replaceAll(LIBEXEC, LIBEXEC_DIRECTORY));
