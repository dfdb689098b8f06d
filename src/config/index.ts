// The face of the configuration: what it looks like, how it is read, and what an application may say for itself.
export type * from './config-types.js';
export * from './lean.js';
export { loadConfig, loadSettings, type LoadedSettings, type LoadOptions } from './load.js';
export { limitRows, type Setting } from './origins.js';
export { parseManifest, type ParsedManifest } from './manifest.js';
export { applicationAt, applicationDirectory, userDirectory } from './roots.js';
export { directoryFindings, ownershipFindings, trustedUids } from './trusted-path.js';
export { readVhosts, vhostsVersion, type VhostLinks } from './vhosts.js';
