// The one place where commands print: answers to stdout, complaints to stderr. Colour only where a person looks.

export const print = (text: string): void => void process.stdout.write(`${text}\n`);

export const complain = (text: string): void => void process.stderr.write(`${text}\n`);

const isTerminal = (): boolean => process.stdout.isTTY && process.env['NO_COLOR'] === undefined;

/** ECMA-48 SGR; plain where the output is read by a program. */
export const bold = (text: string): string => (isTerminal() ? `\u001b[1m${text}\u001b[0m` : text);

/** In place of what was there before, on a terminal; below it elsewhere. */
export const repaint = (text: string): void =>
  print(process.stdout.isTTY ? `\u001b[H\u001b[2J${text}` : `${text}\n`);
