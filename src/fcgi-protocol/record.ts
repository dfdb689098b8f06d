// The bodies of the discrete records: what BEGIN_REQUEST, END_REQUEST and UNKNOWN_TYPE say.
import type { Buffer } from 'node:buffer';

import { UsherdError } from '../errors.js';

/**
 * Bytes of the body of each record that is not a stream and not a list of pairs (§4.2, §5.1, §5.5).
 */
export const DISCRETE_BODY_BYTES = 8;

export interface BeginRequest {
  readonly role: number;
  /** All eight bits as they came; the reserved ones mean nothing. */
  readonly flags: number;
}

export interface EndRequest {
  readonly appStatus: number;
  readonly protocolStatus: number;
}

/** @throws UsherdError E_FCGI_RECORD_LENGTH */
export function decodeBeginRequest(content: Buffer): BeginRequest {
  checkLength('BEGIN_REQUEST', content);
  return { role: content.readUInt16BE(0), flags: content.readUInt8(2) };
}

/** @throws UsherdError E_FCGI_RECORD_LENGTH */
export function decodeEndRequest(content: Buffer): EndRequest {
  checkLength('END_REQUEST', content);
  return { appStatus: content.readUInt32BE(0), protocolStatus: content.readUInt8(4) };
}

// Reserved bytes are not looked at: "must be ignored" is what lets a later version use them.
function checkLength(typeName: string, content: Buffer): void {
  if (content.length === DISCRETE_BODY_BYTES) return;
  throw new UsherdError(
    'E_FCGI_RECORD_LENGTH',
    `${typeName} with ${content.length} bytes of content instead of ${DISCRETE_BODY_BYTES}`,
  );
}
