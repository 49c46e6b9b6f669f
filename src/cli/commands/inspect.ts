/**
 * `buddyscope inspect`: what each file was taken for and why, what it covers, what was lost or skipped,
 * and what further input would make the answer more certain.
 */
import type { Argv } from 'yargs';
import { FORMATS } from '../../../parsers/registry.js';
import type { Recording } from '../../recording/recording.js';
import { type Command, ExitCode, type Session } from '../command.js';
import { undatedCopies } from '../inspect-advice.js';
import { type Inspection, inspectionJson, inspectionText } from '../inspect-text.js';
import { openInputs, recordingIsUsable } from '../open-inputs.js';
import { textTable } from '../text-table.js';

interface InspectArgs {
  readonly input?: readonly string[];
  readonly format: string;
  readonly formats?: boolean;
}

function options(yargs: Argv): Argv<InspectArgs> {
  return yargs
    .option('format', {
      choices: ['table', 'json'],
      default: 'table',
      describe: 'How to show it',
    })
    .option('formats', {
      type: 'boolean',
      describe: 'List the formats that can be read',
    }) as unknown as Argv<InspectArgs>;
}

async function listFormats(args: InspectArgs, session: Session): Promise<ExitCode> {
  const formats = FORMATS.map(({ id, title, mode }) => ({ id, title, mode }));
  if (args.format === 'json') {
    await session.out.line(JSON.stringify({ schema: 1, formats }, null, 2));
    return ExitCode.done;
  }
  const columns = [{ title: 'format' }, { title: 'what it is' }];
  for (const line of textTable(
    columns,
    formats.map(({ id, title }) => [id, title]),
  )) {
    await session.out.line(line);
  }
  return ExitCode.done;
}

function inspectionOf(recording: Recording): Inspection {
  return {
    sources: recording.sources,
    titles: new Map(FORMATS.map((format) => [format.id, format.title])),
    epochS: recording.clock.epochS,
    clock: recording.clock.name,
    alignment: recording.alignment,
    undated: undatedCopies(recording.snapshots),
  };
}

async function run(args: InspectArgs, session: Session): Promise<ExitCode> {
  if (args.formats) return listFormats(args, session);
  const recording = await openInputs(args.input ?? [], session);
  try {
    const inspection = inspectionOf(recording);
    await session.out.write(
      args.format === 'json'
        ? inspectionJson(inspection, recording.diagnostics, session.version)
        : inspectionText(inspection),
    );
    return recordingIsUsable(recording) ? ExitCode.done : ExitCode.noInput;
  } finally {
    recording.close();
  }
}

export const inspect: Command<InspectArgs> = { options, run };
