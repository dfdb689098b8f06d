// The first line of every program that root starts as a user: which descriptors it has. More than its own is a leak of root's.
import { outsideDialogue } from './launcher-report.js';

/** Listening socket, log, log, the dialogue, and the directory that it lists them from. */
export const OWN_DESCRIPTORS = '0 1 2 3 4';

const DESCRIPTOR_LINE = /^R(?: [0-9]{1,9}){1,1024}$/;

/** @throws UsherdError E_PRIVDROP_REPORT */
export function descriptorsIn(line: string): readonly number[] {
  if (!DESCRIPTOR_LINE.test(line)) outsideDialogue('the descriptor list is malformed');
  const found = line.slice(2).split(' ').map(Number);
  return found.sort((a, b) => a - b);
}
