/**
 * `buddyscope convert`: the parsed records as NDJSON or CSV, for other tools and to read back in; or
 * the allocations and frees as a replay trace of LLFree.
 *
 * To stdout: one format; NDJSON has events and then snapshots, CSV one of the two, for they have
 * different columns. To a folder (`-o`): `events.FORMAT` and `snapshots.FORMAT` for each format. LLFree
 * traces are binary and hold events only.
 */
import type { Argv } from 'yargs';
import { AtomicFile, outputPath } from '../../io/write.js';
import { detectProfile } from '../../kernel/detect-profile.js';
import { type ConvertFormat, convertEvents, convertSnapshots } from '../../recording/convert.js';
import { convertLlfree } from '../../recording/convert-llfree.js';
import type { Recording } from '../../recording/recording.js';
import { observeKernel } from '../../replay/observations.js';
import { surveyEvents } from '../../replay/survey.js';
import { type Command, ExitCode, type Session, UsageError } from '../command.js';
import { openInputs, recordingIsUsable } from '../open-inputs.js';

type Target = ConvertFormat | 'llfree';
const FORMATS: readonly Target[] = ['ndjson', 'csv', 'llfree'];
const PARTS = ['events', 'snapshots'] as const;
type Part = (typeof PARTS)[number];

interface ConvertArgs {
  readonly input?: readonly string[];
  readonly to: string;
  readonly what?: string;
}

function options(yargs: Argv): Argv<ConvertArgs> {
  return yargs
    .option('to', {
      type: 'string',
      default: 'ndjson',
      describe: 'Format: ndjson, csv, llfree; with -o several: ndjson,csv',
    })
    .option('what', {
      choices: ['events', 'snapshots', 'all'],
      describe: 'Which records  [default: all; events for CSV on stdout]',
    }) as unknown as Argv<ConvertArgs>;
}

function readFormats(text: string): Target[] {
  const named = [...new Set(text.split(','))];
  for (const name of named) {
    if (!FORMATS.some((format) => format === name)) {
      throw new UsageError(`--to takes ndjson, csv and llfree, not "${name}"`);
    }
  }
  return named as Target[];
}

function textOf(recording: Recording, part: Part, format: ConvertFormat): Iterable<string> {
  return part === 'events' ? convertEvents(recording, format) : convertSnapshots(recording, format);
}

function partsOf(what: string | undefined, fallback: readonly Part[]): readonly Part[] {
  if (what === undefined) return fallback;
  return PARTS.filter((part) => what === 'all' || what === part);
}

async function toStdout(
  recording: Recording,
  args: ConvertArgs,
  format: Target,
  session: Session,
): Promise<void> {
  if (format === 'llfree') {
    for (const page of llfreePages(recording, session)) {
      await session.out.write(page);
      if (session.out.closed) return;
    }
    return;
  }
  const parts = partsOf(args.what, format === 'csv' ? ['events'] : PARTS);
  for (const part of parts) {
    for (const text of textOf(recording, part, format)) {
      await session.out.write(text);
      if (session.out.closed) return;
    }
  }
  if (args.what === undefined && format === 'csv' && recording.snapshots.length > 0) {
    session.talk.say('Snapshots were left out: --what snapshots has them, -o DIR both.');
  }
}

function toFolder(
  recording: Recording,
  args: ConvertArgs,
  formats: readonly Target[],
  folder: string,
  session: Session,
): void {
  for (const format of formats) {
    const parts = format === 'llfree' ? (['events'] as const) : partsOf(args.what, PARTS);
    for (const part of parts) {
      const content =
        format === 'llfree' ? llfreePages(recording, session) : textOf(recording, part, format);
      writeFile(outputPath(folder, `${part}.${format}`), content, session);
    }
  }
}

function writeFile(path: string, content: Iterable<string | Uint8Array>, session: Session): void {
  const file = new AtomicFile(path, { force: session.common.force });
  try {
    for (const part of content) file.write(part);
    file.commit();
  } catch (error) {
    file.abort();
    throw error;
  }
  session.talk.say(path);
}

function llfreePages(recording: Recording, session: Session): Iterable<Uint8Array> {
  const seen = observeKernel(surveyEvents(recording.events), recording.snapshots);
  const { gfpEra } = detectProfile(seen, {}, recording.diagnostics).profile.switches;
  const { pages, leftOut } = convertLlfree(recording, gfpEra);
  if (leftOut > 0) {
    session.talk.say(
      `${leftOut} events were left out: failed allocations, and pages above 64 GiB.`,
    );
  }
  return pages;
}

async function run(args: ConvertArgs, session: Session): Promise<ExitCode> {
  const formats = readFormats(args.to);
  const { output } = session.common;
  if (output === null && formats.length > 1) {
    throw new UsageError('several formats need a folder: -o DIR');
  }
  if (output === null && formats[0] === 'csv' && args.what === 'all') {
    throw new UsageError('events and snapshots have different CSV columns: -o DIR, or --what');
  }
  const recording = await openInputs(args.input ?? [], session);
  try {
    if (!recordingIsUsable(recording)) return ExitCode.noInput;
    if (formats.includes('llfree') && recording.events.length === 0) {
      throw new UsageError('llfree holds events alone, and none are in the input');
    }
    if (output === null) await toStdout(recording, args, formats[0] ?? 'ndjson', session);
    else toFolder(recording, args, formats, output, session);
    return ExitCode.done;
  } finally {
    recording.close();
  }
}

export const convert: Command<ConvertArgs> = { options, run };
