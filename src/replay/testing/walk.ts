/**
 * Walks a reconstruction through a small recording and notes where it is wrong.
 */
import type { LiveState } from '../live-state.js';
import { type Reconstruction, type ReplayOptions, reconstruct } from '../reconstruct.js';
import type { Recorded } from './small-recording.js';

export interface Walk {
  readonly replay: Reconstruction;
  /** Indices of events after which the blocks differ from the truth. */
  readonly wrong: readonly number[];
  /** Indices of events after which the truth lies outside the bounds. */
  readonly uncovered: readonly number[];
  readonly certainties: ReadonlySet<string>;
  /** Sum over events of |difference| * 2^order, pages. */
  readonly distance: number;
  /** First wrong event at or after an index, -1 if there is none. */
  wrongFrom(index: number): number;
}

export const countsOf = (state: LiveState): number[] =>
  state.zones.flatMap((zone) => [...zone.free]);

/** Replays and compares after every event. */
export function walk(
  made: Recorded,
  truth: Recorded['truth'] = made.truth,
  options: ReplayOptions = {},
): Walk {
  const replay = reconstruct(made.input, options);
  const wrong: number[] = [];
  const uncovered: number[] = [];
  const certainties = new Set<string>();
  let distance = 0;
  const look = (state: LiveState, i: number): void => {
    for (const zone of state.zones) certainties.add(zone.certainty);
    const counts = truth[i]!;
    const off = countsOf(state).map((n, k) => Math.abs(n - counts[k]!) * 2 ** (k % state.orders));
    const sum = off.reduce((a, b) => a + b, 0);
    distance += sum;
    if (sum > 0) wrong.push(i);
    const low = state.zones.flatMap((zone) => [...zone.low]);
    const high = state.zones.flatMap((zone) => [...zone.high]);
    if (counts.some((n, k) => n < low[k]! || n > high[k]!)) uncovered.push(i);
  };
  const stops = truth.map((_, i) => ({
    index: i + 1,
    timeNs: Number.POSITIVE_INFINITY,
    run: (state: LiveState) => look(state, i),
  }));
  replay.run([], stops);
  const wrongFrom = (index: number): number => wrong.find((i) => i >= index) ?? -1;
  return { replay, wrong, uncovered, certainties, distance, wrongFrom };
}
