/**
 * Walks the free lists forward from the start of the recording, as often as it takes.
 *
 * Every walk begins anew with the same seed and applies the same actions; what earlier walks learnt (`learnt`) is
 * known to later ones: pages free from the start, what compaction took in secret, pageblocks reserved before.
 */
import { EventKind, marksLoss } from '../records/events.js';
import { CompactionSolver } from './compaction.js';
import { ReplayCore, type TypeEvidence } from './core.js';
import { type ForwardPlan, runForward } from './forward.js';
import type { Groundwork } from './groundwork.js';
import { LostEvents } from './lost-events.js';
import { MarkTracker } from './marks.js';
import type { ReplayInput } from './replay-input.js';
import { seedFirstTouch } from './seed.js';
import { copyStops, type ReplayStop } from './stops.js';
import type { RareLog } from './survey.js';

/** What walks find out for those after them. */
export interface Learnt {
  /** Pages free from the start, beyond those that first touches show. */
  completion: readonly number[];
  /** What each of compaction's searches was found to have taken. */
  needs: ReadonlyMap<number, number>;
  /** Pageblocks that were HIGHATOMIC when the recording began. */
  reservedBefore: readonly number[];
  /** Events that showed the last walk wrong about a page. */
  errors: readonly number[];
}

/** What a pass does on its way; see ForwardPlan. */
export interface PassPlan extends Pick<ForwardPlan, 'onRare' | 'watchers'> {
  onStop(stop: ReplayStop): void;
  /** Nothing is wanted of what comes after the last stop. */
  readonly untilLastStop?: true;
}

export class Walker {
  readonly ground: Groundwork;
  readonly input: ReplayInput;
  readonly learnt: Learnt = { completion: [], needs: new Map(), reservedBefore: [], errors: [] };

  constructor(ground: Groundwork, input: ReplayInput) {
    this.ground = ground;
    this.input = input;
  }

  /** The state at the start, as far as it is known. */
  seededCore(): ReplayCore {
    const core = this.touchedCore();
    for (const page of this.learnt.completion) core.put(page);
    return core;
  }

  /** The state at the start, as first touches and maps show it. */
  touchedCore(): ReplayCore {
    const { geometry, level, fates } = this.ground;
    const core = new ReplayCore(geometry, level === 'buddy', this.#typeEvidence());
    core.reserveBefore(this.learnt.reservedBefore);
    seedFirstTouch(core, fates);
    return core;
  }

  marks(): MarkTracker {
    const { geometry, switches, survey } = this.ground;
    return new MarkTracker(
      geometry,
      this.input.snapshots,
      switches,
      switches.extfragIsRemoval,
      survey.kinds[EventKind.extfrag]! > 0,
    );
  }

  /** What a walk's rare events tell of takings and givings that no page event shows. */
  hidden(core: ReplayCore): HiddenActors {
    const { survey, beginning } = this.ground;
    const solver = new CompactionSolver(
      core,
      survey.rare,
      this.input.strings.texts,
      this.learnt.needs,
    );
    const lost = new LostEvents(core, survey.rare, beginning.index);
    return new HiddenActors(core, survey.rare, solver, lost);
  }

  /** A forward pass with kpageflags copies and the given stops, by index and at one index by time. */
  pass(core: ReplayCore, stops: readonly ReplayStop[], plan: PassPlan): void {
    const { copies, fates, causal, survey } = this.ground;
    const ordered = [...copyStops(core, copies, fates, causal), ...stops].sort(
      (a, b) => a.index - b.index || a.timeNs - b.timeNs,
    );
    runForward({
      source: this.input.events,
      core,
      fates,
      rare: survey.rare,
      stops: Float64Array.from(ordered.map((s) => s.index)),
      onStop: (k) => plan.onStop(ordered[k]!),
      onRare: plan.onRare,
      ...(plan.watchers && { watchers: plan.watchers }),
      ...(plan.untilLastStop && { end: ordered.at(-1)?.index ?? 0 }),
    });
  }

  #typeEvidence(): TypeEvidence {
    const { switches } = this.ground;
    return {
      tellHighatomic: switches.mergeBarrier === 'not-UME' && switches.zoneLockedTypeIsReal,
      drainsFresh: switches.freelistHygiene,
    };
  }
}

/** Those that move pages without a page event: compaction and isolation, and whatever happened during a loss. */
export class HiddenActors {
  readonly solver: CompactionSolver;
  readonly #lost: LostEvents;
  readonly #rare: RareLog;

  constructor(core: ReplayCore, rare: RareLog, solver: CompactionSolver, lost: LostEvents) {
    this.solver = solver;
    this.#lost = lost;
    this.#rare = rare;
    core.onGhost = (page, fate) => solver.ghost(page, fate);
    core.keepsHistory = solver.acts || lost.acts;
  }

  /** Called when the turn of a rare event comes. */
  at(row: number): void {
    const kind = this.#rare.kind[row]!;
    if (marksLoss(kind)) this.#lost.mark(this.#rare.index[row]!);
    else this.solver.rare(row);
  }
}
