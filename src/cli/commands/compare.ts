/**
 * `buddyscope compare A B`: two recordings, before and after a change, side by side.
 *
 * Each of A and B is one input as report takes it, usually the folder of a recording.
 */
import { join } from 'node:path';
import type { Argv } from 'yargs';
import { compareReports } from '../../analysis/compare.js';
import type { ReportData } from '../../analysis/report-data.js';
import { writeFilesAtomic } from '../../io/write.js';
import { compareFiles, compareMarkdown } from '../../report/compare-files.js';
import { Redactor, redactReport } from '../../report/redact.js';
import { analyseInputs, titleOf } from '../analyse.js';
import { type Command, ExitCode, type Session, UsageError } from '../command.js';

interface CompareArgs {
  readonly input?: readonly string[];
  readonly gfp: string;
  readonly node: number;
  readonly format: string;
  readonly redact?: string;
}

const DEFAULT_FOLDER = 'out';

function options(yargs: Argv): Argv<CompareArgs> {
  return yargs
    .option('gfp', {
      type: 'string',
      default: 'GFP_ATOMIC',
      describe: 'Flags of the request that both are judged for',
    })
    .option('node', { type: 'number', default: 0, describe: 'Node the requests are made on' })
    .option('format', {
      choices: ['html', 'md'],
      default: 'html',
      describe: 'html: the files in the output folder; md: a short summary on stdout',
    })
    .option('redact', {
      type: 'string',
      describe: 'Replace comms, pids, hosts and modules by pseudonyms made with this key',
    }) as unknown as Argv<CompareArgs>;
}

async function run(args: CompareArgs, session: Session): Promise<ExitCode> {
  const [first, second, ...rest] = args.input ?? [];
  if (first === undefined || second === undefined || rest.length > 0) {
    throw new UsageError('compare takes two inputs, each a file or the folder of one recording');
  }
  if (first === '-' && second === '-') throw new UsageError('only one of the two can be stdin');
  const a = await dataOf(first, args, session);
  const b = await dataOf(second, args, session);
  if (a === null || b === null) return ExitCode.noInput;
  const comparison = compareReports(a, b, args.gfp);
  if (args.format === 'md') {
    await session.out.write(compareMarkdown(comparison, session.version));
    return ExitCode.done;
  }
  const folder = session.common.output ?? DEFAULT_FOLDER;
  const force = session.common.force || session.common.output === null;
  session.progress.phase('writing', 0, 'files');
  const files = await compareFiles(comparison, session.version);
  session.progress.stop();
  await writeFilesAtomic(folder, files, { force });
  session.talk.say(comparison.verdict);
  session.talk.say(join(folder, 'compare.html'));
  return ExitCode.done;
}

async function dataOf(
  input: string,
  args: CompareArgs,
  session: Session,
): Promise<ReportData | null> {
  const request = { gfps: [args.gfp], node: args.node, title: titleOf([input]) };
  const found = await analyseInputs([input], request, session);
  if (found === null) return null;
  return args.redact === undefined
    ? found.data
    : redactReport(found.data, new Redactor(args.redact));
}

export const compare: Command<CompareArgs> = { options, run };
