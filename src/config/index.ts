// The face of the configuration: what it looks like, how it is read, and what an application may say for itself.
export type * from './config-types.js';
export { shown } from './explain.js';
export {
  loadConfig,
  loadSettings,
  soundPaths,
  type LoadedSettings,
  type LoadOptions,
} from './load.js';
export { limitRows, type Setting } from './origins.js';
export { parseManifest, type ParsedManifest } from './manifest.js';
export { applicationAt, applicationDirectory, userDirectory } from './roots.js';
export { APP_ID, HOST_NAME, USER_NAME } from './names.js';
export { directoryFindings, ownershipFindings, trustedUids } from './trusted-path.js';
export { formatUmask, parseDuration } from './units.js';
export { readVhosts, vhostsVersion, type VhostLinks } from './vhosts.js';
