/**
 * The stops of a replay, kind by kind: events before which the state is set, corrected or shown.
 *
 * A pass brings them into one order, by index and at one index by time (walker.ts). Those that copies of
 * single pages make come first at their index: everything else looks at what they leave.
 */
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import type { Snapshot } from '../records/snapshot.js';
import type { RecordingStrings } from '../records/strings.js';
import { applyCopy, applyMap } from './copies.js';
import type { ReplayCore } from './core.js';
import type { Fates } from './fates.js';
import type { ReserveStep } from './highatomic.js';
import { InferredReserve } from './inferred-reserve.js';
import type { LiveState } from './live-state.js';
import type { MarkTracker } from './marks.js';
import type { ReplayObserver, Residual } from './observer.js';
import type { PageCopy } from './page-copy.js';
import { type PlacedSnapshot, readUntilNs, type TimeIndex } from './place.js';
import type { CorrectionSpan } from './reconcile.js';
import type { Refusal } from './refusals.js';

/** A moment at which a pass calls back, before the event at `index` is applied. */
export interface ReplayStop {
  readonly index: number;
  readonly timeNs: number;
  run(state: LiveState): void;
}

/** A copy of single pages corrects every page it can speak about. */
export function copyStops(
  core: ReplayCore,
  copies: readonly PageCopy[],
  fates: Fates,
  causal: boolean,
): ReplayStop[] {
  return copies.map((copy, k) => ({
    index: copy.beginIndex,
    timeNs: Number.NEGATIVE_INFINITY,
    run: () => {
      if (causal) applyMap(core, copy);
      else applyCopy(core, copy, fates.afterCopy[k]!);
    },
  }));
}

/** The first span holds from the start and has no stop. */
export function correctionStops(spans: readonly CorrectionSpan[]): ReplayStop[] {
  return spans.slice(1).map((span) => ({
    index: span.fromIndex,
    timeNs: span.fromNs,
    run: (state) => state.correct(span),
  }));
}

export function reserveStops(steps: readonly ReserveStep[], finder: TimeIndex): ReplayStop[] {
  return steps.map((step) => ({
    index: step.fromNs === Number.NEGATIVE_INFINITY ? 0 : finder.indexAt(step.fromNs),
    timeNs: step.fromNs,
    run: (state) => state.reserve(step),
  }));
}

/** Refusals of single pages, where they alone tell the HIGHATOMIC reserve. */
export function inferredReserveStops(
  core: ReplayCore,
  refusals: readonly Refusal[],
  switches: ProfileSwitches,
  strings: RecordingStrings,
): ReplayStop[] {
  const reserve = new InferredReserve(core, switches, strings);
  const single = refusals.filter(({ order }) => order === 0);
  core.infersHighatomic = single.length > 0;
  return refusalStops(single, reserve);
}

/** Each refusal is heard with the state as it was then. */
export function refusalStops(
  refusals: readonly Refusal[],
  listener: { hear(refusal: Refusal, state: LiveState): void },
): ReplayStop[] {
  return refusals.map((refusal) => ({
    index: refusal.index,
    timeNs: refusal.timeNs,
    run: (state) => listener.hear(refusal, state),
  }));
}

/** What observers are shown at a copy. */
export interface SnapshotShow {
  readonly observers: readonly ReplayObserver[];
  readonly marks: MarkTracker;
  /** Without events time moves from copy to copy. */
  readonly eventless: boolean;
  residualOf(snapshot: Snapshot): Residual | null;
}

export function snapshotStops(
  placed: readonly PlacedSnapshot[],
  { observers, marks, eventless, residualOf }: SnapshotShow,
): ReplayStop[] {
  const lastNs = placed.at(-1)?.timeNs ?? 0;
  return placed.flatMap((place): ReplayStop[] => {
    const { snapshot, beginIndex: index, timeNs } = place;
    const run = (state: LiveState): void => {
      if (eventless) state.timeNs = timeNs;
      if (snapshot.kind === 'zoneinfo') marks.zoneinfo(snapshot.zones);
      const residual = residualOf(snapshot);
      for (const observer of observers) observer.snapshot?.(state, snapshot, residual);
    };
    const show = { index, timeNs, run };
    if (!eventless || timeNs >= lastNs) return [show];
    const hold = (state: LiveState): void => {
      for (const observer of observers) observer.hold?.(state);
    };
    return [show, { index, timeNs: readUntilNs(place), run: hold }];
  });
}
