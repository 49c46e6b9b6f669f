/**
 * `buddyscope predict`: would a request have succeeded at given instants, and if not, why.
 */
import type { Argv } from 'yargs';
import { InstantFinder, stopsAt } from '../../analysis/predict.js';
import type { Verdict } from '../../analysis/types.js';
import { RequestJudge } from '../../analysis/verdict.js';
import type { ReplayStop } from '../../replay/reconstruct.js';
import { type Command, ExitCode, type Session } from '../command.js';
import { openInputs, recordingIsUsable, SURVEYED } from '../open-inputs.js';
import {
  canReconstruct,
  checkGfp,
  type InstantArgs,
  outsideRecording,
  readInstants,
  readOrders,
  reconstructRecording,
  reportMarks,
  seconds,
} from '../replay-inputs.js';
import { textTable } from '../text-table.js';

interface PredictArgs extends InstantArgs {
  readonly input?: readonly string[];
  readonly order?: string;
  readonly gfp: string;
  readonly node: number;
  readonly format: string;
}

function options(yargs: Argv): Argv<PredictArgs> {
  return yargs
    .option('at', { type: 'string', array: true, nargs: 1, describe: 'Instants, seconds: T[,T…]' })
    .option('at-file', { type: 'string', describe: 'File of instants, one a line' })
    .option('order', {
      type: 'string',
      describe: 'Orders: 3, 1-10, 0,2,9; all above 0 if not given',
    })
    .option('gfp', { type: 'string', default: 'GFP_ATOMIC', describe: 'Flags of the request' })
    .option('node', { type: 'number', default: 0, describe: 'Node the request is made on' })
    .option('format', {
      choices: ['table', 'ndjson'],
      default: 'table',
      describe: 'How to show it',
    }) as unknown as Argv<PredictArgs>;
}

/** A verdict as docs/outputs.md has it; the time stays exact text. */
export function verdictLine(time: string, verdict: Verdict): string {
  const { timeNs: _timeNs, ...rest } = verdict;
  return `{"t":${time},${JSON.stringify(rest).slice(1)}\n`;
}

async function run(args: PredictArgs, session: Session): Promise<ExitCode> {
  const recording = await openInputs(args.input ?? [], session, SURVEYED);
  try {
    if (!recordingIsUsable(recording) || !canReconstruct(recording)) return ExitCode.noInput;
    const instants = readInstants(args, recording);
    const asked = new Set(instants);
    const replay = reconstructRecording(recording, session, (timeNs) => asked.has(timeNs));
    const orders = readOrders(args.order, replay.geometry.orders);
    const outside = outsideRecording(instants, replay, recording);
    const finder = new InstantFinder(recording.events);
    const found: Verdict[][] = instants.map(() => []);
    const { switches } = replay.profile.profile;
    const gfp = checkGfp(args.gfp, switches);
    const stops = orders.flatMap((order, o): ReplayStop[] => {
      let judge: RequestJudge | null = null;
      return stopsAt(finder, instants, order, (state, position) => {
        reportMarks(state, recording);
        judge ??= new RequestJudge(state, switches, gfp, order, args.node);
        const timeNs = instants[position]!;
        const verdict = judge.judge(state, timeNs);
        found[position]![o] = outside(timeNs)
          ? { ...verdict, verdict: 'undetermined', reason: 'unknown' }
          : verdict;
      });
    });
    replay.run([], stops);
    replay.close();
    session.progress.stop();
    if (args.format === 'ndjson') {
      for (let k = 0; k < instants.length && !session.out.closed; k++) {
        const time = seconds(instants[k]!, recording);
        await session.out.write(found[k]!.map((v) => verdictLine(time, v)).join(''));
      }
      return ExitCode.done;
    }
    await printTable(
      found,
      instants.map((t) => seconds(t, recording)),
      session,
    );
    return ExitCode.done;
  } finally {
    recording.close();
  }
}

async function printTable(
  found: readonly (readonly Verdict[])[],
  times: readonly string[],
  session: Session,
): Promise<void> {
  const rows = found.flatMap((verdicts, k) =>
    verdicts.map((v) => [
      times[k]!,
      String(v.order),
      v.gfp,
      v.verdict,
      v.verdict === 'succeeds' ? '' : v.reason,
      v.zones
        .map((z) => `${z.node}/${z.zone}: ${z.reason === 'none' ? 'serves' : z.reason}`)
        .join('; '),
    ]),
  );
  const columns = ['t', 'order', 'gfp', 'verdict', 'reason', 'zones'].map((title) => ({ title }));
  for (const line of textTable(columns, rows)) {
    if (session.out.closed) return;
    await session.out.line(line);
  }
}

export const predict: Command<PredictArgs> = { options, run };
