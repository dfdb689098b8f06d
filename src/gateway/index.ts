// The face of the gateway.
export { Gateway, type GatewayOptions } from './gateway.js';
export type { Link } from './plain-answer.js';
export type { PlainFile } from './plain-file.js';
