// The commands that are one word to the running supervisor: start, restart, stop, reset, suspend, resume, reload.
import { APP_ID, shown, USER_NAME } from '../config/lean.js';
import { ERRORS, ExitCode, isErrorCode, remedyOf, UsherdError } from '../errors.js';
import { numberOf, textOf as fieldOf } from './answer-fields.js';
import { CONFIG_OPTION, textOf, type Arguments, type Command } from './command.js';
import type { Answer, ControlRequest } from './control-client.js';
import { findRunning } from './running.js';
import { complain, print } from './terminal.js';
import { cell, counted } from './text-table.js';

/** What is known to have happened, for a person. */
export interface Outcome {
  readonly isDone: boolean;
  readonly text: string;
}

interface Word {
  readonly usage: string;
  readonly summary: string;
  readonly request: (args: Arguments) => ControlRequest;
  readonly outcome: (answer: Answer) => Outcome;
}

function commandOf({ usage, summary, request, outcome }: Word): Command {
  return {
    usage,
    summary,
    options: CONFIG_OPTION,
    async run(args) {
      const asked = request(args);
      const running = await findRunning(textOf(args, 'config'));
      const { isDone, text } = outcome(await running.ask(asked));
      if (isDone) print(text);
      else complain(`usherd: ${text}`);
      return isDone ? ExitCode.OK : ExitCode.FAILED;
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

const done = (text: string): Outcome => ({ isDone: true, text });

/** The supervisor has done its part, which is not all of it. */
const ROUTER_AWAY = 'the router is not connected: `usherd status` says more';

const workersOf = (answer: Answer): string => counted(numberOf(answer['workers']), 'worker');

/** Nobody says that such an application exists: it is looked for when a request comes. */
const nothingRan = (app: string): string =>
  `no worker of ${app} runs; the next request starts one (\`usherd check ${app}\` says whether it can)`;

function started(answer: Answer): Outcome {
  const name = fieldOf(answer['app']);
  switch (answer['outcome']) {
    case 'started':
      return done(`started; \`usherd status ${name}\` shows whether it stays`);
    case 'runs':
      return done('a worker runs already');
    case 'refused':
      return { isDone: false, text: `not started: ${refusalText(name, answer)}` };
    case 'waiting':
      return {
        isDone: false,
        text: `not started yet: it waits for a place, or is slow to start; \`usherd status ${name}\` shows what becomes of it`,
      };
    default:
      return { isDone: false, text: `not started: ${ROUTER_AWAY}` };
  }
}

const DETAIL_MAX_LENGTH = 300;

function refusalText(app: string, { code, rule, detail, remedy }: Answer): string {
  const its = fieldOf(remedy);
  const own = isErrorCode(code) ? remedyOf({ code, remedy: its }, app) : its;
  const meaning = isErrorCode(code) ? ERRORS[code].meaning : '';
  const place = joined([fieldOf(rule), fieldOf(detail)], ': ');
  const what = joined([`${meaning} (${fieldOf(code)})`, place], '; ');
  const mend = joined([own, `\`usherd check ${app}\` names everything that refuses it`], '; ');
  return `${what}\n    remedy:   ${mend}`;
}

/** Without those that say nothing, each as it may be shown. */
const joined = (texts: readonly string[], separator: string): string =>
  texts
    .filter((text) => text !== '')
    .map((text) => cell(text, DETAIL_MAX_LENGTH))
    .join(separator);

export const WORDS = [
  {
    usage: 'restart <app>',
    summary: 'replace the workers of an application; no request is lost',
    request: (args) => ({ command: 'restart', app: appOf(args) }),
    outcome: (answer) =>
      done(
        numberOf(answer['workers']) === 0
          ? nothingRan(fieldOf(answer['app']))
          : `replacing ${workersOf(answer)}; each ends the requests that it has`,
      ),
  },
  {
    usage: 'start <app>',
    summary: 'start a worker now, although no request asks for it',
    request: (args) => ({ command: 'start', app: appOf(args) }),
    outcome: started,
  },
  {
    usage: 'stop <app>',
    summary: 'stop the workers of an application; the next request starts them again',
    request: (args) => ({ command: 'stop', app: appOf(args) }),
    outcome: (answer) =>
      done(
        numberOf(answer['workers']) === 0
          ? nothingRan(fieldOf(answer['app']))
          : `stopping ${workersOf(answer)}; the next request starts new ones`,
      ),
  },
  {
    usage: 'reset <app>',
    summary: 'forget the crashes of an application and start it at the next request',
    request: (args) => ({ command: 'reset', app: appOf(args) }),
    outcome: ({ told }) =>
      told === true
        ? done('crashes and refusals are forgotten; the next request starts it')
        : { isDone: false, text: `reset by the supervisor alone: ${ROUTER_AWAY}` },
  },
  {
    usage: 'suspend <user>',
    summary: 'stop all workers of a user and refuse requests until `resume`',
    request: (args) => ({ command: 'suspend', user: userOf(args) }),
    outcome: (answer) =>
      done(
        `suspended, stopping ${workersOf(answer)}, every request gets 503; lasts until ` +
          `\`usherd resume ${fieldOf(answer['user'])}\` or the end of the supervisor ` +
          '(for longer: `suspended = true` in the configuration)' +
          (answer['isKnown'] === false ? `\nno account ${fieldOf(answer['user'])} is known` : ''),
      ),
  },
  {
    usage: 'resume <user>',
    summary: 'undo `suspend`',
    request: (args) => ({ command: 'resume', user: userOf(args) }),
    outcome: ({ user, wasSuspended }) =>
      done(wasSuspended === true ? 'resumed' : `${fieldOf(user)} was not suspended`),
  },
  {
    usage: 'reload',
    summary: 'read the configuration again; on a mistake the old one stays',
    request: () => ({ command: 'reload' }),
    outcome: ({ router }) => reloaded(fieldOf(router)),
  },
] as const satisfies readonly Word[];

/** Only where both have read the same it is a success; alone is no failure, because the router has yet to read it. */
function reloaded(router: string): Outcome {
  if (router === 'agreed') return done('reloaded');
  if (router === 'alone') {
    return done('reloaded; no router is connected, it reads the configuration when it starts');
  }
  const text =
    'the supervisor has the new configuration, the router did not confirm it: it may still have the old one; ' +
    'look at `journalctl -u usherd-router -n 50`, and `systemctl restart usherd-router` if it does not answer';
  return { isDone: false, text };
}

export const CONTROL_COMMANDS: readonly Command[] = WORDS.map(commandOf);
