/**
 * Verification: how well the reconstruction agrees with the recording itself.
 *
 * Each later snapshot and each recorded attempt is hidden, predicted, and then compared. Snapshots:
 * blocks per zone and order at the copy, exact or not, and the L1 distance (sum over orders of
 * |difference| * 2^order) relative to free pages; a zone was read at one instant between the copy's
 * begin and end, so the nearest of all instants in between counts. Attempts: verdict against the kernel's own answer.
 */
import { type DetectedProfile, detectProfile } from '../kernel/detect-profile.js';
import { EventKind } from '../records/events.js';
import { isPageMap } from '../records/page-claims.js';
import type { BuddyinfoSnapshot, Snapshot } from '../records/snapshot.js';
import { NS_PER_S } from '../records/time.js';
import { findPageblockOrder } from '../replay/geometry.js';
import { observeKernel } from '../replay/observations.js';
import type { ReplayState, Residual } from '../replay/observer.js';
import { type PlacedSnapshot, placeSnapshots } from '../replay/place.js';
import { lookIndices } from '../replay/reconcile.js';
import {
  type Reconstruction,
  type ReplayInput,
  type ReplayOptions,
  type ReplayStop,
  reconstruct,
} from '../replay/reconstruct.js';
import { surveyEvents } from '../replay/survey.js';
import { type HiddenAttempt, hideAttempts } from './hide.js';
import type { VerdictWord } from './types.js';
import { RequestJudge } from './verdict.js';

/** Which buddyinfo copies may correct the state: the first only, one in each span, or all. */
export type HideRule = { readonly keep: 'first' | 'all' } | { readonly everyNs: number };

/** What to hide, and how to replay. */
export interface VerifyOptions extends ReplayOptions {
  readonly hide: HideRule;
  /** Hide later copies of single pages (kpageflags …) too (default true unless nothing is hidden). */
  readonly hideFreeMaps?: boolean;
}

/** A hidden copy of buddyinfo against what was reconstructed. */
export interface CopyCheck {
  readonly timeNs: number;
  readonly exact: boolean;
  readonly l1Pages: number;
  readonly freePages: number;
  /** (zone, order) cells, how many lie within the bounds, and the bounds' width in pages. */
  readonly cells: number;
  readonly covered: number;
  readonly widthPages: number;
  /** The cells that differ: `DMA32 order 3: +1` = the estimate has one block more. */
  readonly differences: readonly string[];
}

export interface OrderMatrix {
  readonly order: number;
  failedFound: number;
  failedMissed: number;
  failedUndetermined: number;
  servedRight: number;
  falseAlarms: number;
  servedUndetermined: number;
}

/** How well the reconstruction agrees with what was hidden from it. */
export interface VerifyResult {
  readonly schema: 1;
  readonly level: string;
  readonly seed: string;
  readonly kernel: string;
  readonly copies: readonly CopyCheck[];
  readonly visibleCopies: number;
  readonly matrix: readonly OrderMatrix[];
  /** Served atomic requests that kept their memory: they cannot be hidden and are not judged. */
  readonly keptRequests: number;
  /** simulation against the visible copies, before they corrected it. */
  readonly residuals: readonly Residual[];
  readonly summary: VerifySummary;
}

export interface VerifySummary {
  readonly copies: number;
  readonly exact: number;
  /** Relative L1 distance, percent of free pages. */
  readonly l1Median: number;
  readonly l1P90: number;
  readonly l1Max: number;
  readonly coveredShare: number;
  /** Mean width of the bounds, percent of free pages. */
  readonly width: number;
  readonly attempts: number;
  readonly failed: number;
  readonly found: number;
  readonly falseAlarms: number;
  readonly undetermined: number;
}

interface Look {
  readonly copy: PlacedSnapshot & { readonly snapshot: BuddyinfoSnapshot };
  best: CopyCheck | null;
}

