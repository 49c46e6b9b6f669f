/**
 * Reconstruction: from a recording to a state that can be walked through time.
 *
 * 1. Groundwork: survey the events, find the geometry, place the snapshots among the events, trace the fates of all pages
 *    backwards.
 * 2. Learn: walk forwards a few times without observers; what was taken in secret is inferred, residuals at
 *    buddyinfo copies are measured.
 * 3. Plan which corrections hold when.
 * 4. `run` walks once more with what was learnt and feeds the observers; it may be called again.
 *
 * Everything kept grows with memory size, snapshots and rare events, not with the length of the
 * trace; fates and events live in spools.
 */
import type { DetectedProfile } from '../kernel/detect-profile.js';
import type { Snapshot } from '../records/snapshot.js';
import type { CompactionQuality } from './compaction.js';
import { buddyinfoCopies } from './copies.js';
import type { Anomalies, ReplayCore } from './core.js';
import { planSpans } from './correction-plan.js';
import { blocksThatFit, type Geometry } from './geometry.js';
import { Groundwork } from './groundwork.js';
import { reserveSteps } from './highatomic.js';
import { InferredReserve } from './inferred-reserve.js';
import { completion, sharpened, solve } from './learn.js';
import { LiveState } from './live-state.js';
import { findLosses, lossSteps } from './losses.js';
import type { MarkTracker } from './marks.js';
import type { ReplayObserver, Residual } from './observer.js';
import { byPlace, type PlacedSnapshot } from './place.js';
import {
  type Anchor,
  anchorOf,
  type CorrectionSpan,
  describeResiduals,
  holdCorrections,
  type PlacedCopy,
  type ResidualProbe,
} from './reconcile.js';
import { RefusalEvidence } from './refusal-evidence.js';
import type { Refusal } from './refusals.js';
import type { ReplayInput, ReplayOptions } from './replay-input.js';
import type { SeedKind } from './seed.js';
import {
  correctionStops,
  inferredReserveStops,
  type ReplayStop,
  refusalStops,
  reserveStops,
  snapshotStops,
} from './stops.js';
import type { ReplayLevel, Survey } from './survey.js';
import type { Unfollowed } from './unfollowed.js';
import { Walker } from './walker.js';
import { Watchers } from './watchers.js';

export type { ReplayInput, ReplayOptions } from './replay-input.js';
export type { ReplayStop } from './stops.js';
export type { ReplayLevel } from './survey.js';

/** The reconstructed past of one recording. */
export class Reconstruction {
  readonly survey: Survey;
  readonly geometry: Geometry;
  readonly profile: DetectedProfile;
  readonly level: ReplayLevel;
  /** Why no event is followed; null = events are, or there are none. */
  readonly unfollowed: Unfollowed | null;
  /** How long after the first event some CPU's events are missing; 0 = the trace is whole. */
  readonly partialNs: number;
  readonly seed: SeedKind;
  readonly assumptions: readonly string[];
  readonly placed: readonly PlacedSnapshot[];
  readonly residuals: readonly Residual[];
  quality: CompactionQuality | null = null;
  anomalies: Anomalies | null = null;
  readonly #ground: Groundwork;
  readonly #walker: Walker;
  readonly #input: ReplayInput;
  readonly #options: ReplayOptions;
  readonly #buddyinfo: readonly PlacedCopy[];
  #spans: readonly CorrectionSpan[];

