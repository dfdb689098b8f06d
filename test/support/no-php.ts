// Why a test that runs PHP does not run here; false where it does.
import { existsSync } from 'node:fs';

export const noPhp: string | false = existsSync('/usr/bin/php-cgi')
  ? false
  : 'php-cgi is not installed';
