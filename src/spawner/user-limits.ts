// Which limits hold for a user: the admin's own row, or the defaults.
import type { Config, UserLimits } from '../config/index.js';

export const limitsOfUser = (config: Config, user: string): UserLimits =>
  config.users.get(user)?.limits ?? config.defaults;
