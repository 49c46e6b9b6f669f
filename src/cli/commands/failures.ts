/**
 * `buddyscope failures`: the spans of time in which a request class fails, at event resolution.
 */
import type { Argv } from 'yargs';
import type { FailureWindow } from '../../analysis/types.js';
import { WindowsObserver } from '../../analysis/windows.js';
import type { Recording } from '../../recording/recording.js';
import { csvField } from '../../report/escape.js';
import { failureLine } from '../../report/files.js';
import { type Command, ExitCode, type Session } from '../command.js';
import { openInputs, recordingIsUsable, SURVEYED } from '../open-inputs.js';
import {
  canReconstruct,
  checkGfp,
  readOrders,
  reconstructRecording,
  reportMarks,
  seconds,
} from '../replay-inputs.js';
import { textTable } from '../text-table.js';

interface FailuresArgs {
  readonly input?: readonly string[];
  readonly order?: string;
  readonly gfp: string;
  readonly node: number;
  readonly format: string;
  readonly 'fail-over'?: number;
}

function options(yargs: Argv): Argv<FailuresArgs> {
  return yargs
    .option('order', {
      type: 'string',
      describe: 'Orders: 3, 1-10, 0,2,9; all above 0 if not given',
    })
    .option('gfp', { type: 'string', default: 'GFP_ATOMIC', describe: 'Flags of the request' })
    .option('node', { type: 'number', default: 0, describe: 'Node the request is made on' })
    .option('fail-over', {
      type: 'number',
      describe: 'Exit with 1 if the windows add up to more than this many seconds',
    })
    .option('format', {
      choices: ['table', 'csv', 'ndjson'],
      default: 'table',
      describe: 'How to show it',
    }) as unknown as Argv<FailuresArgs>;
}

async function run(args: FailuresArgs, session: Session): Promise<ExitCode> {
  const recording = await openInputs(args.input ?? [], session, SURVEYED);
  try {
    if (!recordingIsUsable(recording) || !canReconstruct(recording)) return ExitCode.noInput;
    const replay = reconstructRecording(recording, session);
    const { switches } = replay.profile.profile;
    const windows: FailureWindow[] = [];
    replay.run([
      new WindowsObserver({
        switches,
        strings: recording.strings,
        gfps: [checkGfp(args.gfp, switches)],
        orders: readOrders(args.order, replay.geometry.orders),
        node: args.node,
        sink: (window) => windows.push(window),
      }),
      { start: (state) => reportMarks(state, recording) },
    ]);
    replay.close();
    session.progress.stop();
    windows.sort((a, b) => a.fromNs - b.fromNs || a.order - b.order);
    await print(windows, args.format, recording, session);
    if (windows.length === 0) session.talk.say('No span was found in which such a request fails.');
    const total = windows.reduce((sum, w) => sum + (w.toNs - w.fromNs), 0) / 1e9;
    const limit = args['fail-over'];
    return limit !== undefined && total > limit ? ExitCode.threshold : ExitCode.done;
  } finally {
    recording.close();
  }
}

async function print(
  windows: readonly FailureWindow[],
  format: string,
  recording: Recording,
  session: Session,
): Promise<void> {
  const titles = ['from', 'to', 'order', 'gfp', 'node', 'reason', 'certainty', 'opened by'];
  const row = (w: FailureWindow): string[] => [
    seconds(w.fromNs, recording),
    seconds(w.toNs, recording),
    String(w.order),
    w.gfp,
    String(w.node),
    w.reason,
    w.certainty,
    w.openedBy === null ? '' : `${w.openedBy.comm}-${w.openedBy.pid} ${w.openedBy.event}`,
  ];
  if (format === 'table') {
    for (const line of textTable(
      titles.map((title) => ({ title })),
      windows.map(row),
    )) {
      if (session.out.closed) return;
      await session.out.line(line);
    }
    return;
  }
  if (format === 'csv') await session.out.line(titles.join(','));
  for (const window of windows) {
    if (session.out.closed) return;
    await session.out.line(
      format === 'csv'
        ? row(window).map(csvField).join(',')
        : failureLine(window, recording.clock.epochS),
    );
  }
}

export const failures: Command<FailuresArgs> = { options, run };
