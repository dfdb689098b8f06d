// How a launcher ends that goes no further.

/** Exit status; the reason, if any, is on descriptor 3. */
export const LAUNCHER_REFUSED = 111;
