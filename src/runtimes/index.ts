// The face of the runtimes: the built-in rows, the names to look for, and the function that makes a worker of them.
export { BUILTIN_RUNTIMES } from './builtin.js';
export { describeApplication, userLimits } from './describe.js';
export type { ApplicationFacts, Blueprint, Description, Sighting } from './description.js';
export { markNames, type Mark } from './marks.js';
export { servedPlaces, type ServedPlaces } from './served-places.js';
