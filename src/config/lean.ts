// The lean face: what a command needs that judges no file. Nothing here loads the schema, nor the package behind it.
export { APP_ID, HOST_NAME, USER_NAME } from './names.js';
export { mayHaveChanged, readPlaces, type Places } from './places.js';
export { shown } from './shown.js';
export { formatUmask, parseDuration } from './units.js';
