#!/usr/bin/env node
/**
 * The command line: finds the command, runs it, prints diagnostics, sets the exit code.
 *
 * Exit codes: 0 done; 1 done, and a threshold the user set was crossed; 2 usage; 3 no usable input;
 * 4 a bug of ours. A stack trace is printed only with BUDDYSCOPE_DEBUG=1.
 */
import yargs, { type Argv } from 'yargs';
import { TempFileError } from '../io/temp-file.js';
import { OutputError } from '../io/write.js';
import { Diagnostics, excerptOf } from '../records/diagnostics.js';
import { protectArguments, refuseRepeated, restoreArguments } from './arguments.js';
import { type CommandEntry, ExitCode, type Session, UsageError } from './command.js';
import { COMMANDS } from './commands/index.js';
import { printDiagnostics } from './diagnostics-printer.js';
import { declareCommonOptions, readCommonOptions } from './options.js';
import { Output } from './output.js';
import { makeProgress } from './progress.js';
import { Talk, wantsColour } from './talk.js';
import { toolVersion } from './version.js';

const HELP_WIDTH = 100;
const INPUT = {
  type: 'string',
  array: true,
  describe: 'Files, directories, or - for stdin',
  defaultDescription: 'none',
} as const;

/** In words, for errors of the system underneath (no space, no permission): neither bug nor input. */
function systemTrouble(error: unknown): string | null {
  if (error instanceof OutputError) {
    if (error.code === 'exists') return `${error.path} exists; --force overwrites it`;
    if (error.code === 'outside') return `${error.path} lies outside the output folder`;
    return `cannot write ${error.path}: ${error.code}`;
  }
  if (error instanceof TempFileError) return `cannot use a temporary file: ${error.message}`;
  return error instanceof Error && 'syscall' in error ? error.message : null;
}

function makeTalk(quiet: boolean): Talk {
  return new Talk(process.stderr, quiet, wantsColour(process.stderr, process.env));
}

function explain(error: unknown): ExitCode {
  const talk = makeTalk(false);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) {
    talk.insist(`buddyscope: ${excerptOf(message)}`);
    talk.insist('Try `buddyscope --help`.');
    return ExitCode.usage;
  }
  const trouble = systemTrouble(error);
  if (trouble !== null) {
    talk.insist(`buddyscope: ${excerptOf(trouble)}`);
    return ExitCode.usage;
  }
  talk.insist(`buddyscope: a bug: ${excerptOf(message)}`);
  if (process.env.BUDDYSCOPE_DEBUG === '1' && error instanceof Error) {
    talk.insist(error.stack ?? '');
    if (error.cause) talk.insist(String(error.cause));
  } else {
    talk.insist('Please report it, with the command line and, if you can, the input.');
    talk.insist('BUDDYSCOPE_DEBUG=1 shows where it happened.');
  }
  return ExitCode.bug;
}

async function runCommand(
  entry: CommandEntry,
  args: Readonly<Record<string, unknown>>,
  out: Output,
): Promise<ExitCode> {
  const common = readCommonOptions(args);
  const talk = makeTalk(common.quiet);
  const diagnostics = new Diagnostics();
  const shown = new Set([diagnostics]);
  const session: Session = {
    out,
    talk,
    diagnostics,
    showDiagnostics: (more) => shown.add(more),
    progress: makeProgress(talk, () => performance.now()),
    common,
    version: toolVersion(),
  };
  const command = await entry.load();
  try {
    return await command.run(args, session);
  } finally {
    session.progress.stop();
    for (const each of shown) printDiagnostics(each, talk, common.verbose);
  }
}

/** Names of the options that take several values; yargs has them, its types do not. */
function arrayOptions(parser: Argv): readonly string[] {
  return (parser as unknown as { getOptions(): { array: readonly string[] } }).getOptions().array;
}

/**
 * yargs lays out the help of each command that it runs, for handlers that show it: a sixth of the time that a command
 * takes to start, and ours show none. (`--help` does not go this way.)
 */
function spareHelp(parser: Argv): void {
  const { getInternalMethods } = parser as unknown as {
    getInternalMethods?: () => { getUsageInstance?: () => { cacheHelpMessage?: () => void } };
  };
  const usage = getInternalMethods?.call(parser).getUsageInstance?.();
  if (usage?.cacheHelpMessage) usage.cacheHelpMessage = () => {};
}

function declareCommands(parser: Argv, done: (code: ExitCode) => void, out: Output): Argv {
  for (const entry of COMMANDS) {
    parser.command(
      entry.syntax,
      entry.describe,
      async (y) =>
        (await entry.load())
          .options(y.positional('input', INPUT))
          .usage(`buddyscope ${entry.syntax}\n\n${entry.describe}`),
      async (args) => {
        refuseRepeated(args, arrayOptions(parser));
        done(await runCommand(entry, restoreArguments(args), out));
      },
    );
  }
  return parser;
}

async function main(argv: readonly string[]): Promise<ExitCode> {
  const out = new Output(process.stdout);
  let code: ExitCode = ExitCode.done;
  const parser = yargs(protectArguments(argv))
    .scriptName('buddyscope')
    .locale('en')
    .usage('$0 <command> INPUT…\n\nINPUT is any mix of files and directories, or - for stdin.')
    .parserConfiguration({ 'camel-case-expansion': false })
    .version(toolVersion())
    .help()
    // Named first so that a command's own options stand before the common ones.
    .group(['help', 'version'], 'Options:')
    .alias('help', 'h')
    .wrap(Math.min(HELP_WIDTH, process.stdout.columns ?? HELP_WIDTH))
    .exitProcess(false)
    .strict()
    .recommendCommands()
    .demandCommand(1, 'a command is needed: report, inspect, …')
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    });
  declareCommonOptions(parser);
  spareHelp(parser);
  await declareCommands(parser, (result) => (code = result), out).parseAsync();
  return code;
}

// A stream that ends early, a promise nobody awaited: still a short message and not a stack trace.
process.on('uncaughtException', (error) => process.exit(explain(error)));
process.on('unhandledRejection', (error) => process.exit(explain(error)));

process.exitCode = await main(process.argv.slice(2)).catch(explain);
