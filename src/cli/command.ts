/**
 * The contract of a command: one file in commands/, one entry in commands/index.ts.
 *
 * A command gets its parsed options and a Session: where data goes (`out`), where talk goes (`talk`),
 * what went wrong with the input (`diagnostics`), and the options all commands share. It returns an exit
 * code; it does not print diagnostics (main does, when the command is done) and does not exit.
 */
import type { Argv } from 'yargs';
import type { Diagnostics } from '../records/diagnostics.js';
import type { CommonOptions } from './options.js';
import type { Output } from './output.js';
import type { ProgressReporter } from './progress.js';
import type { Talk } from './talk.js';

export const ExitCode = {
  done: 0,
  /** Done, and a threshold the user set was crossed. */
  threshold: 1,
  usage: 2,
  noInput: 3,
  bug: 4,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The user asked for something that cannot be; shown as it is, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Session {
  /** stdout: data only. */
  readonly out: Output;
  /** stderr: talk, silenced by --quiet. */
  readonly talk: Talk;
  /** What the command itself has to report. */
  readonly diagnostics: Diagnostics;
  /** Has these printed too when the command is done (a recording brings its own). */
  showDiagnostics(diagnostics: Diagnostics): void;
  readonly progress: ProgressReporter;
  readonly common: CommonOptions;
  /** The version of buddyscope, for provenance. */
  readonly version: string;
}

export interface Command<T> {
  /** Declares the command's own options; the common ones are declared already. */
  options(yargs: Argv): Argv<T>;
  run(args: T, session: Session): Promise<ExitCode> | ExitCode;
}

/** How a command stands in the list: known by name, loaded only when it is called. */
export interface CommandEntry {
  /** yargs syntax: `inspect <input..>`. */
  readonly syntax: string;
  readonly describe: string;
  load(): Promise<LoadedCommand>;
}

/** A command whose argument type only its own file knows. */
export interface LoadedCommand {
  options(yargs: Argv): Argv;
  run(args: Readonly<Record<string, unknown>>, session: Session): Promise<ExitCode>;
}

/** Forgets the argument type: yargs guarantees at run time what `options` declared. */
export function loaded<T>(command: Command<T>): LoadedCommand {
  return {
    options: (yargs) => command.options(yargs) as unknown as Argv,
    run: async (args, session) => command.run(args as T, session),
  };
}
