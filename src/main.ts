// argv to command. Nothing is imported statically: the first statement has to run before anything else can.
import type { Argv } from 'yargs';
import type { complete as Complete } from './cli/completion.js';
import type { Command } from './cli/index.js';

// E16: without a handler SIGUSR1 opens the inspector, to everybody on this machine.
process.on('SIGUSR1', () => undefined);

// What would end or stop a process by default, and means nothing to a service; SIGHUP gets its meaning when it can be obeyed.
const MEANINGLESS = [
  'SIGHUP',
  'SIGUSR2',
  'SIGALRM',
  'SIGVTALRM',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
] as const;
if (process.argv[2] === 'supervisor' || process.argv[2] === 'router') {
  for (const signal of MEANINGLESS) process.on(signal, () => undefined);
}

/** A shell's number for what SIGPIPE has ended, which Node ignores. */
const BROKEN_PIPE_EXIT = 141;

process.exit(await dispatch(process.argv.slice(2)));

/** Supervisor and router are composed without the argument parser and without each other's code. */
async function dispatch(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === 'supervisor') return (await import('./cli/supervisor.js')).runSupervisor(rest);
  if (name === 'router') return (await import('./cli/router.js')).runRouter(rest);
  return toTheLastByte(argv);
}

/** What goes into a pipe leaves when its reader has time: an exit before would cut it. */
async function toTheLastByte(argv: readonly string[]): Promise<number> {
  const { ExitCode } = await import('./errors.js');
  const streams = [process.stdout, process.stderr];
  const onError = (err: NodeJS.ErrnoException): never => {
    // `usherd status | head` is no mistake; a full disk behind `usherd apache-config > FILE` is one to know of.
    if (err.code === 'EPIPE' || err.code === 'ECONNRESET') process.exit(BROKEN_PIPE_EXIT);
    process.stderr.write(`usherd: the output is not whole: ${err.message}\n`);
    process.exit(ExitCode.FAILED);
  };
  for (const stream of streams) stream.on('error', onError);
  const exitCode = await runCommand(argv);
  for (const stream of streams) await new Promise((resolve) => stream.write('', resolve));
  return exitCode;
}

/** Everything that a person types. */
async function runCommand(argv: readonly string[]): Promise<number> {
  const { commandsFor, complain, exitCodeOf, formatFailure, nameOf, readVersion } =
    await import('./cli/index.js');
  const { default: yargs } = await import('yargs');
  const { ExitCode, UsherdError } = await import('./errors.js');
  const problems: string[] = [];
  const missing = 'an argument is missing';
  const tooFew = /^Not enough non-option arguments.*/;
  let chosen: (() => Promise<number>) | undefined;
  // What a shell asks for is half a command line: nothing of it is a mistake.
  const isCompleting = argv[0] === '--get-yargs-completions';
  let completed: Promise<void> | undefined;
  const commands = await commandsFor(isCompleting ? undefined : argv[0]);
  const parser = yargs([...argv])
    .scriptName('usherd')
    .usage('$0 COMMAND: per-user FastCGI process manager')
    .locale('en')
    .version(readVersion())
    .strict(!isCompleting)
    .parserConfiguration({ 'populate--': true }) // what is behind `--` is a command's, word for word
    .demandCommand(isCompleting ? 0 : 1, 'no command is given')
    .recommendCommands()
    .exitProcess(false)
    .fail((message: string) => void problems.push(message.replace(tooFew, missing)));
  for (const command of commands) {
    const declare = (own: Argv): Argv => declareArguments(own, command, isCompleting);
    parser.command(command.usage, command.summary, declare, (args) => {
      chosen = () => command.run(args);
    });
  }
  parser.completion(
    'completion',
    'print a script with which a shell completes commands, options and applications',
    (_word: string, _args: unknown, offer: Offer, done: (texts: string[]) => void) => {
      const [, ...typed] = argv.slice(argv.indexOf('--get-yargs-completions') + 1);
      offer((_err: unknown, known: string[] = []) => {
        completed = complete(typed, known, commands).then(done);
      });
    },
  );
  await parser.parseAsync();
  if (isCompleting) {
    await completed;
    return ExitCode.OK;
  }

  try {
    if (problems.length > 0) {
      const usage = commands.find((it) => nameOf(it) === argv[0])?.usage;
      const form = problems.includes(missing) && usage !== undefined ? `: usherd ${usage}` : '';
      const said = usage === undefined ? aboutCommand(argv[0], problems) : problems.join('; ');
      throw new UsherdError('E_USAGE', `${said}${form}`);
    }
    // Without a command --help or --version was asked for, and answered.
    return chosen === undefined ? ExitCode.OK : await chosen();
  } catch (err) {
    complain(formatFailure(err));
    return exitCodeOf(err);
  }
}

/** Loaded for a shell only. */
async function complete(...words: Parameters<typeof Complete>): Promise<string[]> {
  return (await import('./cli/completion.js')).complete(...words);
}

/** Of a command that there is not, yargs says that it, and all that follows, are unknown arguments. */
function aboutCommand(name = '', problems: readonly string[]): string {
  if (!/^[a-z]/i.test(name) || name === 'completion') return problems.join('; ');
  const meant = problems.filter((problem) => problem.startsWith('Did you mean'));
  return [`there is no command ${JSON.stringify(name)}`, ...meant].join('; ');
}

/** yargs: what it would offer itself. */
type Offer = (use: (err: unknown, known?: string[]) => void) => void;

/** A function of the parser, because yargs completes options and words of no other command. */
function declareArguments(parser: Argv, { options, words = {} }: Command, isAll: boolean): Argv {
  for (const [name, { summary: describe, ...rest }] of Object.entries(options)) {
    parser.option(name, { describe, requiresArg: rest.type !== 'boolean', ...rest });
  }
  if (!isAll) return parser; // the command itself says which words it takes, and says it better
  for (const [name, choices] of Object.entries(words)) parser.positional(name, { choices });
  return parser;
}
