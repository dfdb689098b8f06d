// argv to command. Nothing is imported statically: the first statement has to run before anything else can.

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
  const { COMMANDS, complain, completeNames, exitCodeOf, formatFailure, readVersion } =
    await import('./cli/index.js');
  const { default: yargs } = await import('yargs');
  const { ExitCode, UsherdError } = await import('./errors.js');

  const problems: string[] = [];
  let chosen: (() => Promise<number>) | undefined;
  const parser = yargs([...argv])
    .scriptName('usherd')
    .usage('$0 COMMAND: per-user FastCGI process manager')
    .locale('en')
    .version(readVersion())
    .strict()
    .parserConfiguration({ 'populate--': true }) // what is behind `--` is a command's, word for word
    .demandCommand(1, 'no command is given')
    .recommendCommands()
    .exitProcess(false)
    .fail((message: string) => void problems.push(message));
  for (const { usage, summary, options, run } of COMMANDS) {
    const builder = Object.fromEntries(
      Object.entries(options).map(([name, { summary: describe, ...rest }]) => [
        name,
        { describe, requiresArg: rest.type !== 'boolean', ...rest },
      ]),
    );
    parser.command(usage, summary, builder, (args) => {
      chosen = () => run(args);
    });
  }
  parser.completion(
    'completion',
    'print a script with which a shell completes commands, options and applications',
    (_word: string, _args: unknown, offer: Offer, done: (names: string[]) => void) => {
      const [, ...words] = argv.slice(argv.indexOf('--get-yargs-completions') + 1);
      const usage = COMMANDS.map((it) => it.usage).find((it) => it.split(' ')[0] === words[0]);
      void completeNames(words, usage ?? '').then((names) => {
        offer((_err: unknown, known: string[] | undefined) => done([...(known ?? []), ...names]));
      });
    },
  );
  await parser.parseAsync();

  try {
    if (problems.length > 0) throw new UsherdError('E_USAGE', problems.join('; '));
    // Without a command --help or --version was asked for, and answered.
    return chosen === undefined ? ExitCode.OK : await chosen();
  } catch (err) {
    complain(formatFailure(err));
    return exitCodeOf(err);
  }
}

/** yargs: what it would offer itself. */
type Offer = (use: (err: unknown, known: string[] | undefined) => void) => void;
