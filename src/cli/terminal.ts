// The one place where commands print: answers to stdout, complaints to stderr. Colour only where a person looks.

/**
 * What a terminal obeys or shows in another order, but for line ends, tabs and bold. A tenant may have had a hand in any
 * text, in the command of his usherd.toml for one, and root reads it.
 */
const ORDERS =
  /\u001b(?!\[[01]m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The same text, which a terminal only shows. */
export const harmless = (text: string): string => text.replace(ORDERS, '?');

export const print = (text: string): void => void process.stdout.write(`${harmless(text)}\n`);

export const complain = (text: string): void => void process.stderr.write(`${harmless(text)}\n`);

const isTerminal = (): boolean => process.stdout.isTTY && process.env['NO_COLOR'] === undefined;

/** ECMA-48 SGR; plain where the output is read by a program. */
export const bold = (text: string): string => (isTerminal() ? `\u001b[1m${text}\u001b[0m` : text);

/** In place of what was there before, on a terminal; below it elsewhere. */
export function repaint(text: string): void {
  if (process.stdout.isTTY) process.stdout.write('\u001b[H\u001b[2J');
  print(process.stdout.isTTY ? text : `${text}\n`);
}
