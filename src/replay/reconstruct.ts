/**
 * Reconstruction: from a recording to a state that can be walked through time.
 *
 * 1. Survey the events, find the geometry, place the snapshots among the events.
 * 2. Trace the fates of all pages backwards.
 * 3. Replay forwards a few times without observers: the compaction solver learns what was taken in
 *    secret, residuals at buddyinfo copies are measured.
 * 4. `run` replays once more with what was learnt and feeds the observers; it may be called again.
 *
 * Everything kept grows with memory size, snapshots and rare events, not with the length of the
 * trace; fates and events live in spools.
 */
import { type DetectedProfile, detectProfile } from '../kernel/detect-profile.js';
import type { Diagnostics } from '../records/diagnostics.js';
import { EventKind } from '../records/events.js';
import { DEFAULT_LIMITS } from '../records/limits.js';
import type { Snapshot } from '../records/snapshot.js';
import type { RecordingStrings } from '../records/strings.js';
import { formatSeconds } from '../records/time.js';
import { type Beginning, findBeginning } from './beginning.js';
import { type CompactionQuality, CompactionSolver } from './compaction.js';
import { buddyinfoCopies, pageCopies } from './copies.js';
import { type Anomalies, ReplayCore, type TypeEvidence } from './core.js';
import { planSpans } from './correction-plan.js';
import { type Fates, traceFates } from './fates.js';
import { type ForwardPlan, runForward } from './forward.js';
import { blocksThatFit, findGeometry, type Geometry, type PfnRange } from './geometry.js';
import { reserveSteps } from './highatomic.js';
import { InferredReserve } from './inferred-reserve.js';
import { levelTold } from './level.js';
import { LiveState } from './live-state.js';
import { findLosses, lossSteps } from './losses.js';
import { LostEvents } from './lost-events.js';
import { MarkTracker } from './marks.js';
import { observeKernel } from './observations.js';
import type { ReplayObserver, Residual } from './observer.js';
import { type OutdatedMap, outdatedMaps } from './outdated.js';
import type { PageCopy } from './page-copy.js';
import { type PlacedSnapshot, placeSnapshots, TimeIndex } from './place.js';
import {
  type Anchor,
  anchorOf,
  type CorrectionSpan,
  describeResiduals,
  holdCorrections,
  lookIndices,
  type PlacedCopy,
  ResidualProbe,
} from './reconcile.js';
import { RefusalEvidence } from './refusal-evidence.js';
import type { Refusal } from './refusals.js';
import { completeFromCopy, type SeedKind, seedFirstTouch } from './seed.js';
import { lookTimes, narrowSpans, SHARPENING_PASSES, soughtCopies, withSpans } from './sharpen.js';
import {
  copyStops,
  correctionStops,
  inferredReserveStops,
  type ReplayStop,
  refusalStops,
  reserveStops,
  snapshotStops,
} from './stops.js';
import { type EventSource, type ReplayLevel, type Survey, surveyEvents } from './survey.js';
import { UNFOLLOWED, type Unfollowed } from './unfollowed.js';
import { Watchers } from './watchers.js';

/** What a replay needs of a recording; a Recording has it all. */
export interface ReplayInput {
  readonly events: EventSource;
  /** Snapshots that may be believed, in time order. */
  readonly snapshots: readonly Snapshot[];
  readonly strings: RecordingStrings;
  readonly diagnostics?: Diagnostics;
  /** Of these events, if they were surveyed when they were read. */
  readonly survey?: Survey;
}