/** Hides copies and attempts, predicts them, and compares. */
export function verify(input: ReplayInput, options: VerifyOptions): VerifyResult {
  const { survey: known, ...rest } = input;
  const survey = known ?? surveyEvents(input.events);
  const { switches } = profileFor(survey, input, options).profile;
  const pcpOrders = survey.pcpOrders(switches, findPageblockOrder(survey, input.snapshots));
  const removals = survey.kinds[EventKind.zoneLocked]! > 0;
  const hidden = hideAttempts(input.events, input.strings, switches, pcpOrders, removals);
  try {
    const snapshots = input.snapshots.map((s) => moveSnapshot(s, hidden.indexOf));
    const { visible, held } = chooseCopies(snapshots, options);
    const replay = reconstruct({ ...rest, events: hidden.events, snapshots: visible }, options);
    const looks = placeSnapshots(hidden.events, held).map(
      (p): Look => ({ copy: p as Look['copy'], best: null }),
    );
    const matrix = new Map<number, OrderMatrix>();
    const judges = new Map<string, RequestJudge>();
    const stops = [
      ...looks.flatMap((look) => lookStops(look)),
      ...hidden.attempts.map((a) => attemptStop(a, switches, judges, matrix)),
    ];
    replay.run([], stops);
    replay.close();
    return summarise(replay, looks, matrix, hidden.kept, visible);
  } finally {
    hidden.events.close();
  }
}

function profileFor(
  survey: ReturnType<typeof surveyEvents>,
  input: ReplayInput,
  options: ReplayOptions,
): DetectedProfile {
  return detectProfile(observeKernel(survey, input.snapshots), {
    ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
    overrides: options.profile ?? [],
  });
}

/** Event indices of a snapshot's place, after events were taken out. */
function moveSnapshot(snapshot: Snapshot, indexOf: (full: number) => number): Snapshot {
  const { beginEvent, endEvent } = snapshot.time;
  if (typeof beginEvent !== 'number' || typeof endEvent !== 'number') return snapshot;
  const time = { ...snapshot.time, beginEvent: indexOf(beginEvent), endEvent: indexOf(endEvent) };
  return { ...snapshot, time };
}

function chooseCopies(
  snapshots: readonly Snapshot[],
  options: VerifyOptions,
): { visible: Snapshot[]; held: Snapshot[] } {
  const { hide } = options;
  const hideMaps = options.hideFreeMaps ?? !('keep' in hide && hide.keep === 'all');
  const visible: Snapshot[] = [];
  const held: Snapshot[] = [];
  const maps = new Set<string>();
  let lastKept = Number.NEGATIVE_INFINITY;
  let copies = 0;
  for (const snapshot of snapshots) {
    if (isPageMap(snapshot) && hideMaps) {
      if (maps.has(snapshot.kind)) continue;
      maps.add(snapshot.kind);
    }
    if (snapshot.kind !== 'buddyinfo') {
      if (
        snapshot.kind !== 'zoneinfo' ||
        hideMaps === false ||
        !visible.some((s) => s.kind === 'zoneinfo')
      ) {
        visible.push(snapshot);
      }
      continue;
    }
    const shown =
      'keep' in hide
        ? hide.keep === 'all' || copies === 0
        : snapshot.time.beginNs - lastKept >= hide.everyNs;
    copies++;
    if (shown) {
      lastKept = snapshot.time.beginNs;
      visible.push(snapshot);
    }
    if (!shown || ('keep' in hide && hide.keep === 'all')) held.push(snapshot);
  }
  return { visible, held };
}

function lookStops(look: Look): ReplayStop[] {
  const { timeNs } = look.copy;
  const run = (state: ReplayState): void => {
    const check = compare(state, look.copy);
    if (!look.best || check.l1Pages < look.best.l1Pages) look.best = check;
  };
  return lookIndices(look.copy).map((index) => ({ index, timeNs, run }));
}

function compare(state: ReplayState, copy: Look['copy']): CopyCheck {
  let l1Pages = 0;
  let freePages = 0;
  let cells = 0;
  let covered = 0;
  let widthPages = 0;
  const differences: string[] = [];
  for (const { node, zone, free } of copy.snapshot.zones) {
    const live = state.zones.find((z) => z.node === node && z.zone === zone);
    for (let q = 0; q < free.length; q++) {
      const truth = free[q]!;
      const low = live?.low[q] ?? 0;
      const high = live?.high[q] ?? 0;
      const difference = (live?.free[q] ?? 0) - truth;
      if (difference !== 0) {
        differences.push(`${node}/${zone} order ${q}: ${difference > 0 ? '+' : ''}${difference}`);
      }
      l1Pages += Math.abs(difference) * 2 ** q;
      freePages += truth * 2 ** q;
      cells++;
      if (truth >= low && truth <= high) covered++;
      widthPages += (high - low) * 2 ** q;
    }
  }
  return {
    timeNs: copy.timeNs,
    exact: l1Pages === 0,
    l1Pages,
    freePages,
    cells,
    covered,
    widthPages,
    differences,
  };
}

