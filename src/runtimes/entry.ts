// The word in a runtime's command that stands for the marker file which selected the runtime.

export const ENTRY = '{entry}';

/** Whether the command needs a marker file to be complete. */
export const needsEntry = (command: readonly string[]): boolean =>
  command.some((argument) => argument.includes(ENTRY));

/** The command with the marker file in its place. */
export const withEntry = (command: readonly string[], entry: string): readonly string[] =>
  command.map((argument) => argument.replaceAll(ENTRY, entry));
