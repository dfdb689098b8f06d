// Loads the configuration for a command, with the built-in runtimes and the rule about owners that fits the current user.
import { loadConfig, type Config } from '../config/index.js';
import { BUILTIN_RUNTIMES } from '../runtimes/index.js';

/** `root`: every site under its own account; `self`: all of them as the current user. */
export type Mode = 'root' | 'self';

export const currentMode = (): Mode => (process.getuid?.() === 0 ? 'root' : 'self');

/** @throws UsherdError E_CONFIG_* */
export const loadConfiguration = (file: string | undefined): Promise<Config> =>
  loadConfig(file, {
    builtinRuntimes: BUILTIN_RUNTIMES,
    requireRootOwned: currentMode() === 'root',
  });
