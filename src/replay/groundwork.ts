/**
 * Groundwork: what is known of a recording before anything is replayed.
 *
 * Which machine it is, which kernel rules hold, where the snapshots stand among the events, from where on the trace is
 * whole, what becomes of each page, and so which level of the allocator the events allow.
 */
import { type DetectedProfile, detectProfile } from '../kernel/detect-profile.js';
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import { EventKind } from '../records/events.js';
import { DEFAULT_LIMITS } from '../records/limits.js';
import { formatSeconds } from '../records/time.js';
import { type Beginning, findBeginning } from './beginning.js';
import { pageCopies } from './copies.js';
import { type Fates, traceFates } from './fates.js';
import { findGeometry, type Geometry } from './geometry.js';
import { levelTold } from './level.js';
import { observeKernel } from './observations.js';
import { type OutdatedMap, outdatedMaps } from './outdated.js';
import type { PageCopy } from './page-copy.js';
import { type PlacedSnapshot, placeSnapshots, TimeIndex } from './place.js';
import type { ReplayInput, ReplayOptions } from './replay-input.js';
import { type ReplayLevel, type Survey, surveyEvents } from './survey.js';
import { UNFOLLOWED, type Unfollowed } from './unfollowed.js';

export class Groundwork {
  readonly survey: Survey;
  readonly geometry: Geometry;
  readonly profile: DetectedProfile;
  readonly level: ReplayLevel;
  /** Why no event is followed; null = events are, or there are none. */
  readonly unfollowed: Unfollowed | null;
  readonly finder: TimeIndex;
  /** Where the trace is whole. */
  readonly beginning: Beginning;
  readonly placed: readonly PlacedSnapshot[];
  /** Copies that tell of single pages and are up to date. */
  readonly copies: readonly PageCopy[];
  readonly fates: Fates;
  /** Only the past may speak. */
  readonly causal: boolean;
  readonly #outdated: readonly OutdatedMap[];
  /** Copies of buddyinfo tell how much is free. */
  readonly #counted: boolean;

  constructor(input: ReplayInput, options: ReplayOptions) {
    const { events, snapshots, diagnostics } = input;
    const phase = options.phase ?? (() => {});
    this.causal = options.causal === true;
    phase('survey');
    this.survey = input.survey ?? surveyEvents(events);
    this.geometry = findGeometry(
      this.survey,
      snapshots,
      options.cma ?? [],
      options.pages ?? DEFAULT_LIMITS.pages,
      options.densePages,
    );
    this.profile = detectProfile(
      observeKernel(this.survey, snapshots),
      {
        ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
        overrides: options.profile ?? [],
      },
      diagnostics,
    );
    this.finder = new TimeIndex(events);
    this.beginning = findBeginning(this.survey, events);
    this.placed = placeSnapshots(events, snapshots, this.finder);
    this.#counted = snapshots.some(({ kind }) => kind === 'buddyinfo');
    const pages = this.geometry.zones.reduce((sum, { managed }) => sum + managed, 0);
    this.#outdated = outdatedMaps(this.placed, this.survey.firstNs, this.finder, pages);
    this.copies = pageCopies(this.upToDate(this.placed), this.geometry, diagnostics);
    phase('fates');
    const { level } = this.survey;
    const fates = this.#traceFates(level, input, options);
    const told = levelTold(this.survey, fates);
    if (told.level !== level) fates.actions.close();
    this.fates = told.level === level ? fates : this.#traceFates(told.level, input, options);
    this.level = told.level;
    this.unfollowed = told.unfollowed;
    this.#tell(input);
  }

  get switches(): ProfileSwitches {
    return this.profile.profile.switches;
  }

  /** How long after the first event some CPU's events are missing; 0 = the trace is whole. */
  get partialNs(): number {
    return this.beginning.index > 0 ? this.beginning.timeNs - this.survey.firstNs : 0;
  }

  /** Events between the map that the replay begins with and the first event. */
  get unseenEvents(): number {
    return this.#counted ? 0 : Math.max(0, ...this.#outdated.map(({ events }) => events));
  }

  /** Compaction, or whatever isolates pages, is recorded. */
  get takingsTold(): boolean {
    const { kinds } = this.survey;
    return kinds[EventKind.isolateMigratepages]! + kinds[EventKind.isolateFreepages]! > 0;
  }

  pcpOrders(): Uint8Array {
    return this.survey.pcpOrders(this.switches, this.geometry.pageblockOrder);
  }

  /** The snapshots without the maps that are outdated, if copies of buddyinfo do without these. */
  upToDate(placed: readonly PlacedSnapshot[]): readonly PlacedSnapshot[] {
    if (!this.#counted || this.#outdated.length === 0) return placed;
    const outdated = new Set(this.#outdated.map(({ snapshot }) => snapshot));
    return placed.filter(({ snapshot }) => !outdated.has(snapshot));
  }

  #traceFates(
    level: ReplayLevel,
    { events }: ReplayInput,
    { spoolBytes = DEFAULT_LIMITS.spoolBytes }: ReplayOptions,
  ): Fates {
    const context = {
      level,
      space: this.geometry.space,
      survey: this.survey,
      pcpOrders: this.pcpOrders(),
      pageblockOrder: this.geometry.pageblockOrder,
      // As the data shows it; where it holds no steal, as the kernel's version says.
      extfragRemoves: this.switches.extfragIsRemoval,
      wholeFrom: this.beginning.index,
      causal: this.causal,
      budget: spoolBytes - (events.memoryBytes ?? 0),
    };
    return traceFates(events, context, this.copies);
  }

  /** Says what of the input is not replayed. */
  #tell({ diagnostics }: ReplayInput): void {
    if (this.partialNs > 0) {
      const after = formatSeconds(this.partialNs);
      diagnostics?.report('buffers-begin-apart', {}, { after });
    }
    for (const { snapshot, gapNs } of this.#outdated) {
      const gap = formatSeconds(Math.round(gapNs));
      const use = this.#counted ? 'it is not used' : 'the bounds allow for that';
      diagnostics?.report('map-outdated', { source: snapshot.source }, { gap, use });
    }
    const order = this.survey.largestOrder;
    const { count, pages } = this.survey.beyond(order);
    if (count > 0) diagnostics?.report('events-too-large', {}, { count, pages, order });
    if (this.unfollowed === null) return;
    diagnostics?.report('events-not-followed', {}, { why: UNFOLLOWED[this.unfollowed] });
  }
}
