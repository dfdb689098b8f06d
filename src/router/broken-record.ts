// The last thing on a front connection whose answer is not whole: a record that no web server takes.
import { encodeRecordHeader } from '../fcgi-protocol/index.js';

/** No version has this number, no record this type: where one of them is overlooked, the record is skipped. */
const VERSION = 0;
const TYPE = 255;

/**
 * Deviation: FastCGI has no word for "not whole". nginx takes the end of a connection without END_REQUEST for the end
 * of a whole answer; behind a record of an unknown version it cuts its client off. The others cut in both cases, but
 * Caddy in none.
 */
export function encodeBrokenRecord(requestId: number): Buffer {
  const record = encodeRecordHeader(TYPE, requestId, 0);
  record.writeUInt8(VERSION, 0);
  return record;
}
