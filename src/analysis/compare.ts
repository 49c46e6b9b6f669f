/**
 * Two recordings side by side: what differs in machine, kernel, settings and load, then how each
 * order fared, how much room there was, how broken up free memory was, and whose pages pinned it.
 *
 * Positions in two runs are compared by the phases that both mark (`phase NAME`), else by the share
 * of the run that has passed: position 0 is the start of each, 1 the end. Nothing is measured anew.
 */
import { unusableIndex, unusableIndexBounds } from '../kernel/fragmentation-index.js';
import { copiesVerdict } from './compare-copies.js';
import { type Difference, differences } from './compare-facts.js';
import { sure } from './failure-totals.js';
import type { FailureTotal, Headroom, ReportData, ReportInput } from './report-data.js';
import { PLAIN } from './request-classes.js';
import { bytesText, digits, duration, ordersText, percent, plural, worded } from './words.js';
import { headroomOf, keptHeadroom, leastIn } from './zone-headroom.js';

export const COMPARE_SCHEMA = 1;
/** Positions at which series are compared. */
const STEPS = 240;
const HOLDERS = 12;
/** A change of failing time smaller than this share of the run is no change. */
const SAME = 0.002;
/** Part of a share within which two are the same. */
const SAME_PART = 0.05;

export interface OrderComparison {
  readonly order: number;
  /** Share of the run that fails, and its time in ns; [A, B]. */
  readonly share: readonly [number, number];
  /** The part of `share` that holds whatever the bounds of the reconstruction. */
  readonly certain: readonly [number, number];
  readonly ns: readonly [number, number];
  readonly windows: readonly [number, number];
  readonly longestNs: readonly [number, number];
  /** Atomic requests of this order the kernel itself refused. */
  readonly refused: readonly [number, number];
}

export interface HolderComparison {
  readonly comm: string;
  /** Immovable pages at the end, and of these in movable pageblocks; [A, B]. */
  readonly pages: readonly [number, number];
  readonly mixed: readonly [number, number];
  /** Of `pages`, those that may have been freed while events were lost. */
  readonly doubtful: readonly [number, number];
}

