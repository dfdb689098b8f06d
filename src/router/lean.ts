// The lean face: what a URL means, as a request of it would be understood, without a router.
export { resolveApplication, Roots } from './resolve.js';
export { routeRequest } from './route.js';
export { findScript, runtimeTable } from './script.js';
export { unescapePath } from './url-path.js';
