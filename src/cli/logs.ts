// `usherd logs APP`: what an application wrote, and what usherd says about it. For root, and for the owner himself.
import { setTimeout as pause } from 'node:timers/promises';
import { APP_ID, shown } from '../config/lean.js';
import { ExitCode, UsherdError } from '../errors.js';
import { CONFIG_OPTION, textOf, type Arguments, type Command } from './command.js';
import { LogTail } from './log-tail.js';
import { ownName } from './own-name.js';
import { complainOfMistakes, placesIn } from './running.js';
import { complain, harmless, print } from './terminal.js';

const POLL_MS = 250;
const LINES_MAX_COUNT = 10_000;

export const logs: Command = {
  usage: 'logs <app>',
  summary: 'show the last lines of the log of an application (blog, or alice/blog)',
  options: {
    ...CONFIG_OPTION,
    follow: { type: 'boolean', alias: 'f', summary: 'and every line that is added, until Ctrl-C' },
    lines: { type: 'number', alias: 'n', summary: 'how many of them', default: 50 },
    access: { type: 'boolean', summary: 'its access log instead' },
    slow: { type: 'boolean', summary: 'its slow requests instead' },
  },
  async run(args) {
    const app = appOf(args);
    const count = countOf(args);
    const path = `${await directoryOf(textOf(args, 'config'))}/${fileOf(app, args)}`;
    const tail = new LogTail(path);
    try {
      return await show(tail, { app, args, count, path });
    } catch (cause) {
      throw explained(cause, path);
    } finally {
      await tail.close();
    }
  },
};

/** `blog` is the caller's own. @throws E_USAGE */
function appOf(args: Arguments): string {
  const text = textOf(args, 'app') ?? '';
  const app = text.includes('/') ? text : `${ownName() ?? ''}/${text}`;
  if (APP_ID.test(app)) return app;
  throw new UsherdError('E_USAGE', `${shown(text)} is not USER/APP, as in alice/blog`);
}

function countOf({ lines }: Arguments): number {
  if (typeof lines === 'number' && Number.isInteger(lines) && lines >= 0) {
    return Math.min(lines, LINES_MAX_COUNT);
  }
  throw new UsherdError('E_USAGE', '--lines needs a whole number');
}

/** That of what runs, which goes on with the old configuration where the files have mistakes. */
async function directoryOf(file: string | undefined): Promise<string> {
  const { log, isSound } = await placesIn(file);
  if (!isSound) complainOfMistakes();
  return log;
}

function fileOf(app: string, { access, slow }: Arguments): string {
  if (access === true && slow === true) {
    throw new UsherdError('E_USAGE', '--access and --slow are two files: ask for one of them');
  }
  const kind = access === true ? 'access' : slow === true ? 'slow' : 'log';
  return `${app}.${kind}`;
}

interface Asked {
  readonly app: string;
  readonly args: Arguments;
  readonly count: number;
  readonly path: string;
}

async function show(tail: LogTail, { app, args, count, path }: Asked): Promise<number> {
  const last = await tail.last(count);
  if (last === undefined)
    complain(`${app} has written nothing yet: there is no ${path}${hint(args)}`);
  else if (last !== '') print(last.replace(/\n$/, ''));
  if (args['follow'] !== true) return last === undefined ? ExitCode.FAILED : ExitCode.OK;
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  while (!stop.signal.aborted) {
    const more = await tail.more();
    if (more !== '') process.stdout.write(harmless(more));
    else await pause(POLL_MS, undefined, { signal: stop.signal }).catch(() => undefined);
  }
  return ExitCode.OK;
}

const hint = ({ access }: Arguments): string =>
  access === true
    ? '; access logs are off unless `access = "on"` stands in [log] or `access_log = "on"` in its usherd.toml'
    : '';

function explained(cause: unknown, path: string): unknown {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code !== 'EACCES' && code !== 'ELOOP') return cause;
  const detail =
    code === 'EACCES'
      ? `${path} may be read by root and by the owner of the application`
      : `${path} is a symbolic link, which usherd never makes`;
  return new UsherdError('E_LOG_UNREADABLE', detail, { cause });
}