/** What the bounds of a reconstruction leave open, by position; null where nothing is known. */
export interface SeriesBounds {
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

/** Values by position; null where an input has none. */
export interface ComparedSeries {
  readonly order: number;
  readonly a: readonly (number | null)[];
  readonly b: readonly (number | null)[];
  /** Of a and of b. */
  readonly bounds: readonly [SeriesBounds, SeriesBounds];
}

export interface Comparison {
  readonly schema: typeof COMPARE_SCHEMA;
  readonly titles: readonly [string, string];
  readonly verdict: string;
  readonly tone: 'good' | 'bad' | 'warn' | 'unknown';
  readonly paragraphs: readonly string[];
  readonly differences: readonly Difference[];
  readonly gfp: string;
  readonly alignment: { readonly method: 'phases' | 'share'; readonly phases: readonly string[] };
  readonly orders: readonly OrderComparison[];
  /** Least headroom in each step, requests in a row. */
  readonly headroom: readonly ComparedSeries[];
  /** Unusable free space index of all zones together, 0 to 1. */
  readonly unusable: readonly ComparedSeries[];
  readonly holders: readonly HolderComparison[];
  /** Positions of the series at which events were lost; [A, B]. */
  readonly lost: readonly [readonly number[], readonly number[]];
  /** Bytes in a page of A, which B shares or `differences` says so. */
  readonly pageSize: number;
  /** Where each came from; [A, B]. */
  readonly provenance: readonly [Provenance, Provenance];
}

export interface Provenance {
  readonly release: string | null;
  readonly profile: string;
  readonly why: string;
  readonly inputs: readonly Pick<ReportInput, 'name' | 'format' | 'bytes' | 'sha256'>[];
  readonly limits: readonly string[];
}

type Pair<T> = readonly [T, T];

/** @param gfp the request that is compared: both were judged for it. */
export function compareReports(a: ReportData, b: ReportData, gfp: string = PLAIN): Comparison {
  const both: Pair<ReportData> = [a, b];
  const phases = commonPhases(a, b);
  const orders = compareOrders(both, gfp);
  const places: Pair<readonly number[]> = [bucketsByStep(a, phases), bucketsByStep(b, phases)];
  const shown = ordersOfInterest(orders);
  const found = differences(a, b);
  return {
    schema: COMPARE_SCHEMA,
    titles: [a.title, b.title],
    ...verdictOf(orders, both, gfp),
    paragraphs: paragraphsOf(orders, found, phases),
    differences: found,
    gfp,
    alignment: { method: phases.length > 0 ? 'phases' : 'share', phases },
    orders,
    headroom: shown.map((order) => series(both, places, order, leastHeadroom(gfp))),
    unusable: shown.map((order) => series(both, places, order, unusable)),
    holders: compareHolders(both),
    lost: [lostSteps(a, places[0]), lostSteps(b, places[1])],
    pageSize: a.pageSize,
    provenance: [provenanceOf(a), provenanceOf(b)],
  };
}

/** Inputs with events or snapshots: those the comparison rests on. */
function provenanceOf({ kernel, inputs, limits }: ReportData): Provenance {
  return {
    release: kernel.release,
    profile: kernel.profile,
    why: kernel.why,
    inputs: inputs
      .filter((input) => input.events > 0 || input.snapshots > 0)
      .map(({ name, format, bytes, sha256 }) => ({ name, format, bytes, sha256 })),
    limits,
  };
}

const PHASE = /^phase\s+(.{1,60})$/;

function phaseTimes(data: ReportData): Map<string, number> {
  const times = new Map<string, number>();
  for (const { timeNs, text } of data.timeline.markers) {
    const name = PHASE.exec(text.trim())?.[1];
    if (name !== undefined && !times.has(name)) times.set(name, timeNs);
  }
  return times;
}

/** Names of phases that both mark, in the order of A, if B has them in that order too. */
function commonPhases(a: ReportData, b: ReportData): string[] {
  const inB = phaseTimes(b);
  const common = [...phaseTimes(a).keys()].filter((name) => inB.has(name));
  const ordered = common.every((name, i) => i === 0 || inB.get(common[i - 1]!)! < inB.get(name)!);
  return ordered ? common : [];
}

/** Bucket of the timeline at the end of each step. */
function bucketsByStep(data: ReportData, phases: readonly string[]): number[] {
  const { timeline, span } = data;
  const times = phaseTimes(data);
  const knots = [span.fromNs, ...phases.map((name) => times.get(name)!), span.toNs];
  const parts = knots.length - 1;
  return Array.from({ length: STEPS }, (_, step) => {
    const at = ((step + 1) / STEPS) * parts;
    const part = Math.min(parts - 1, Math.floor(at));
    const from = knots[part]!;
    const timeNs = from + (knots[part + 1]! - from) * Math.min(1, at - part);
    const bucket = Math.floor((timeNs - timeline.fromNs) / timeline.bucketNs);
    return Math.max(0, Math.min(timeline.buckets - 1, bucket));
  });
}

/** Steps in which some event was lost. */
function lostSteps({ timeline }: ReportData, places: readonly number[]): number[] {
  const bucket = (ns: number): number => Math.floor((ns - timeline.fromNs) / timeline.bucketNs);
  return places.flatMap((to, step) => {
    const from = step === 0 ? 0 : places[step - 1]! + 1;
    const some = timeline.lost.some((l) => bucket(l.fromNs) <= to && bucket(l.toNs) >= from);
    return some ? [step] : [];
  });
}

interface Bounded {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

type Read = (data: ReportData, order: number, from: number, to: number) => Bounded | null;

function series(
  both: Pair<ReportData>,
  places: Pair<readonly number[]>,
  order: number,
  read: Read,
): ComparedSeries {
  const side = (i: 0 | 1): (Bounded | null)[] =>
    places[i].map((to, step) => {
      const from = Math.min(to, step === 0 ? 0 : places[i][step - 1]! + 1);
      return order < both[i].orders ? read(both[i], order, from, to) : null;
    });
  const [a, b] = [side(0), side(1)];
  const plane = (found: readonly (Bounded | null)[], of: keyof Bounded): (number | null)[] =>
    found.map((one) => one?.[of] ?? null);
  const bounds = (found: readonly (Bounded | null)[]): SeriesBounds => ({
    low: plane(found, 'low'),
    high: plane(found, 'high'),
  });
  return { order, a: plane(a, 'value'), b: plane(b, 'value'), bounds: [bounds(a), bounds(b)] };
}

function leastHeadroom(gfp: string): Read {
  const reckoned = new Map<ReportData, Headroom>();
  return (data, order, from, to) => {
    if (keptHeadroom(data.headroom, gfp)?.min[order] === undefined) return null;
    const headroom = reckoned.get(data) ?? headroomOf(data, gfp, null);
    reckoned.set(data, headroom);
    const found = headroom.min[order]!.slice(from, to + 1).map((_, i) =>
      leastIn(headroom, order, from + i),
    );
    if (found.length === 0) return null;
    const least = (of: 'least' | 'low' | 'high'): number =>
      Math.min(...found.map((one) => one[of]));
    return { value: least('least'), low: least('low'), high: least('high') };
  };
}

const unusable: Read = (data, order, _from, to) => {
  const zones = data.timeline.zones;
  if (zones.every((zone) => zone.certainty[to] === 'u')) return null;
  const sum = (plane: 'last' | 'low' | 'high'): number[] =>
    Array.from({ length: data.orders }, (_, q) =>
      zones.reduce((total, zone) => total + ((zone[plane] ?? zone.last)[q]?.[to] ?? 0), 0),
    );
  const [low, high] = unusableIndexBounds(sum('low'), sum('high'), order);
  return { value: unusableIndex(sum('last'), order) / 1000, low: low / 1000, high: high / 1000 };
};

function compareOrders(both: Pair<ReportData>, gfp: string): OrderComparison[] {
  const top = Math.min(both[0].orders, both[1].orders);
  const rows: OrderComparison[] = [];
  for (let order = 1; order < top; order++) {
    const totals = both.map((data) =>
      data.totals.find((total) => total.order === order && total.gfp === gfp),
    );
    const pair = (value: (i: 0 | 1) => number): Pair<number> => [value(0), value(1)];
    rows.push({
      order,
      share: pair((i) => totals[i]?.share ?? 0),
      certain: pair((i) => certainShare(totals[i])),
      ns: pair((i) => totals[i]?.ns ?? 0),
      windows: pair((i) => totals[i]?.windows ?? 0),
      longestNs: pair((i) => totals[i]?.longestNs ?? 0),
      refused: pair((i) => refusedOf(both[i], order)),
    });
  }
  return rows;
}

function certainShare(total: FailureTotal | undefined): number {
  return total && total.ns > 0 ? (total.share * total.exactNs) / total.ns : 0;
}

function refusedOf(data: ReportData, order: number): number {
  return data.attempts.counts.reduce(
    (sum, c) => (c.class === 'atomic' && c.order === order ? sum + c.failed : sum),
    0,
  );
}

/** Order 3, and the lowest order that differs. */
function ordersOfInterest(orders: readonly OrderComparison[]): number[] {
  const shown = new Set<number>();
  const differing = orders.find(({ share }) => differs(share));
  if (differing) shown.add(differing.order);
  if (orders.some(({ order }) => order === 3)) shown.add(3);
  return [...shown].sort((x, y) => x - y);
}

function compareHolders(both: Pair<ReportData>): HolderComparison[] {
  type Sides = Record<'pages' | 'mixed' | 'doubtful', [number, number]>;
  const rows = new Map<string, Sides>();
  both.forEach((data, side) => {
    for (const holder of data.holders?.holders ?? []) {
      if (holder.migratetype === 'Movable' || holder.pages <= 0) continue;
      const row = rows.get(holder.comm) ?? { pages: [0, 0], mixed: [0, 0], doubtful: [0, 0] };
      const i = side === 0 ? 0 : 1;
      row.pages[i] += holder.pages;
      row.mixed[i] += holder.mixedPages;
      row.doubtful[i] += (holder.spread ?? [])
        .flatMap((part) => part.doubtful)
        .reduce((sum, pages) => sum + pages, 0);
      rows.set(holder.comm, row);
    }
  });
  const weight = ({ pages }: { pages: Pair<number> }): number => Math.max(...pages);
  return [...rows]
    .sort((x, y) => weight(y[1]) - weight(x[1]) || (x[0] < y[0] ? -1 : 1))
    .slice(0, HOLDERS)
    .map(([comm, row]) => ({ comm, ...row }));
}

/** More than a share of the run that means nothing, and more than a small part of the share itself. */
function differs([a, b]: Pair<number>): boolean {
  return Math.abs(a - b) > Math.max(SAME, Math.max(a, b) * SAME_PART);
}

function verdictOf(
  orders: readonly OrderComparison[],
  both: Pair<ReportData>,
  gfp: string,
): Pick<Comparison, 'verdict' | 'tone'> {
  const copies = copiesVerdict(both[0], both[1], gfp);
  if (copies !== null) return copies;
  const kind = gfp === PLAIN ? 'atomic allocations' : `allocations with ${gfp}`;
  const unknown = both.filter((data) => data.narrative.tone === 'unknown').length;
  if (unknown > 0) {
    const which =
      unknown === 2
        ? 'Neither of the two recordings tells'
        : 'One of the two recordings does not tell';
    return {
      verdict: `${which} enough for a verdict; see each by itself.`,
      tone: 'unknown',
    };
  }
  const noticed = orders.filter(({ share }) => differs(share));
  const better = noticed.filter(({ share }) => share[1] < share[0]);
  const worse = noticed.filter(({ share }) => share[1] > share[0]);
  if (better.length === 0 && worse.length === 0) {
    return {
      verdict: `No order of ${kind} fails for a noticeably different share of the run.`,
      tone: 'warn',
    };
  }
  const words = (row: OrderComparison): string =>
    `${bytesText(2 ** row.order * both[0].pageSize)} fails for ${percent(row.share[1])} of the run instead of ${percent(row.share[0])}`;
  const doubt = noticed.some(estimate)
    ? ' Not all of this is certain: the table says how much.'
    : '';
  const list = (rows: readonly OrderComparison[]): string =>
    `${ordersText(rows.map(({ order }) => order))} (${words(rows[0]!)})`;
  if (worse.length === 0) {
    return { verdict: `B fails less: ${kind} of ${list(better)}.${doubt}`, tone: 'good' };
  }
  if (better.length === 0) {
    return { verdict: `B fails more: ${kind} of ${list(worse)}.${doubt}`, tone: 'bad' };
  }
  return {
    verdict: `B fails less at ${list(better)}, but more at ${list(worse)}.${doubt}`,
    tone: 'warn',
  };
}

/** On one side at least the figures are no more than that. */
function estimate({ ns, share, certain }: OrderComparison): boolean {
  return ([0, 1] as const).some((i) => ns[i] > 0 && !sure({ ns: share[i], exactNs: certain[i] }));
}

function paragraphsOf(
  orders: readonly OrderComparison[],
  found: readonly Difference[],
  phases: readonly string[],
): string[] {
  const text: string[] = [];
  const heavy = found.filter(({ weighs }) => weighs).map(({ what }) => what);
  text.push(
    heavy.length > 0
      ? `The runs are not alike in ${heavy.join(', ')}: what differs below may come from there as well as from the change under test.`
      : 'Machine, kernel, settings and load are alike as far as the inputs tell.',
  );
  const worst = [...orders].sort(
    (x, y) => Math.abs(y.share[0] - y.share[1]) - Math.abs(x.share[0] - x.share[1]),
  )[0];
  if (worst && Math.abs(worst.share[0] - worst.share[1]) > SAME) {
    const certain = !estimate(worst);
    const factor = worst.share[1] > 0 ? worst.share[0] / worst.share[1] : null;
    const times =
      factor === null || factor === 0
        ? ''
        : `, ${worded(digits(Math.max(factor, 1 / factor)), certain)} times ${factor > 1 ? 'less' : 'as much'}`;
    const time = (ns: number): string =>
      ns === 0 ? 'no failing at all' : `${worded(duration(ns), certain)} of failing`;
    text.push(
      `The largest change is at order ${worst.order}: ${time(worst.ns[0])} in A, ${time(worst.ns[1])} in B${times === '' ? '' : `${times} as a share of the run`}.`,
    );
  }
  text.push(
    phases.length > 0
      ? `Series are aligned by the ${plural(phases.length, 'phase')} that both recordings mark (${phases.join(', ')}).`
      : 'The recordings share no phase markers, so series are aligned by the share of the run that has passed.',
  );
  return text;
}
