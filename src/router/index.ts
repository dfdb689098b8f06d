// The face of the router: one class that is started and stopped.
export { Router, type RouterOptions } from './router.js';
