/**
 * `buddyscope report`: the main job. Reads the inputs, reconstructs, writes the report's files.
 */
import { join, resolve } from 'node:path';
import type { Argv } from 'yargs';
import { buildReportData } from '../../analysis/build-report-data.js';
import { MomentKeeper } from '../../analysis/moments.js';
import type { ReportData } from '../../analysis/report-data.js';
import { createReportObservers } from '../../analysis/report-observers.js';
import type { FailureWindow } from '../../analysis/types.js';
import { WindowsObserver } from '../../analysis/windows.js';
import { outputPath, writeFileAtomic } from '../../io/write.js';
import type { Recording } from '../../recording/recording.js';
import type { Reconstruction } from '../../replay/reconstruct.js';
import { reportFiles } from '../../report/files.js';
import { renderMarkdown } from '../../report/markdown.js';
import { chartPngs } from '../../report/png.js';
import { Redactor, redactReport } from '../../report/redact.js';
import { type Command, ExitCode, type Session, UsageError } from '../command.js';
import { openInputs, recordingIsUsable } from '../open-inputs.js';
import { canReconstruct, readOrders, reconstructRecording } from '../replay-inputs.js';
import { reportFacts } from '../report-facts.js';
import { reportRuntime } from '../runtime-file.js';

interface ReportArgs {
  readonly input?: readonly string[];
  readonly order: string;
  readonly gfp: readonly string[];
  readonly node: number;
  readonly format: string;
  readonly png?: string;
  readonly redact?: string;
  readonly title?: string;
}

const DEFAULT_FOLDER = 'out';

function options(yargs: Argv): Argv<ReportArgs> {
  return yargs
    .option('order', { type: 'string', default: '1-10', describe: 'Orders: 3, 1-10, 0,2,9' })
    .option('gfp', {
      type: 'string',
      array: true,
      nargs: 1,
      default: ['GFP_ATOMIC'],
      describe: 'Flags of the request; may be repeated',
    })
    .option('node', { type: 'number', default: 0, describe: 'Node the request is made on' })
    .option('title', { type: 'string', describe: 'Title of the page' })
    .option('format', {
      choices: ['html', 'md'],
      default: 'html',
      describe: 'html: the files in the output folder; md: a short summary on stdout',
    })
    .option('png', { type: 'string', describe: 'Also write the charts as pictures to this folder' })
    .option('redact', {
      type: 'string',
      describe: 'Replace comms, pids, hosts and modules by pseudonyms made with this key',
    }) as unknown as Argv<ReportArgs>;
}

interface Findings {
  readonly data: ReportData;
  readonly windows: readonly FailureWindow[];
}

async function run(args: ReportArgs, session: Session): Promise<ExitCode> {
  const recording = await openInputs(args.input ?? [], session, { hash: true });
  try {
    if (!recordingIsUsable(recording) || !canReconstruct(recording)) return ExitCode.noInput;
    const replay = reconstructRecording(recording, session);
    const found = observe(recording, replay, args, session);
    session.progress.stop();
    if (args.format === 'md') await session.out.write(renderMarkdown(found.data));
    else writeFiles(found, session);
    if (args.png !== undefined) await writePngs(found.data, args.png, session);
    return ExitCode.done;
  } finally {
    recording.close();
  }
}

function observe(
  recording: Recording,
  replay: Reconstruction,
  args: ReportArgs,
  session: Session,
): Findings {
  const { switches } = replay.profile.profile;
  const span = replay.span();
  const report = createReportObservers({
    ...span,
    strings: recording.strings,
    zoneCount: replay.geometry.zones.length,
    switches,
    node: args.node,
  });
  const windows: FailureWindow[] = [];
  const moments = new MomentKeeper();
  const failing = new WindowsObserver({
    switches,
    strings: recording.strings,
    gfps: args.gfp,
    orders: readOrders(args.order, replay.geometry.orders),
    node: args.node,
    sink: (window) => windows.push(window),
    opened: moments.note,
  });
  session.progress.phase('replaying', 0, 'events');
  replay.run([...report.observers, failing]);
  windows.sort((a, b) => a.fromNs - b.fromNs || a.order - b.order);
  const facts = reportFacts(recording, replay, session, args.title ?? titleOf(args.input ?? []));
  const plain = buildReportData(report.collect(), { ...facts, windows, moments: moments.moments });
  if (args.redact === undefined) return { data: plain, windows };
  const redactor = new Redactor(args.redact);
  return {
    data: redactReport(plain, redactor),
    windows: windows.map((window) => redactor.window(window)),
  };
}

function titleOf(inputs: readonly string[]): string {
  const names = inputs.map((input) =>
    input === '-' ? 'stdin' : (resolve(input).split('/').pop() ?? input),
  );
  return names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
}

function writeFiles({ data, windows }: Findings, session: Session): void {
  const folder = session.common.output ?? DEFAULT_FOLDER;
  const force = session.common.force || session.common.output === null;
  session.progress.phase('writing', 0, 'files');
  const files = reportFiles(data, windows, { runtime: reportRuntime() });
  session.progress.stop();
  for (const [name, content] of files) {
    writeFileAtomic(outputPath(folder, name), content, { force });
  }
  session.talk.say(data.narrative.verdict);
  session.talk.say(join(folder, 'report.html'));
}

async function writePngs(data: ReportData, folder: string, session: Session): Promise<void> {
  const pictures = await chartPngs(data);
  if (pictures === null) throw new UsageError('--png needs the package @resvg/resvg-js');
  for (const [name, content] of pictures) {
    writeFileAtomic(outputPath(folder, name), content, { force: session.common.force });
  }
}

export const report: Command<ReportArgs> = { options, run };
