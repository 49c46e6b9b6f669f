/**
 * `buddyscope postmortem`: explains every page allocation failure report in kernel logs.
 *
 * Files are read as logs whatever they look like (a report pasted into a mail is one, too);
 * directories are searched for logs. The short answer goes to stdout, `--explain` adds every step.
 */
import { statSync } from 'node:fs';
import type { Argv } from 'yargs';
import { dmesgFormat } from '../../../parsers/dmesg/index.js';
import { writeFileAtomic } from '../../io/write.js';
import { parseOverride } from '../../kernel/profile.js';
import { parseVersionText } from '../../kernel/release.js';
import { type PostmortemResult, postmortemOf } from '../../postmortem/postmortem.js';
import { renderPostmortem } from '../../postmortem/render-text.js';
import { postmortemPage } from '../../postmortem/sections.js';
import { postmortemJson } from '../../postmortem/to-json.js';
import { openRecording } from '../../recording/open.js';
import type { SplatRecord } from '../../records/splat.js';
import { type Command, ExitCode, type Session, UsageError } from '../command.js';
import { watchReading } from '../open-inputs.js';
import { wantsColour } from '../talk.js';

interface PostmortemArgs {
  readonly input?: readonly string[];
  readonly format: 'text' | 'json' | 'html';
  readonly explain?: boolean;
  readonly all?: boolean;
}

/** Width of text that goes to a file or a pipe. */
const FILE_WIDTH = 100;

function options(yargs: Argv): Argv<PostmortemArgs> {
  return yargs
    .option('format', {
      choices: ['text', 'json', 'html'],
      default: 'text',
      describe: 'How to show it',
    })
    .option('explain', { type: 'boolean', describe: 'Every step of the arithmetic, all advice' })
    .option('all', {
      type: 'boolean',
      describe: 'Explain OOM kills, stalls, SysRq-m and slab failures as well',
    }) as unknown as Argv<PostmortemArgs>;
}

async function run(args: PostmortemArgs, session: Session): Promise<ExitCode> {
  const inputs = args.input ?? [];
  if (inputs.length === 0) throw new UsageError('no input is named: kernel logs, or - for stdin');
  checkKernel(session);
  const { records, bytes } = await readLogs(inputs, session);
  if (bytes === 0) return ExitCode.noInput;
  const result = postmortemOf(records, {
    release: session.common.kernel,
    overrides: session.common.profile,
    all: args.all === true,
  });
  const text = await rendered(result, args, session);
  const { output, force } = session.common;
  if (output === null) await session.out.write(text);
  else writeFileAtomic(output, text, { force });
  return ExitCode.done;
}

function checkKernel(session: Session): void {
  const { kernel, profile } = session.common;
  if (kernel !== null && parseVersionText(kernel) === null)
    throw new UsageError(`--kernel: "${kernel}" is no kernel release`);
  for (const [key, value] of Object.entries(profile)) {
    const override = parseOverride(`${key}=${value}`);
    if (typeof override === 'string') throw new UsageError(`--profile: ${override}`);
  }
}

/** Reads files as logs, and what looks like a log in directories. */
async function readLogs(
  inputs: readonly string[],
  session: Session,
): Promise<{ records: SplatRecord[]; bytes: number }> {
  const records: SplatRecord[] = [];
  let bytes = 0;
  for (const input of inputs) {
    const recording = await openRecording(
      [input],
      {
        limits: session.common.limits,
        ...(isDirectory(input) ? {} : { format: dmesgFormat.id }),
        progress: watchReading(session.progress),
      },
      [dmesgFormat],
    );
    session.showDiagnostics(recording.diagnostics);
    for (const record of recording.splats as readonly SplatRecord[]) records.push(record);
    for (const source of recording.sources)
      if (source.format === dmesgFormat.id) bytes += source.bytes;
    recording.close();
  }
  session.progress.stop();
  return { records, bytes };
}

function isDirectory(path: string): boolean {
  return path !== '-' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

async function rendered(
  result: PostmortemResult,
  args: PostmortemArgs,
  session: Session,
): Promise<string> {
  if (args.format === 'html') {
    // the chart libraries take a while to load
    const { renderPostmortemHtml } = await import('../../report/postmortem-html.js');
    return renderPostmortemHtml(postmortemPage(result), session.version);
  }
  if (args.format === 'json')
    return `${JSON.stringify(postmortemJson(result, session.version), null, 2)}\n`;
  const toFile = session.common.output !== null;
  return renderPostmortem(result, {
    explain: args.explain === true,
    width: toFile ? FILE_WIDTH : (process.stdout.columns ?? FILE_WIDTH),
    colour: !toFile && wantsColour(process.stdout, process.env),
  });
}

export const postmortem: Command<PostmortemArgs> = { options, run };
