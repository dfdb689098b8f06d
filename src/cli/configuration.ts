// Loads the configuration for a command, with the built-in runtimes and the rule about owners that fits the current user.
import {
  loadConfig,
  loadSettings,
  type Config,
  type LoadedSettings,
  type LoadOptions,
} from '../config/index.js';
import { BUILTIN_RUNTIMES } from '../runtimes/index.js';
import { currentMode } from './mode.js';

/** @throws UsherdError E_CONFIG_* */
export const loadConfiguration = (file: string | undefined): Promise<Config> =>
  loadConfig(file, options());

/**
 * As a service reads it, and whatever must go on for the others: the settings of one user that are wrong are that user's affair.
 * @throws UsherdError E_CONFIG_*
 */
export const loadSparingOthers = (file: string | undefined): Promise<Config> =>
  loadConfig(file, { ...options(), sparesOthers: true });

/** With the places that the values come from. @throws UsherdError E_CONFIG_* */
export const loadWithOrigins = (file: string | undefined): Promise<LoadedSettings> =>
  loadSettings(file, options());

const options = (): LoadOptions => ({
  builtinRuntimes: BUILTIN_RUNTIMES,
  requireRootOwned: currentMode() === 'root',
});
