// The face of ipc: what router, supervisor and commands may say to each other, and how it travels.
export * from './lean.js';
export * from './messages.js';
export * from './control-messages.js';
export { unpublishedName } from './unpublished-name.js';
export { FrameDecoder, encodeFrame } from './framing.js';
export { Channel, type ChannelOptions } from './channel.js';