function attemptStop(
  attempt: HiddenAttempt,
  switches: DetectedProfile['profile']['switches'],
  judges: Map<string, RequestJudge>,
  matrix: Map<number, OrderMatrix>,
): ReplayStop {
  return {
    index: attempt.index,
    timeNs: attempt.timeNs,
    run: (state) => {
      const key = `${attempt.order} ${attempt.gfp}`;
      let judge = judges.get(key);
      if (!judge) {
        judge = new RequestJudge(state, switches, attempt.gfp, attempt.order, 0);
        judges.set(key, judge);
      }
      tally(matrix, attempt, judge.word(state));
    },
  };
}

function tally(matrix: Map<number, OrderMatrix>, attempt: HiddenAttempt, word: VerdictWord): void {
  let row = matrix.get(attempt.order);
  if (!row) {
    row = {
      order: attempt.order,
      failedFound: 0,
      failedMissed: 0,
      failedUndetermined: 0,
      servedRight: 0,
      falseAlarms: 0,
      servedUndetermined: 0,
    };
    matrix.set(attempt.order, row);
  }
  if (attempt.ok) {
    if (word === 'succeeds') row.servedRight++;
    else if (word === 'fails') row.falseAlarms++;
    else row.servedUndetermined++;
  } else if (word === 'fails') row.failedFound++;
  else if (word === 'succeeds') row.failedMissed++;
  else row.failedUndetermined++;
}

function summarise(
  replay: Reconstruction,
  looks: readonly Look[],
  matrix: Map<number, OrderMatrix>,
  kept: number,
  visible: readonly Snapshot[],
): VerifyResult {
  const copies = looks.map((l) => l.best).filter((c): c is CopyCheck => c !== null);
  const rows = [...matrix.values()].sort((a, b) => a.order - b.order);
  const sum = (of: (row: OrderMatrix) => number): number => rows.reduce((n, row) => n + of(row), 0);
  const relative = copies
    .map((c) => (100 * c.l1Pages) / Math.max(1, c.freePages))
    .sort((a, b) => a - b);
  const cells = copies.reduce((n, c) => n + c.cells, 0);
  const failed = sum((r) => r.failedFound + r.failedMissed + r.failedUndetermined);
  const found = sum((r) => r.failedFound);
  const falseAlarms = sum((r) => r.falseAlarms);
  const undetermined = sum((r) => r.failedUndetermined + r.servedUndetermined);
  return {
    schema: 1,
    level: replay.level,
    seed: replay.seed,
    kernel: replay.profile.profile.name,
    copies,
    visibleCopies: visible.filter((s) => s.kind === 'buddyinfo').length,
    matrix: rows,
    keptRequests: kept,
    residuals: replay.residuals,
    summary: {
      copies: copies.length,
      exact: copies.filter((c) => c.exact).length,
      l1Median: quantile(relative, 0.5),
      l1P90: quantile(relative, 0.9),
      l1Max: quantile(relative, 1),
      coveredShare: cells === 0 ? Number.NaN : copies.reduce((n, c) => n + c.covered, 0) / cells,
      width:
        copies.reduce((n, c) => n + (100 * c.widthPages) / Math.max(1, c.freePages), 0) /
        Math.max(1, copies.length),
      attempts: sum((r) => r.servedRight + r.falseAlarms + r.servedUndetermined) + failed,
      failed,
      found,
      falseAlarms,
      undetermined,
    },
  };
}

function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** `all-but-first`, `none`, `every=SECONDS`; null if it is none of them. */
export function parseHideRule(text: string): HideRule | null {
  if (text === 'all-but-first') return { keep: 'first' };
  if (text === 'none') return { keep: 'all' };
  const match = /^every=(\d+(?:\.\d+)?)$/.exec(text);
  return match && Number(match[1]) > 0 ? { everyNs: Number(match[1]) * NS_PER_S } : null;
}
