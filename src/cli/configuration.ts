// Loads the configuration for a command, with the built-in runtimes and the rule about owners that fits the current user.
import {
  loadConfig,
  loadSettings,
  soundPaths,
  type Config,
  type LoadedSettings,
  type LoadOptions,
} from '../config/index.js';
import { BUILTIN_RUNTIMES } from '../runtimes/index.js';

/** `root`: every site under its own account; `self`: all of them as the current user. */
export type Mode = 'root' | 'self';

export const currentMode = (): Mode => (process.getuid?.() === 0 ? 'root' : 'self');

/** @throws UsherdError E_CONFIG_* */
export const loadConfiguration = (file: string | undefined): Promise<Config> =>
  loadConfig(file, options());

/** With the places that the values come from. @throws UsherdError E_CONFIG_* */
export const loadWithOrigins = (file: string | undefined): Promise<LoadedSettings> =>
  loadSettings(file, options());

export const pathsDespiteMistakes = (
  file: string | undefined,
): Promise<Pick<Config['paths'], 'run' | 'log'>> => soundPaths(file, options());

const options = (): LoadOptions => ({
  builtinRuntimes: BUILTIN_RUNTIMES,
  requireRootOwned: currentMode() === 'root',
});
