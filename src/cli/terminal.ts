// The one place where commands print: answers to stdout, complaints to stderr.

export const print = (text: string): void => void process.stdout.write(`${text}\n`);

export const complain = (text: string): void => void process.stderr.write(`${text}\n`);