  constructor(input: ReplayInput, options: ReplayOptions) {
    const ground = new Groundwork(input, options);
    const walker = new Walker(ground, input);
    this.#ground = ground;
    this.#walker = walker;
    this.#input = input;
    this.#options = options;
    this.survey = ground.survey;
    this.geometry = ground.geometry;
    this.profile = ground.profile;
    this.level = ground.level;
    this.unfollowed = ground.unfollowed;
    this.partialNs = ground.partialNs;
    this.placed = sharpened(walker);
    this.#buddyinfo = buddyinfoCopies(this.placed, this.geometry);
    this.seed = seedOf(ground, this.#buddyinfo);
    if (this.seed === 'buddyinfo' && this.level !== 'snapshots' && !ground.causal) {
      walker.learnt.completion = completion(walker, this.#buddyinfo);
    }
    const phase = options.phase ?? (() => {});
    const runs = this.survey.rare.length > 0 ? (options.solverRuns ?? 3) : 1;
    const probes = solve(walker, this.#buddyinfo, runs, phase);
    const anchors = this.#anchors(probes);
    this.#spans = ground.causal
      ? holdCorrections(anchors, this.#zeros())
      : this.#planSpans(anchors);
    this.residuals = describeResiduals(probes, anchors, this.geometry);
    this.assumptions = [...this.geometry.assumptions, ...walker.marks().assumptions];
    if (this.level === 'page' && !ground.causal) this.#hearRefusals(anchors, phase);
  }

  #planSpans(anchors: readonly Anchor[]): CorrectionSpan[] {
    const { beginning, fates, finder, takingsTold, unseenEvents } = this.#ground;
    const { level, survey } = this;
    const { events } = this.#input;
    const losses = level === 'buddy' ? findLosses(survey, events, beginning, unseenEvents) : [];
    return planSpans(anchors, {
      level,
      beginning,
      rare: survey.rare,
      losses,
      lossSteps: (from) => lossSteps(losses, from, events, fates.actions),
      linear: level === 'page',
      takingsTold,
      orders: this.geometry.orders,
      capacity: blocksThatFit(this.geometry),
      mapped: this.seed === 'kpageflags',
      indexAt: (timeNs) => finder.indexAt(timeNs),
      errors: this.#walker.learnt.errors,
    });
  }

  /**
   * Corrects the state where the kernel refused what the replay would have served. Only where pages on per-cpu lists
   * look free: elsewhere the lists are known better than the boost that the refusal may be due to.
   */
  #hearRefusals(anchors: readonly Anchor[], phase: (name: string) => void): void {
    const refusals = this.#refusals();
    if (refusals.length === 0) return;
    phase('refusals');
    const evidence = new RefusalEvidence(
      this.#ground.switches,
      this.#input.strings,
      this.survey.maxCpu + 1,
    );
    this.run([], refusalStops(refusals, evidence));
    if (evidence.anchors.length === 0) return;
    this.#spans = this.#planSpans([...anchors, ...evidence.anchors].sort(byPlace));
  }

  /** From the first to the last thing that is placed in time. */
  span(): { readonly fromNs: number; readonly toNs: number } {
    let fromNs = this.survey.firstNs;
    let toNs = this.survey.lastNs;
    if (this.survey.events === 0) {
      fromNs = this.placed[0]?.timeNs ?? 0;
      toNs = this.placed[this.placed.length - 1]?.timeNs ?? fromNs;
    }
    return { fromNs, toNs: Math.max(toNs, fromNs + 1) };
  }

  /** Gives memory and temporary files back. */
  close(): void {
    this.#ground.fates.actions.close();
  }

  /**
   * Orders of which a block that the events show and the copies do not is likely on a per-cpu list. Where compaction is not
   * recorded it is as likely one that compaction took, unless blocks of that order are in use.
   */
  #ordersOnPcp(): Uint8Array {
    const { allocs, frees } = this.survey;
    return this.#ground
      .pcpOrders()
      .map((kept, order) =>
        kept && (this.#ground.takingsTold || allocs[order]! + frees[order]! > 0) ? 1 : 0,
      );
  }

  #zeros(): Int32Array {
    return new Int32Array(this.geometry.zones.length * this.geometry.orders);
  }

  /** Walks the state through the recording and feeds the observers. */
  run(observers: readonly ReplayObserver[], stops: readonly ReplayStop[] = []): void {
    const core = this.#walker.seededCore();
    const marks = this.#walker.marks();
    const hidden = this.#walker.hidden(core);
    const state = new LiveState(core, marks);
    if (this.level === 'page') state.pcpLooksFree = this.#ordersOnPcp();
    if (this.level === 'snapshots') state.withoutEvents();
    state.timeNs = this.span().fromNs;
    const all = [
      ...correctionStops(this.#spans),
      ...reserveStops(reserveSteps(this.placed, this.geometry), this.#ground.finder),
      ...this.#inferredReserveStops(core),
      ...this.#snapshotStops(observers, marks),
      ...stops,
    ];
    state.correct(this.#spans[0] ?? null);
    for (const observer of observers) observer.start?.(state);
    this.#walker.pass(core, all, {
      onStop: (stop) => {
        state.sync();
        stop.run(state);
      },
      onRare: (row) => {
        hidden.at(row);
        marks.rare(this.survey.rare, row);
      },
      watchers: new Watchers(core, state, marks, observers),
    });
    state.sync();
    for (const observer of observers) observer.end?.(state);
    this.quality = hidden.solver.quality;
    this.anomalies = core.anomalies;
  }

  /** Copies of buddyinfo with what they measured; dated copies of kpageflags, which leave no residual. */
  #anchors(probes: readonly ResidualProbe[]): Anchor[] {
    const none = this.#zeros();
    const maps = this.#ground
      .upToDate(this.placed)
      .filter(
        ({ snapshot: { kind, time } }) =>
          kind === 'kpageflags' && !time.located && this.level !== 'page',
      )
      .map(({ beginIndex, endIndex, timeNs }) => ({
        beginIndex,
        endIndex,
        timeNs,
        residual: none,
      }));
    return [...probes.map(anchorOf), ...maps].sort(byPlace);
  }

  #inferredReserveStops(core: ReplayCore): ReplayStop[] {
    const { switches, causal } = this.#ground;
    const told = core.tellsHighatomic || reserveSteps(this.placed, this.geometry).length > 0;
    if (told || this.level !== 'buddy' || causal || !InferredReserve.applies(switches)) {
      return [];
    }
    return inferredReserveStops(core, this.#refusals(), switches, this.#input.strings);
  }

  /** The recording's refusals, but for those that are to be judged. */
  #refusals(): readonly Refusal[] {
    const judged = this.#options.judged ?? (() => false);
    return this.survey.refusals.refusals.filter(({ timeNs, order }) => !judged(timeNs, order));
  }

  #snapshotStops(observers: readonly ReplayObserver[], marks: MarkTracker): ReplayStop[] {
    const indexOf = new Map(this.#buddyinfo.map((copy, i) => [copy.snapshot as Snapshot, i]));
    return snapshotStops(this.placed, {
      observers,
      marks,
      eventless: this.survey.events === 0,
      residualOf: (snapshot) => {
        const i = indexOf.get(snapshot);
        return i === undefined ? null : this.residuals[i]!;
      },
    });
  }
}

/** Reconstructs the state of a recording. Throws only for bugs and for I/O of its temporary files. */
export function reconstruct(input: ReplayInput, options: ReplayOptions = {}): Reconstruction {
  return new Reconstruction(input, options);
}

function seedOf({ copies, survey }: Groundwork, buddyinfo: readonly PlacedCopy[]): SeedKind {
  if (copies.some((copy) => copy.tellsFree)) return 'kpageflags';
  if (buddyinfo.length > 0) return 'buddyinfo';
  return survey.events > 0 ? 'first-touch' : 'none';
}
