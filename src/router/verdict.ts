// What an Authorizer may say (FastCGI 1.0 §6.3): a 200 that it says itself lets the request pass; anything else is a refusal.
import { isPermittedName } from './params-filter.js';
import type { ResponseHead } from './response-head.js';
import { protocolError } from './response-lines.js';

const ALLOWED = 200;
const REFUSED_MIN = 300;

/** The web server makes environment variables of them, for whatever runs next and as whoever that does. */
const VARIABLE = /^Variable-([^:]+): /i;

function isVariable(line: string): boolean {
  const name = VARIABLE.exec(line)?.[1];
  return name !== undefined && isPermittedName(name);
}

/**
 * The whole answer of an Authorizer that lets the request pass; undefined for a refusal, which goes to the client as it is.
 *
 * Deviation: an answer without a Status is broken, though a CGI answer without one is a 200, as is a success other than 200:
 * whatever a program says by mistake must not open a door.
 *
 * @throws UsherdError E_WORKER_PROTOCOL
 */
export function permission(head: ResponseHead): Buffer | undefined {
  if (!head.isStatusGiven) throw protocolError('an Authorizer has to say its Status');
  if (head.status >= REFUSED_MIN) return undefined;
  if (head.status !== ALLOWED) {
    throw protocolError(`an Authorizer lets a request pass with 200, not with ${head.status}`);
  }
  const variables = head.lines.split('\r\n').filter(isVariable);
  return Buffer.from(['Status: 200 OK', ...variables, '\r\n'].join('\r\n'), 'latin1');
}
