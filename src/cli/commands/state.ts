/**
 * `buddyscope state`: the reconstructed free lists at given instants.
 */
import type { Argv } from 'yargs';
import { InstantFinder, stopsAt } from '../../analysis/predict.js';
import type { ReplayState } from '../../replay/observer.js';
import { type Command, ExitCode, type Session } from '../command.js';
import { openInputs, recordingIsUsable, SURVEYED } from '../open-inputs.js';
import {
  canReconstruct,
  type InstantArgs,
  outsideRecording,
  readInstants,
  reconstructRecording,
  seconds,
} from '../replay-inputs.js';

interface StateArgs extends InstantArgs {
  readonly input?: readonly string[];
  readonly format: string;
}

function options(yargs: Argv): Argv<StateArgs> {
  return yargs
    .option('at', { type: 'string', array: true, nargs: 1, describe: 'Instants, seconds: T[,T…]' })
    .option('at-file', { type: 'string', describe: 'File of instants, one a line' })
    .option('format', {
      choices: ['buddyinfo', 'json', 'ndjson'],
      default: 'buddyinfo',
      describe: 'How to show it',
    }) as unknown as Argv<StateArgs>;
}

interface ZoneLine {
  readonly t: number;
  readonly node: number;
  readonly zone: string;
  readonly free: number[];
  readonly low: number[];
  readonly high: number[];
  readonly certainty: string;
}

function zoneLines(state: ReplayState, t: number, outside: boolean): ZoneLine[] {
  return state.zones.map((zone) => ({
    t,
    node: zone.node,
    zone: zone.zone,
    free: [...zone.free],
    low: [...zone.low],
    high: [...zone.high],
    certainty: outside ? 'unknown' : zone.certainty,
  }));
}

/** As /proc/buddyinfo prints it, after a line with the instant and its certainty. */
function buddyinfoText(time: string, lines: readonly ZoneLine[]): string {
  const certainty = lines.some((l) => l.certainty === 'unknown')
    ? 'unknown'
    : lines.some((l) => l.certainty === 'bounded')
      ? 'bounded'
      : 'exact';
  const rows = lines.map(
    ({ node, zone, free }) =>
      `Node ${node}, zone ${zone.padStart(8)} ${free.map((n) => `${String(n).padStart(6)} `).join('')}`,
  );
  return `# t=${time} certainty=${certainty}\n${rows.join('\n')}\n`;
}

/** One NDJSON line with the time exactly as the trace has it. */
function ndjsonLine(time: string, line: ZoneLine): string {
  const { t: _t, ...rest } = line;
  return `{"t":${time},${JSON.stringify(rest).slice(1)}\n`;
}

async function run(args: StateArgs, session: Session): Promise<ExitCode> {
  const recording = await openInputs(args.input ?? [], session, SURVEYED);
  try {
    if (!recordingIsUsable(recording) || !canReconstruct(recording)) return ExitCode.noInput;
    const instants = readInstants(args, recording);
    const replay = reconstructRecording(recording, session);
    const outside = outsideRecording(instants, replay, recording);
    const found: ZoneLine[][] = new Array(instants.length);
    const finder = new InstantFinder(recording.events);
    replay.run(
      [],
      stopsAt(finder, instants, null, (state, position) => {
        const t = instants[position]!;
        found[position] = zoneLines(state, t, outside(t));
      }),
    );
    replay.close();
    session.progress.stop();
    if (args.format === 'json') {
      const all = found.flatMap((lines, k) =>
        lines.map((l) => ndjsonLine(seconds(instants[k]!, recording), l)),
      );
      await session.out.write(`[\n${all.map((l) => l.trimEnd()).join(',\n')}\n]\n`);
      return ExitCode.done;
    }
    for (let k = 0; k < instants.length && !session.out.closed; k++) {
      const time = seconds(instants[k]!, recording);
      const text =
        args.format === 'ndjson'
          ? found[k]!.map((line) => ndjsonLine(time, line)).join('')
          : buddyinfoText(time, found[k]!);
      await session.out.write(text);
    }
    return ExitCode.done;
  } finally {
    recording.close();
  }
}

export const state: Command<StateArgs> = { options, run };
