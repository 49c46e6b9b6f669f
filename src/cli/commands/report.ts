/**
 * `buddyscope report`: the main job. Reads the inputs, reconstructs, writes the report's files.
 */
import { join } from 'node:path';
import type { Argv } from 'yargs';
import type { ReportData } from '../../analysis/report-data.js';
import { writeFilesAtomic } from '../../io/write.js';
import { analyseInputs, type Findings, titleOf } from '../analyse.js';
import { ChartCompiler } from '../chart-compiler.js';
import { type Command, ExitCode, type Session, UsageError } from '../command.js';
import { reportRuntime } from '../runtime-file.js';
import { paceWriting } from '../v8-pace.js';

interface ReportArgs {
  readonly input?: readonly string[];
  readonly order?: string;
  readonly gfp?: readonly string[];
  readonly node: number;
  readonly format: string;
  readonly png?: string;
  readonly redact?: string;
  readonly title?: string;
}

const DEFAULT_FOLDER = 'out';

function options(yargs: Argv): Argv<ReportArgs> {
  return yargs
    .option('order', {
      type: 'string',
      describe: 'Orders: 3, 1-10, 0,2,9; all above 0 if not given',
    })
    .option('gfp', {
      type: 'string',
      array: true,
      nargs: 1,
      describe:
        'Flags of the request, may be repeated; default GFP_ATOMIC and the kinds of atomic request found',
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

async function run(args: ReportArgs, session: Session): Promise<ExitCode> {
  const inputs = args.input ?? [];
  const request = {
    ...(args.order === undefined ? {} : { order: args.order }),
    gfps: args.gfp ?? null,
    node: args.node,
    title: args.title ?? titleOf(inputs),
  };
  // Loaded while the inputs are read.
  const writer = args.format === 'md' ? null : import('../../report/files.js');
  const compiler = new ChartCompiler();
  const plain = await analyseInputs(inputs, request, session, () => {
    if (writer !== null) compiler.start();
  });
  if (plain === null) return ExitCode.noInput;
  // Pictures are drawn with all of vega, which takes a while.
  if (args.png === undefined) paceWriting();
  const found = args.redact === undefined ? plain : await redacted(plain, args.redact);
  if (writer === null) await writeMarkdown(found, session);
  else await writeFiles(found, compiler, (await writer).reportFiles, session);
  if (args.png !== undefined) await writePngs(found.data, args.png, session);
  return ExitCode.done;
}

async function redacted({ data, windows }: Findings, key: string): Promise<Findings> {
  const { Redactor, redactReport } = await import('../../report/redact.js');
  const redactor = new Redactor(key);
  return {
    data: redactReport(data, redactor),
    windows: windows.map((window) => redactor.window(window)),
  };
}

async function writeMarkdown({ data }: Findings, session: Session): Promise<void> {
  const { renderMarkdown } = await import('../../report/markdown.js');
  await session.out.write(renderMarkdown(data));
}

async function writeFiles(
  { data, windows }: Findings,
  compiler: ChartCompiler,
  reportFiles: typeof import('../../report/files.js').reportFiles,
  session: Session,
): Promise<void> {
  const folder = session.common.output ?? DEFAULT_FOLDER;
  const force = session.common.force || session.common.output === null;
  session.progress.phase('writing', 0, 'files');
  const files = await reportFiles(data, windows, { runtime: reportRuntime() }, (specs) =>
    compiler.compile(specs),
  );
  session.progress.stop();
  await writeFilesAtomic(folder, files, { force });
  session.talk.say(data.narrative.verdict);
  session.talk.say(join(folder, 'report.html'));
}

async function writePngs(data: ReportData, folder: string, session: Session): Promise<void> {
  // Loaded only when asked for: it draws with all of vega.
  const { chartPngs } = await import('../../report/png.js');
  const pictures = await chartPngs(data);
  if (pictures === null) throw new UsageError('--png needs the package @resvg/resvg-js');
  await writeFilesAtomic(folder, pictures, { force: session.common.force });
}

export const report: Command<ReportArgs> = { options, run };
