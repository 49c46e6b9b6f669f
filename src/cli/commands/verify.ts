/**
 * `buddyscope verify`: how well the reconstruction agrees with the recording itself.
 */
import type { Argv } from 'yargs';
import {
  parseHideRule,
  type VerifyResult,
  verify as verifyRecording,
} from '../../analysis/verify.js';
import { type Command, ExitCode, type Session, UsageError } from '../command.js';
import { openInputs, recordingIsUsable, SURVEYED } from '../open-inputs.js';
import { canReconstruct, replayInput, replayOptions } from '../replay-inputs.js';
import { textTable } from '../text-table.js';

interface VerifyArgs {
  readonly input?: readonly string[];
  readonly hide: string;
  readonly format: string;
  readonly 'min-found'?: number;
}

function options(yargs: Argv): Argv<VerifyArgs> {
  return yargs
    .option('hide', {
      type: 'string',
      default: 'all-but-first',
      describe: 'Copies that may not correct the state: all-but-first, every=SECONDS, none',
    })
    .option('min-found', {
      type: 'number',
      describe: 'Exit with 1 if less than this share (0 to 1) of the refusals is found',
    })
    .option('format', {
      choices: ['table', 'json'],
      default: 'table',
      describe: 'How to show it',
    }) as unknown as Argv<VerifyArgs>;
}

async function run(args: VerifyArgs, session: Session): Promise<ExitCode> {
  const hide = parseHideRule(args.hide);
  if (hide === null) {
    throw new UsageError(`--hide takes all-but-first, every=SECONDS or none, not "${args.hide}"`);
  }
  const recording = await openInputs(args.input ?? [], session, SURVEYED);
  try {
    if (!recordingIsUsable(recording) || !canReconstruct(recording)) return ExitCode.noInput;
    const result = verifyRecording(replayInput(recording), {
      ...replayOptions(recording, session),
      hide,
    });
    session.progress.stop();
    if (args.format === 'json') await session.out.line(JSON.stringify(result, null, 1));
    else for (const line of describe(result, args.hide)) await session.out.line(line);
    const { failed, found } = result.summary;
    const least = args['min-found'];
    return least !== undefined && failed > 0 && found / failed < least
      ? ExitCode.threshold
      : ExitCode.done;
  } finally {
    recording.close();
  }
}

const percent = (value: number, digits = 2): string =>
  Number.isNaN(value) ? '-' : `${value.toFixed(digits)} %`;

function describe(result: VerifyResult, hide: string): string[] {
  const s = result.summary;
  if (result.level === 'snapshots') {
    // What was hidden could only be compared with the copy before it.
    return ['nothing to verify: no events are in the input that free lists can be followed by'];
  }
  const lines = [
    `level ${result.level}, seed ${result.seed}, kernel rules ${result.kernel}`,
    `snapshots: ${s.exact} of ${s.copies} hidden buddyinfo copies exact (${result.visibleCopies} visible, --hide ${hide})`,
    `L1 distance, of free pages: median ${percent(s.l1Median)}, p90 ${percent(s.l1P90)}, max ${percent(s.l1Max)}`,
    `bounds: cover ${percent(100 * s.coveredShare)} of the cells, mean width ${percent(s.width)} of free pages`,
    `attempts: ${s.found} of ${s.failed} refusals found, ${s.falseAlarms} false alarms in ${s.attempts - s.failed} served, ${s.undetermined} undetermined`,
    `not judged: ${result.keptRequests} served atomic requests that kept their memory`,
    '',
  ];
  const columns = [
    'order',
    'refused: found',
    'missed',
    'undetermined',
    'served: right',
    'false alarm',
    'undetermined',
  ].map((title) => ({ title }));
  const rows = result.matrix.map((m) =>
    [
      m.order,
      m.failedFound,
      m.failedMissed,
      m.failedUndetermined,
      m.servedRight,
      m.falseAlarms,
      m.servedUndetermined,
    ].map(String),
  );
  return [...lines, ...textTable(columns, rows)];
}

export const verify: Command<VerifyArgs> = { options, run };
