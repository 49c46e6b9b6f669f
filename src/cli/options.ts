/**
 * The options all commands share, and what they become: limits, reading options, kernel overrides.
 *
 * Values are checked here, once: a wrong one is a UsageError that names the option and what it takes.
 */
import type { Argv } from 'yargs';
import { UNDATED_PLACES } from '../recording/undated.js';
import { DEFAULT_LIMITS, type Limits } from '../records/limits.js';
import { UsageError } from './command.js';

export interface CommonOptions {
  readonly limits: Limits;
  /** Choices for parsers: keys `map`, `time-unit`, `clock`, and those of `--input-option`. */
  readonly reading: Readonly<Record<string, string>>;
  /** `--as`: the format to take every input for, or null to look at the content. */
  readonly as: string | null;
  /** `--kernel`: a release to assume instead of the one found in the input, or null. */
  readonly kernel: string | null;
  /** `--profile key=value`: switches of the kernel profile to override. */
  readonly profile: Readonly<Record<string, string>>;
  /** Only evidence from before the instant in question. */
  readonly causal: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly force: boolean;
  /** `-o`, or null when not given. */
  readonly output: string | null;
}

/** Names on the command line → fields. */
export const LIMIT_NAMES: Readonly<Record<string, keyof Limits>> = {
  'line-bytes': 'lineBytes',
  expansion: 'expansion',
  'input-bytes': 'inputBytes',
  files: 'files',
  snapshots: 'snapshots',
  reports: 'reports',
  'spool-bytes': 'spoolBytes',
  pages: 'pages',
};

const TIME_UNITS = ['s', 'ms', 'us', 'ns'];

/** Declares the common options on a yargs instance. */
export function declareCommonOptions(yargs: Argv): Argv {
  const group = 'Common options:';
  return yargs
    .option('output', { alias: 'o', type: 'string', describe: 'Where to write', group })
    .option('force', { type: 'boolean', describe: 'Overwrite existing files', group })
    .option('quiet', { alias: 'q', type: 'boolean', describe: 'Only errors on stderr', group })
    .option('verbose', { type: 'boolean', describe: 'All diagnostics that were kept', group })
    .option('causal', {
      type: 'boolean',
      describe: 'Judge each instant only by what came before it',
      group,
    })
    .option('kernel', { type: 'string', describe: 'Kernel release to assume: 6.1.0', group })
    .option('profile', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Override a switch of the kernel profile: key=value',
      group,
    })
    .option('as', {
      type: 'string',
      describe: 'Format of every input (see inspect --formats)',
      group,
    })
    .option('map', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Name of a column in CSV or NDJSON: pfn=page_frame',
      group,
    })
    .option('time-unit', { type: 'string', choices: TIME_UNITS, describe: 'Unit of times', group })
    .option('clock', { type: 'string', describe: 'Clock of the trace: mono, local, boot …', group })
    .option('input-option', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'A choice that a diagnostic asked for: host=NAME, instance=NAME, undated=start',
      group,
    })
    .option('limit', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: `Change a limit: NAME=N[k|M|G]; names: ${Object.keys(LIMIT_NAMES).join(', ')}`,
      group,
    });
}

/** `key=value` texts to a record; the last of a key wins. */
export function parsePairs(option: string, texts: readonly string[]): Record<string, string> {
  // fromEntries makes own properties, of `__proto__` too.
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new UsageError(`--${option} takes key=value, not "${text}"`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** `64k` → 65536: a whole number with a binary suffix. */
export function parseSize(text: string): number | null {
  const match = /^(\d{1,15})([kKMGT]?)$/.exec(text.trim());
  if (!match) return null;
  const factor = 1024 ** ['', 'k', 'm', 'g', 't'].indexOf(match[2]!.toLowerCase());
  const value = Number(match[1]) * factor;
  return Number.isSafeInteger(value) && value > 0 ? value : null;
}

export function parseLimits(texts: readonly string[]): Limits {
  const limits: { -readonly [K in keyof Limits]: Limits[K] } = { ...DEFAULT_LIMITS };
  for (const [name, text] of Object.entries(parsePairs('limit', texts))) {
    const key = Object.hasOwn(LIMIT_NAMES, name) ? LIMIT_NAMES[name] : undefined;
    if (!key) {
      throw new UsageError(
        `--limit: no limit is called "${name}"; there are ${Object.keys(LIMIT_NAMES).join(', ')}`,
      );
    }
    const value = parseSize(text);
    if (value === null) {
      throw new UsageError(`--limit ${name} takes a whole number with k, M, G or T, not "${text}"`);
    }
    limits[key] = value;
  }
  return limits;
}

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function checkUndated(given: string | undefined): void {
  if (given === undefined || UNDATED_PLACES.some((place) => place === given)) return;
  throw new UsageError(
    `--input-option undated takes ${UNDATED_PLACES.join(' or ')}, not "${given}"`,
  );
}

/** From yargs' arguments; throws UsageError for values that make no sense. */
export function readCommonOptions(args: Readonly<Record<string, unknown>>): CommonOptions {
  const map = list(args.map);
  parsePairs('map', map);
  const reading = parsePairs('input-option', list(args['input-option']));
  if (map.length > 0) reading.map = map.join(',');
  checkUndated(reading.undated);
  const timeUnit = text(args['time-unit']);
  if (timeUnit) reading['time-unit'] = timeUnit;
  const clock = text(args.clock);
  if (clock) reading.clock = clock;
  return {
    limits: parseLimits(list(args.limit)),
    reading,
    as: text(args.as),
    kernel: text(args.kernel),
    profile: parsePairs('profile', list(args.profile)),
    causal: args.causal === true,
    quiet: args.quiet === true,
    verbose: args.verbose === true,
    force: args.force === true,
    output: text(args.output),
  };
}
