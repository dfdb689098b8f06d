// The face of the FastCGI 1.0 codec: both sides of the protocol, and nothing that acts.
export {
  Flag,
  VariableName,
  NULL_REQUEST_ID,
  ProtocolStatus,
  RecordType,
  Role,
} from './constants.js';
export {
  type BeginRequest,
  decodeBeginRequest,
  decodeEndRequest,
  type EndRequest,
} from './record.js';
export { RecordDecoder, type RecordSink } from './record-decoder.js';
export {
  type ByteSink,
  cutIntoRecords,
  encodeLastOutput,
  encodeRecordHeader,
  encodeRequestHead,
  encodeStream,
  RecordEncoder,
  type RecordTaker,
  type WriteDone,
} from './record-encoder.js';
export { KNOWN_NAMES } from './known-names.js';
export { nameValueLength } from './name-value.js';
export { type NameRule, PairList, type Pairs, type Params } from './pair-list.js';
export { decodeNameValues, type NameValueLimits, ParamsDecoder } from './params-decoder.js';
