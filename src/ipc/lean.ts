// The lean face: who listens, and which version is spoken. Nothing here loads a schema, nor the package behind it.
export { isListenedOn } from './listening.js';
export { IPC_PROTOCOL } from './protocol.js';
