/**
 * Gets two kinds of argument past yargs, whose lists of positionals stop at anything that begins with
 * a dash: `-` (stdin), and files after `--`.
 */

import { UsageError } from './command.js';

/** Stands for `-` while yargs looks at it. No argument of a process can hold a NUL. */
const STDIN_TOKEN = '\u0000stdin';

/** `-` to a token; after `--`, `-name` to `./-name`, which is the same file. */
export function protectArguments(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((argument, i) => {
    if (argument === '-') return STDIN_TOKEN;
    return end >= 0 && i > end && argument.startsWith('-') ? `./${argument}` : argument;
  });
}

/** An option that takes one value and was given several: which one counts is anybody's guess. */
export function refuseRepeated(
  args: Readonly<Record<string, unknown>>,
  lists: readonly string[],
): void {
  for (const [name, value] of Object.entries(args)) {
    if (!Array.isArray(value) || name === '_' || name === 'input' || lists.includes(name)) continue;
    throw new UsageError(`--${name} is given ${value.length} times`);
  }
}

const restore = (value: unknown): unknown => (value === STDIN_TOKEN ? '-' : value);

/** Undoes the token, and adds what stood after `--` to the inputs. */
export function restoreArguments(
  args: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  const restored = Object.entries(args).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.map(restore) : restore(value),
  ]);
  // yargs keeps them in `_`, behind the name of the command.
  const input = [...list(args.input), ...list(args._).slice(1)].map(restore).map(String);
  return { ...Object.fromEntries(restored), input };
}
