// As whom usherd runs.

/** `root`: every site under its own account; `self`: all of them as the current user. */
export type Mode = 'root' | 'self';

export const currentMode = (): Mode => (process.getuid?.() === 0 ? 'root' : 'self');
