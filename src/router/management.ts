// Management records of web servers (FastCGI 1.0 §4): what they may ask, and what only an application says.
import { UsherdError } from '../errors.js';
import { decodeNameValues, RecordType, VariableName } from '../fcgi-protocol/index.js';
import { LIMITS } from '../limits.js';

/** What the router answers to FCGI_GET_VALUES (FastCGI 1.0 §4.1). */
const ANSWERS: ReadonlyMap<string, string> = new Map([
  [VariableName.MAX_CONNS, String(LIMITS.frontConnectionsMaxCount)],
  [VariableName.MAX_REQS, String(LIMITS.frontConnectionsMaxCount)],
  [VariableName.MPXS_CONNS, '1'],
]);

const APPLICATION_TYPES: ReadonlySet<number> = new Set([
  RecordType.END_REQUEST,
  RecordType.STDOUT,
  RecordType.STDERR,
  RecordType.GET_VALUES_RESULT,
]);

/** @throws UsherdError E_FCGI_RECORD_TYPE */
export function refuseApplicationType(type: number): void {
  if (!APPLICATION_TYPES.has(type)) return;
  throw new UsherdError('E_FCGI_RECORD_TYPE', `type ${type} comes from applications only`);
}

/** The values asked for that there are. @throws UsherdError E_FCGI_RECORD_LENGTH, E_PARAMS_MALFORMED */
export function valuesFor(content: Buffer): ReadonlyMap<string, string> {
  if (content.length > LIMITS.getValuesMaxBytes) {
    throw new UsherdError('E_FCGI_RECORD_LENGTH', `GET_VALUES of ${content.length} bytes`);
  }
  const answer = new Map<string, string>();
  for (const name of decodeNameValues(content).keys()) {
    const value = ANSWERS.get(name);
    if (value !== undefined) answer.set(name, value);
  }
  return answer;
}
