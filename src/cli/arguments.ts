/**
 * Gets two kinds of argument past yargs, whose lists of positionals stop at anything that begins with
 * a dash: `-` (stdin), and files after `--`.
 */

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

const restore = (value: unknown): unknown => (value === STDIN_TOKEN ? '-' : value);

/** Undoes the token in what yargs made of the arguments. */
export function restoreArguments(
  args: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(restore) : restore(value),
    ]),
  );
}
