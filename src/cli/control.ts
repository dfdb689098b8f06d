// The commands that are one word to the running supervisor: start, restart, stop, reset, suspend, resume, reload.
import { APP_ID, shown, USER_NAME } from '../config/index.js';
import { ExitCode, UsherdError } from '../errors.js';
import { CONFIG_OPTION, textOf, type Arguments, type Command } from './command.js';
import { loadConfiguration } from './configuration.js';
import { askSupervisor, controlSocketOf, type ControlRequest } from './control-client.js';
import { print } from './terminal.js';

interface Word {
  readonly usage: string;
  readonly summary: string;
  readonly done: string;
  readonly request: (args: Arguments) => ControlRequest;
}

function commandOf({ usage, summary, done, request }: Word): Command {
  return {
    usage,
    summary,
    options: CONFIG_OPTION,
    async run(args) {
      const asked = request(args);
      const config = await loadConfiguration(textOf(args, 'config'));
      await askSupervisor(controlSocketOf(config), asked);
      print(done);
      return ExitCode.OK;
    },
  };
}

/** `alice/blog`. */
const appOf = (args: Arguments): string => named(args, 'app', APP_ID, 'USER/APP, as in alice/blog');
const userOf = (args: Arguments): string => named(args, 'user', USER_NAME, 'an account name');

function named(args: Arguments, name: string, pattern: RegExp, expected: string): string {
  const text = textOf(args, name) ?? '';
  if (pattern.test(text)) return text;
  throw new UsherdError('E_USAGE', `${shown(text)} is not ${expected}`);
}

export const CONTROL_COMMANDS: readonly Command[] = [
  {
    usage: 'restart <app>',
    summary: 'replace the workers of an application; no request is lost',
    done: 'restarting',
    request: (args: Arguments) => ({ command: 'restart', app: appOf(args) }) as const,
  },
  {
    usage: 'start <app>',
    summary: 'start a worker now, although no request asks for it',
    done: 'starting',
    request: (args: Arguments) => ({ command: 'start', app: appOf(args) }) as const,
  },
  {
    usage: 'stop <app>',
    summary: 'stop the workers of an application; the next request starts them again',
    done: 'stopping',
    request: (args: Arguments) => ({ command: 'stop', app: appOf(args) }) as const,
  },
  {
    usage: 'reset <app>',
    summary: 'forget the crashes of an application and start it at the next request',
    done: 'reset',
    request: (args: Arguments) => ({ command: 'reset', app: appOf(args) }) as const,
  },
  {
    usage: 'suspend <user>',
    summary: 'stop all workers of a user and refuse requests until `resume`',
    done: 'suspended',
    request: (args: Arguments) => ({ command: 'suspend', user: userOf(args) }) as const,
  },
  {
    usage: 'resume <user>',
    summary: 'undo `suspend`',
    done: 'resumed',
    request: (args: Arguments) => ({ command: 'resume', user: userOf(args) }) as const,
  },
  {
    usage: 'reload',
    summary: 'read the configuration again; on a mistake the old one stays',
    done: 'reloaded',
    request: () => ({ command: 'reload' }) as const,
  },
].map(commandOf);
