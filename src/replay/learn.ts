/**
 * What is learnt from the recording by walking through it without observers, before the walk that is shown.
 */
import { buddyinfoCopies } from './copies.js';
import type { ReplayCore } from './core.js';
import { runForward } from './forward.js';
import { LiveState } from './live-state.js';
import type { PlacedSnapshot } from './place.js';
import { lookIndices, type PlacedCopy, ResidualProbe } from './reconcile.js';
import { completeFromCopy } from './seed.js';
import { lookTimes, narrowSpans, SHARPENING_PASSES, soughtCopies, withSpans } from './sharpen.js';
import type { ReplayStop } from './stops.js';
import type { HiddenActors, Walker } from './walker.js';

/** Snapshots whose stamps leave them much room, where the replay finds them (sharpen.ts). */
export function sharpened(walker: Walker): readonly PlacedSnapshot[] {
  const { placed, geometry, survey, finder, level, causal } = walker.ground;
  const sought = soughtCopies(buddyinfoCopies(placed, geometry), survey);
  if (sought.length < 2 || level === 'snapshots' || causal) return placed;
  for (let pass = 0; pass < SHARPENING_PASSES; pass++) {
    const core = walker.touchedCore();
    const state = new LiveState(core, walker.marks());
    const looks = sought.flatMap((one): ReplayStop[] => {
      const run = (): void => void one.looks.push(state.sumRaw().slice());
      return lookTimes(one).map((timeNs) => ({ index: finder.indexAt(timeNs), timeNs, run }));
    });
    walker.pass(core, looks, {
      onStop: (stop) => stop.run(state),
      onRare: () => {},
      untilLastStop: true,
    });
    narrowSpans(sought, geometry.orders);
  }
  return withSpans(placed, sought, (timeNs) => finder.indexAt(timeNs));
}

/** Smallest orders of which blocks are completed, as tried in turn; the last one completes none. */
const FLOORS = [1, 4, 8, Number.POSITIVE_INFINITY];
/** Copies by which it is judged how well a try does. */
const JUDGED_COPIES = 64;

/**
 * Pages that were free from the start, by a copy of buddyinfo (seed.ts). On a machine that has just booted large blocks
 * are rightly completed; on one whose memory is in pieces most would be wrong. So both the first copy of all and the first
 * within the trace are tried, with fewer and fewer orders; the try is taken that leaves most counts as far off at one copy as
 * at the next: what is at its right place is neither split nor merged in another way than in the kernel.
 */
export function completion(walker: Walker, copies: readonly PlacedCopy[]): readonly number[] {
  const first = copies[0];
  if (!first) return [];
  const { index } = walker.ground.beginning;
  const inside = copies.filter(({ beginIndex }) => beginIndex > index);
  const bases = [...new Set([first, inside[0] ?? first])];
  const tries = distinct(bases.flatMap((copy) => triesBy(walker, copy)));
  if (tries.length === 1 || inside.length < 2) return tries[0]!;
  const judges = inside.slice(0, JUDGED_COPIES);
  const steps = tries.map((pages) => stepsBetween(walker, judges, pages));
  return tries[steps.indexOf(Math.min(...steps))]!;
}

/** What may have been free by this copy, with fewer and fewer orders. */
function triesBy(walker: Walker, copy: PlacedCopy): number[][] {
  const { fates, survey } = walker.ground;
  const { events, snapshots } = walker.input;
  const zoneinfo = snapshots.find((s) => s.kind === 'zoneinfo')?.zones ?? [];
  const core = walker.touchedCore();
  const { cma, byOrder } = completeFromCopy(core, fates, copy, zoneinfo, () =>
    runForward({
      source: events,
      core,
      fates,
      rare: survey.rare,
      stops: new Float64Array(0),
      onStop: () => {},
      onRare: () => {},
      end: copy.beginIndex,
    }),
  );
  return FLOORS.map((floor) => [...cma, ...byOrder.slice(floor).flat()]);
}

function distinct(tries: readonly number[][]): number[][] {
  const same = (a: readonly number[], b: readonly number[]): boolean =>
    a.length === b.length && a.every((page, i) => page === b[i]);
  return tries.filter((pages, k) => !tries.slice(0, k).some((other) => same(other, pages)));
}

/** How many counts are not as far off at a copy as at the one before, with these pages free from the start. */
function stepsBetween(
  walker: Walker,
  copies: readonly PlacedCopy[],
  pages: readonly number[],
): number {
  walker.learnt.completion = pages;
  const residuals = measure(walker, copies, true).probes.map(({ residual }) => residual);
  return residuals.reduce((sum, here, i) => {
    const before = residuals[i - 1] ?? here;
    return sum + here.filter((blocks, cell) => blocks !== before[cell]).length;
  }, 0);
}

/**
 * Walks until nothing new is learnt of compaction, or so many times; returns the residuals of the last walk.
 * @param runs walks at most.
 */
export function solve(
  walker: Walker,
  copies: readonly PlacedCopy[],
  runs: number,
  phase: (name: string) => void,
): ResidualProbe[] {
  let probes: ResidualProbe[] = [];
  for (let run = 0; run < runs; run++) {
    phase(`solve ${run + 1} of ${runs}`);
    const known = walker.learnt.needs;
    probes = solveOnce(walker, copies);
    if (walker.learnt.needs === known) break;
  }
  return probes;
}

interface Measured {
  readonly core: ReplayCore;
  readonly hidden: HiddenActors;
  readonly probes: ResidualProbe[];
}

function solveOnce(walker: Walker, copies: readonly PlacedCopy[]): ResidualProbe[] {
  const { ground, learnt } = walker;
  const { core, hidden, probes } = measure(walker, copies);
  if (!ground.causal) {
    learnt.needs = hidden.solver.needs;
    learnt.reservedBefore = [...learnt.reservedBefore, ...core.reservedBefore];
  }
  learnt.errors = core.errors!;
  return probes;
}

/** One walk past the copies, and to its end. */
function measure(walker: Walker, copies: readonly PlacedCopy[], untilLastCopy = false): Measured {
  const { zones, orders } = walker.ground.geometry;
  const core = walker.seededCore();
  core.errors = [];
  const state = new LiveState(core, walker.marks());
  const hidden = walker.hidden(core);
  const probes = copies.map((copy) => new ResidualProbe(copy, zones.length, orders));
  const looks = probes.flatMap((probe): ReplayStop[] => {
    const run = (): void => probe.look(state.sumRaw());
    return lookIndices(probe.copy).map((index) => ({ index, timeNs: probe.copy.timeNs, run }));
  });
  walker.pass(core, looks, {
    onStop: (stop) => stop.run(state),
    onRare: (row) => hidden.at(row),
    ...(untilLastCopy && { untilLastStop: true as const }),
  });
  return { core, hidden, probes };
}