/** What a replay may use and what it is told. */
export interface ReplayOptions {
  /** Only the past may speak: no fates, no later snapshots. */
  readonly causal?: boolean;
  /** Forward runs of the solver before the final one (default 3). */
  readonly solverRuns?: number;
  readonly cma?: readonly PfnRange[];
  readonly pages?: number;
  /** Zones that span more pages in all are simulated where the recording touches them (default 2^22). */
  readonly densePages?: number;
  readonly kernel?: string;
  readonly profile?: readonly string[];
  /** Bytes of events and decided actions kept in memory before a temporary file is used. */
  readonly spoolBytes?: number;
  readonly phase?: (name: string) => void;
  /** Recorded requests that are to be judged, by stamp and order: they must not speak for themselves. */
  readonly judged?: (timeNs: number, order: number) => boolean;
}

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
  readonly seed: SeedKind;
  readonly assumptions: readonly string[];
  readonly placed: readonly PlacedSnapshot[];
  readonly residuals: readonly Residual[];
  quality: CompactionQuality | null = null;
  anomalies: Anomalies | null = null;
  readonly #input: ReplayInput;
  readonly #finder: TimeIndex;
  readonly #beginning: Beginning;
  readonly #outdated: readonly OutdatedMap[];
  readonly #copies: readonly PageCopy[];
  readonly #buddyinfo: readonly PlacedCopy[];
  readonly #fates: Fates;
  readonly #completion: readonly number[];
  readonly #options: ReplayOptions;
  #spans: readonly CorrectionSpan[];
  #needs: ReadonlyMap<number, number> = new Map();
  /** Pageblocks that were HIGHATOMIC when the recording began, as a first run found. */
  #reservedBefore: readonly number[] = [];
  /** Events that showed the last solver run wrong about a page. */
  #errors: readonly number[] = [];

  constructor(input: ReplayInput, options: ReplayOptions) {
    this.#input = input;
    this.#options = options;
    const phase = options.phase ?? (() => {});
    phase('survey');
    this.survey = input.survey ?? surveyEvents(input.events);
    this.geometry = findGeometry(
      this.survey,
      input.snapshots,
      options.cma ?? [],
      options.pages ?? DEFAULT_LIMITS.pages,
      options.densePages,
    );
    this.profile = detectProfile(
      observeKernel(this.survey, input.snapshots),
      {
        ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
        overrides: options.profile ?? [],
      },
      input.diagnostics,
    );
    this.#finder = new TimeIndex(input.events);
    this.#beginning = findBeginning(this.survey, input.events);
    if (this.partialNs > 0) {
      const after = formatSeconds(this.partialNs);
      input.diagnostics?.report('buffers-begin-apart', {}, { after });
    }
    const placed = placeSnapshots(input.events, input.snapshots, this.#finder);
    this.#outdated = this.#tellOutdated(placed);
    this.#copies = pageCopies(this.#valid(placed), this.geometry, input.diagnostics);
    this.#tellLeftOut(input.diagnostics);
    phase('fates');
    const { level } = this.survey;
    const fates = this.#traceFates(level);
    const told = levelTold(this.survey, fates);
    if (told.level !== level) fates.actions.close();
    this.#fates = told.level === level ? fates : this.#traceFates(told.level);
    this.level = told.level;
    this.unfollowed = told.unfollowed;
    if (this.unfollowed !== null) {
      const why = UNFOLLOWED[this.unfollowed];
      input.diagnostics?.report('events-not-followed', {}, { why });
    }
    this.placed = this.#sharpened(placed);
    this.#buddyinfo = buddyinfoCopies(this.placed, this.geometry);
    this.seed = seedOf(this.#copies, this.#buddyinfo, this.survey);
    this.#completion =
      this.seed === 'buddyinfo' && this.level !== 'snapshots' && !this.#causal
        ? this.#completeFromBuddyinfo()
        : [];
    const probes = this.#solve(phase);
    const anchors = this.#anchors(probes);
    this.#spans = this.#causal ? holdCorrections(anchors, this.#zeros()) : this.#planSpans(anchors);
    this.residuals = describeResiduals(probes, anchors, this.geometry);
    this.assumptions = [...this.geometry.assumptions, ...this.#marks().assumptions];
    if (this.level === 'page' && !this.#causal) this.#hearRefusals(anchors, phase);
  }

  #traceFates(level: ReplayLevel): Fates {
    const { events } = this.#input;
    const { spoolBytes = DEFAULT_LIMITS.spoolBytes } = this.#options;
    const context = {
      level,
      space: this.geometry.space,
      survey: this.survey,
      pcpOrders: this.#pcpOrders(),
      pageblockOrder: this.geometry.pageblockOrder,
      // As the data shows it; where it holds no steal, as the kernel's version says.
      extfragRemoves: this.profile.profile.switches.extfragIsRemoval,
      wholeFrom: this.#beginning.index,
      causal: this.#causal,
      budget: spoolBytes - (events.memoryBytes ?? 0),
    };
    return traceFates(events, context, this.#copies);
  }

  /** The snapshots without the maps that are outdated, if copies of buddyinfo do without these. */
  #valid(placed: readonly PlacedSnapshot[]): readonly PlacedSnapshot[] {
    if (!this.#counted || this.#outdated.length === 0) return placed;
    const outdated = new Set(this.#outdated.map(({ snapshot }) => snapshot));
    return placed.filter(({ snapshot }) => !outdated.has(snapshot));
  }

  /** Copies of buddyinfo tell how much is free. */
  get #counted(): boolean {
    return this.#input.snapshots.some(({ kind }) => kind === 'buddyinfo');
  }

  #tellOutdated(placed: readonly PlacedSnapshot[]): readonly OutdatedMap[] {
    const pages = this.geometry.zones.reduce((sum, { managed }) => sum + managed, 0);
    const outdated = outdatedMaps(placed, this.survey.firstNs, this.#finder, pages);
    for (const { snapshot, gapNs } of outdated) {
      const gap = formatSeconds(Math.round(gapNs));
      const use = this.#counted ? 'it is not used' : 'the bounds allow for that';
      this.#input.diagnostics?.report('map-outdated', { source: snapshot.source }, { gap, use });
    }
    return outdated;
  }

  /** Says which events are not replayed because of their size. */
  #tellLeftOut(diagnostics: Diagnostics | undefined): void {
    const order = this.survey.largestOrder;
    const { count, pages } = this.survey.beyond(order);
    if (count > 0) diagnostics?.report('events-too-large', {}, { count, pages, order });
  }

  #planSpans(anchors: readonly Anchor[]): CorrectionSpan[] {
    const { events } = this.#input;
    const { level, survey } = this;
    const unseen = this.#counted ? 0 : Math.max(0, ...this.#outdated.map((map) => map.events));
    const losses = level === 'buddy' ? findLosses(survey, events, this.#beginning, unseen) : [];
    return planSpans(anchors, {
      level,
      beginning: this.#beginning,
      rare: survey.rare,
      losses,
      lossSteps: (from) => lossSteps(losses, from, events, this.#fates.actions),
      linear: level === 'page',
      takingsTold: this.#takingsTold,
      orders: this.geometry.orders,
      capacity: blocksThatFit(this.geometry),
      mapped: this.seed === 'kpageflags',
      indexAt: (timeNs) => this.#finder.indexAt(timeNs),
      errors: this.#errors,
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
      this.profile.profile.switches,
      this.#input.strings,
      this.survey.maxCpu + 1,
    );
    this.run([], refusalStops(refusals, evidence));
    if (evidence.anchors.length === 0) return;
    this.#spans = this.#planSpans(
      [...anchors, ...evidence.anchors].sort(
        (a, b) => a.beginIndex - b.beginIndex || a.timeNs - b.timeNs,
      ),
    );
  }

  /** How long after the first event some CPU's events are missing; 0 = the trace is whole. */
  get partialNs(): number {
    return this.#beginning.index > 0 ? this.#beginning.timeNs - this.survey.firstNs : 0;
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
    this.#fates.actions.close();
  }

  #pcpOrders(): Uint8Array {
    return this.survey.pcpOrders(this.profile.profile.switches, this.geometry.pageblockOrder);
  }

  /**
   * Orders of which a block that the events show and the copies do not is likely on a per-cpu list. Where compaction is not
   * recorded it is as likely one that compaction took, unless blocks of that order are in use.
   */
  #ordersOnPcp(): Uint8Array {
    const { allocs, frees } = this.survey;
    return this.#pcpOrders().map((kept, order) =>
      kept && (this.#takingsTold || allocs[order]! + frees[order]! > 0) ? 1 : 0,
    );
  }

  get #takingsTold(): boolean {
    const { kinds } = this.survey;
    return kinds[EventKind.isolateMigratepages]! + kinds[EventKind.isolateFreepages]! > 0;
  }

  get #causal(): boolean {
    return this.#options.causal === true;
  }

  #zeros(): Int32Array {
    return new Int32Array(this.geometry.zones.length * this.geometry.orders);
  }

  /** Walks the state through the recording and feeds the observers. */
  run(observers: readonly ReplayObserver[], stops: readonly ReplayStop[] = []): void {
    const core = this.#newCore();
    const marks = this.#marks();
    const state = new LiveState(core, marks);
    if (this.level === 'page') state.pcpLooksFree = this.#ordersOnPcp();
    if (this.level === 'snapshots') state.withoutEvents();
    const solver = this.#solver(core);
    const lost = new LostEvents(core, this.survey.rare);
    state.timeNs = this.span().fromNs;
    const all = [
      ...correctionStops(this.#spans),
      ...reserveStops(reserveSteps(this.placed, this.geometry), this.#finder),
      ...this.#inferredReserveStops(core),
      ...this.#snapshotStops(observers, marks),
      ...stops,
    ];
    state.correct(this.#spans[0] ?? null);
    for (const observer of observers) observer.start?.(state);
    this.#pass(core, all, {
      onStop: (stop) => {
        state.sync();
        stop.run(state);
      },
      onRare: (row) => {
        this.#hiddenAt(solver, lost, row);
        marks.rare(this.survey.rare, row);
      },
      watchers: new Watchers(core, state, marks, observers),
    });
    state.sync();
    for (const observer of observers) observer.end?.(state);
    this.quality = solver.quality;
    this.anomalies = core.anomalies;
  }

  #newCore(): ReplayCore {
    const core = this.#touchedCore();
    for (const page of this.#completion) core.put(page);
    return core;
  }

  #touchedCore(): ReplayCore {
    const core = new ReplayCore(this.geometry, this.level === 'buddy', this.#typeEvidence());
    core.reserveBefore(this.#reservedBefore);
    seedFirstTouch(core, this.#fates);
    return core;
  }

  /** Snapshots whose stamps leave them much room, where the replay finds them (sharpen.ts). */
  #sharpened(placed: readonly PlacedSnapshot[]): readonly PlacedSnapshot[] {
    const sought = soughtCopies(buddyinfoCopies(placed, this.geometry), this.survey);
    if (sought.length < 2 || this.level === 'snapshots' || this.#causal) return placed;
    for (let pass = 0; pass < SHARPENING_PASSES; pass++) {
      const core = this.#touchedCore();
      const state = new LiveState(core, this.#marks());
      const looks = sought.flatMap((one): ReplayStop[] => {
        const run = (): void => void one.looks.push(state.sumRaw().slice());
        return lookTimes(one).map((timeNs) => ({
          index: this.#finder.indexAt(timeNs),
          timeNs,
          run,
        }));
      });
      this.#pass(core, looks, {
        onStop: (stop) => stop.run(state),
        onRare: () => {},
        untilLastStop: true,
      });
      narrowSpans(sought, this.geometry.orders);
    }
    return withSpans(placed, sought, (timeNs) => this.#finder.indexAt(timeNs));
  }

  /** A forward pass with kpageflags copies and the given stops, by index and at one index by time. */
  #pass(core: ReplayCore, stops: readonly ReplayStop[], plan: PassPlan): void {
    const ordered = [...copyStops(core, this.#copies, this.#fates, this.#causal), ...stops].sort(
      (a, b) => a.index - b.index || a.timeNs - b.timeNs,
    );
    runForward({
      source: this.#input.events,
      core,
      fates: this.#fates,
      rare: this.survey.rare,
      stops: Float64Array.from(ordered.map((s) => s.index)),
      onStop: (k) => plan.onStop(ordered[k]!),
      onRare: plan.onRare,
      ...(plan.watchers && { watchers: plan.watchers }),
      ...(plan.untilLastStop && { end: ordered.at(-1)?.index ?? 0 }),
    });
  }

  #typeEvidence(): TypeEvidence {
    const { switches } = this.profile.profile;
    return {
      tellHighatomic: switches.mergeBarrier === 'not-UME' && switches.zoneLockedTypeIsReal,
      drainsFresh: switches.freelistHygiene,
    };
  }

  #marks(): MarkTracker {
    return new MarkTracker(
      this.geometry,
      this.#input.snapshots,
      this.profile.profile.switches,
      this.profile.profile.switches.extfragIsRemoval,
      this.survey.kinds[EventKind.extfrag]! > 0,
    );
  }

  #solver(core: ReplayCore): CompactionSolver {
    const solver = new CompactionSolver(
      core,
      this.survey.rare,
      this.#input.strings.texts,
      this.#needs,
    );
    core.onGhost = (page, fate) => solver.ghost(page, fate);
    return solver;
  }

  /** What a rare event tells of takings and givings that no page event shows. */
  #hiddenAt(solver: CompactionSolver, lost: LostEvents, row: number): void {
    const { rare } = this.survey;
    const kind = rare.kind[row]!;
    if (kind === EventKind.lost || kind === EventKind.bufferStarted) lost.mark(rare.index[row]!);
    else solver.rare(row);
  }

  /** Copies of buddyinfo with what they measured; dated copies of kpageflags, which leave no residual. */
  #anchors(probes: readonly ResidualProbe[]): Anchor[] {
    const none = this.#zeros();
    const maps = this.#valid(this.placed)
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
    return [...probes.map(anchorOf), ...maps].sort(
      (a, b) => a.beginIndex - b.beginIndex || a.timeNs - b.timeNs,
    );
  }

  /** The runs without observers; returns the residuals of the last. */
  #solve(phase: (name: string) => void): ResidualProbe[] {
    const runs = this.survey.rare.length > 0 ? (this.#options.solverRuns ?? 3) : 1;
    let probes: ResidualProbe[] = [];
    for (let run = 0; run < runs; run++) {
      phase(`solve ${run + 1} of ${runs}`);
      const known = this.#needs;
      probes = this.#solveOnce();
      if (this.#needs === known) break;
    }
    return probes;
  }

  #solveOnce(): ResidualProbe[] {
    const { geometry } = this;
    const core = this.#newCore();
    core.errors = [];
    const state = new LiveState(core, this.#marks());
    const solver = this.#solver(core);
    const lost = new LostEvents(core, this.survey.rare);
    const probes = this.#buddyinfo.map(
      (copy) => new ResidualProbe(copy, geometry.zones.length, geometry.orders),
    );
    const looks = probes.flatMap((probe): ReplayStop[] => {
      const run = (): void => probe.look(state.sumRaw());
      return lookIndices(probe.copy).map((index) => ({ index, timeNs: probe.copy.timeNs, run }));
    });
    this.#pass(core, looks, {
      onStop: (stop) => stop.run(state),
      onRare: (row) => this.#hiddenAt(solver, lost, row),
    });
    if (!this.#causal) {
      this.#needs = solver.needs;
      this.#reservedBefore = [...this.#reservedBefore, ...core.reservedBefore];
    }
    this.#errors = core.errors;
    return probes;
  }

  #inferredReserveStops(core: ReplayCore): ReplayStop[] {
    const { switches } = this.profile.profile;
    const told = core.tellsHighatomic || reserveSteps(this.placed, this.geometry).length > 0;
    if (told || this.level !== 'buddy' || this.#causal || !InferredReserve.applies(switches)) {
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

  #completeFromBuddyinfo(): number[] {
    const copy = this.#buddyinfo[0];
    if (!copy) return [];
    const zoneinfo = this.#input.snapshots.find((s) => s.kind === 'zoneinfo');
    const core = this.#touchedCore();
    return completeFromCopy(core, this.#fates, copy, zoneinfo?.zones ?? [], () =>
      runForward({
        source: this.#input.events,
        core,
        fates: this.#fates,
        rare: this.survey.rare,
        stops: new Float64Array(0),
        onStop: () => {},
        onRare: () => {},
        end: copy.beginIndex,
      }),
    );
  }
}

/** What a pass does on its way; see ForwardPlan. */
interface PassPlan extends Pick<ForwardPlan, 'onRare' | 'watchers'> {
  onStop(stop: ReplayStop): void;
  /** Nothing is wanted of what comes after the last stop. */
  readonly untilLastStop?: true;
}

/** Reconstructs the state of a recording. Throws only for bugs and for I/O of its temporary files. */
export function reconstruct(input: ReplayInput, options: ReplayOptions = {}): Reconstruction {
  return new Reconstruction(input, options);
}

function seedOf(
  copies: readonly PageCopy[],
  buddyinfo: readonly PlacedCopy[],
  survey: Survey,
): SeedKind {
  if (copies.some((copy) => copy.tellsFree)) return 'kpageflags';
  if (buddyinfo.length > 0) return 'buddyinfo';
  return survey.events > 0 ? 'first-touch' : 'none';
}
