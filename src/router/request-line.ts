// A request as one line for people: its method and address, bounded, nothing that a terminal obeys.
import { LIMITS } from '../limits.js';
import type { RequestFace } from './request-types.js';

/** Printable ASCII only: it ends up on an administrator's terminal. */
export const printable = (text: string, maxChars: number): string =>
  text.replace(/[^\x20-\x7e]/g, '?').slice(0, maxChars);

export function requestLine(request: Pick<RequestFace, 'method' | 'params'>): string {
  const uri = request.params.get('REQUEST_URI') ?? request.params.get('SCRIPT_NAME') ?? '';
  return printable(`${request.method} ${uri}`, LIMITS.ipcLineMaxChars);
}
