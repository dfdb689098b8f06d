// The logger: one JSON object a line on stdout, for the init system to keep. Only importer of pino.
import { destination, pino, stdTimeFunctions } from 'pino';

export type Logger = pino.Logger;

export type ProcessName = 'supervisor' | 'router' | 'gateway' | 'usherd';

/**
 * A logger for this process. It writes synchronously: the last line before a crash is the one that matters, and
 * there is no thread and no buffer that could keep it.
 */
export function createLogger(level: string, name: ProcessName): Logger {
  return pino(
    {
      level,
      base: { name, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ dest: 1, sync: true }),
  );
}
