// The face of the migration: other people's configuration in, drafts of ours out. Reads and writes nothing.
export { FCGID_RULES, importFcgid } from './fcgid.js';
export { FPM_RULES, importFpm } from './fpm.js';
export type { Draft } from './draft.js';
