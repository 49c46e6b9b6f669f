/**
 * What is learnt from the recording by walking through it without observers, before the walk that is shown.
 */
import { buddyinfoCopies } from './copies.js';
import { runForward } from './forward.js';
import { LiveState } from './live-state.js';
import type { PlacedSnapshot } from './place.js';
import { lookIndices, type PlacedCopy, ResidualProbe } from './reconcile.js';
import { completeFromCopy } from './seed.js';
import { lookTimes, narrowSpans, SHARPENING_PASSES, soughtCopies, withSpans } from './sharpen.js';
import type { ReplayStop } from './stops.js';
import type { Walker } from './walker.js';

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

/** Pages that were free from the start, by the first copy of buddyinfo. */
export function completion(walker: Walker, copy: PlacedCopy | undefined): readonly number[] {
  if (!copy) return [];
  const { fates, survey } = walker.ground;
  const { events, snapshots } = walker.input;
  const zoneinfo = snapshots.find((s) => s.kind === 'zoneinfo');
  const core = walker.touchedCore();
  return completeFromCopy(core, fates, copy, zoneinfo?.zones ?? [], () =>
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

function solveOnce(walker: Walker, copies: readonly PlacedCopy[]): ResidualProbe[] {
  const { ground, learnt } = walker;
  const { zones, orders } = ground.geometry;
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
  });
  if (!ground.causal) {
    learnt.needs = hidden.solver.needs;
    learnt.reservedBefore = [...learnt.reservedBefore, ...core.reservedBefore];
  }
  learnt.errors = core.errors;
  return probes;
}
