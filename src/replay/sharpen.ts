/**
 * Finds, within the time a copy may have been taken at, when it was taken.
 *
 * Copies that were placed by agreement (recording/agreement.ts) have brackets as wide as their stamps
 * are coarse. The replay knows the free lists up to blocks it has not seen: simulation minus copy, per
 * zone and order, is the same for neighbouring copies if both are looked at when they were taken, and
 * hardly ever otherwise. So each copy's instant is the one whose difference its neighbours can come
 * closest to within their own brackets. Looking is cheap in a forward pass; a few passes narrow it down.
 *
 * All copies share one distance of clocks, so the instants must lie equally far behind their stamps, up
 * to what the stamps cannot tell apart. Copies that fall out of line are sought again in line.
 */
import { byPlace, isVague, type PlacedSnapshot } from './place.js';
import type { PlacedCopy } from './reconcile.js';

/** Looks at a copy in one pass. */
const LOOKS = 48;
/** Copies before and after one that are compared with it. */
const NEIGHBOURS = 4;
/** Each narrows a bracket to two steps between looks. */
export const SHARPENING_PASSES = 4;
/** Share of the copies that must be in line before the others are brought there. */
const MOST = 0.6;

/** A copy, the span it is sought in, and the free lists at instants of that span. */
export interface SoughtCopy {
  readonly copy: PlacedCopy;
  fromNs: number;
  toNs: number;
  /** Its bracket, as far as it lies in the trace. */
  readonly firstNs: number;
  readonly lastNs: number;
  /** Simulated counts at each look (zone * orders + order), filled by the pass. */
  readonly looks: Int32Array[];
}

/** The spans to begin with. */
export function soughtCopies(
  copies: readonly PlacedCopy[],
  trace: { readonly firstNs: number; readonly lastNs: number },
): SoughtCopy[] {
  return copies.filter(isVague).flatMap((copy) => {
    const firstNs = Math.max(copy.snapshot.time.beginNs, trace.firstNs);
    const lastNs = Math.min(copy.snapshot.time.endNs, trace.lastNs);
    if (lastNs < firstNs) return [];
    return { copy, fromNs: firstNs, toNs: lastNs, firstNs, lastNs, looks: [] };
  });
}

/** Instants at which to look at a copy in the next pass. */
export function lookTimes({ fromNs, toNs }: SoughtCopy): number[] {
  const step = (toNs - fromNs) / (LOOKS - 1);
  return Array.from({ length: LOOKS }, (_, k) => fromNs + k * step);
}

/** Narrows every span to the looks beside the one that suits its neighbours best. */
export function narrowSpans(sought: readonly SoughtCopy[], orders: number): void {
  const differences = sought.map(({ copy, looks }) => looks.map((raw) => minus(raw, copy.counts)));
  const common = commonLook(sought, differences, orders);
  const spans = sought.map((one, i) => {
    const times = lookTimes(one);
    if (common !== null) {
      const half = Math.max(times[1]! - times[0]!, stampRoom(one.copy));
      return { fromNs: times[common]! - half, toNs: times[common]! + half };
    }
    const { from, to } = bestLook(differences, i, orders);
    return {
      fromNs: times[Math.max(0, from - 1)]!,
      toNs: times[Math.min(times.length - 1, to + 1)]!,
    };
  });
  const line = commonLine(sought, spans);
  sought.forEach((one, i) => {
    const { beginNs } = one.copy.snapshot.time;
    const { fromNs, toNs } = spans[i]!;
    const low = Math.max(one.firstNs, beginNs + line.from);
    const high = Math.min(one.lastNs, beginNs + line.to);
    const inLine = fromNs <= high && toNs >= low;
    one.fromNs = inLine ? Math.max(fromNs, low) : low;
    one.toNs = inLine ? Math.min(toNs, high) : high;
    one.looks.length = 0;
  });
}

/** Stamps that leave less room than this share of what is looked through are all equally far off. */
const LITTLE_ROOM = 0.1;

/** Where neighbours differ least if all are looked at equally far behind their stamps; null if stamps are coarse. */
function commonLook(
  sought: readonly SoughtCopy[],
  differences: readonly (readonly Int32Array[])[],
  orders: number,
): number | null {
  const room = Math.max(...sought.map(({ copy }) => stampRoom(copy)));
  if (sought.some(({ firstNs, lastNs }) => room > LITTLE_ROOM * (lastNs - firstNs))) return null;
  let best = Number.POSITIVE_INFINITY;
  let at = 0;
  for (let look = 0; look < LOOKS; look++) {
    let sum = 0;
    for (let i = 1; i < differences.length; i++) {
      sum += nearest(differences[i - 1]![look]!, [differences[i]![look]!], orders);
    }
    if (sum >= best) continue;
    best = sum;
    at = look;
  }
  return at;
}

interface Span {
  readonly fromNs: number;
  readonly toNs: number;
}

/**
 * Where behind the begin of their brackets the copies were taken, all of them: the window, as long as
 * the room their stamps leave, that most spans meet. Unbounded if most meet none.
 */
function commonLine(
  sought: readonly SoughtCopy[],
  spans: readonly Span[],
): { from: number; to: number } {
  const room = Math.max(...sought.map(({ copy }) => stampRoom(copy)));
  // A window that begins between from - room and to meets a span.
  const edges = sought
    .flatMap(({ copy }, i) => {
      const { beginNs } = copy.snapshot.time;
      return [
        { at: spans[i]!.fromNs - beginNs - room, step: 1 },
        { at: spans[i]!.toNs - beginNs, step: -1 },
      ];
    })
    .sort((a, b) => a.at - b.at || b.step - a.step);
  let count = 0;
  let most = 0;
  let from = Number.NEGATIVE_INFINITY;
  let to = Number.POSITIVE_INFINITY;
  edges.forEach(({ at, step }, i) => {
    count += step;
    if (count <= most || step < 0) return;
    most = count;
    from = at;
    to = edges[i + 1]!.at + room;
  });
  if (most >= MOST * sought.length) return { from, to };
  return { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
}

/** What a copy's stamp cannot tell apart, ns. */
function stampRoom({ snapshot: { time } }: PlacedCopy): number {
  return Math.min(time.endNs - time.beginNs, time.resolutionNs);
}

/** Simulation minus copy; 0 for zones the copy lacks. */
function minus(raw: Int32Array, counts: Int32Array): Int32Array {
  return raw.map((count, cell) => (counts[cell]! < 0 ? 0 : count - counts[cell]!));
}

/** The first and last of the looks at copy i that suit its neighbours best. */
function bestLook(
  differences: readonly (readonly Int32Array[])[],
  i: number,
  orders: number,
): { from: number; to: number } {
  const first = Math.max(0, i - NEIGHBOURS);
  const neighbours = differences.slice(first, i + NEIGHBOURS + 1).filter((_, k) => first + k !== i);
  let best = Number.POSITIVE_INFINITY;
  let from = 0;
  let to = LOOKS - 1;
  differences[i]!.forEach((mine, look) => {
    const far = neighbours.reduce(
      (sum, theirs) => (sum < best ? sum + nearest(mine, theirs, orders) : sum),
      0,
    );
    if (neighbours.length === 0 || far > best) return;
    if (far < best) from = look;
    best = far;
    to = look;
  });
  return { from, to };
}

/** Distance to the closest of a neighbour's differences, in pages. */
function nearest(mine: Int32Array, theirs: readonly Int32Array[], orders: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (const other of theirs) {
    let distance = 0;
    for (let cell = 0; cell < mine.length && distance < best; cell++) {
      distance += Math.abs(mine[cell]! - other[cell]!) * 2 ** (cell % orders);
    }
    if (distance < best) best = distance;
  }
  return best;
}

/** Snapshots with the spans found; those of other kinds share the span of a copy with their stamps. */
export function withSpans(
  placed: readonly PlacedSnapshot[],
  sought: readonly SoughtCopy[],
  indexAt: (timeNs: number) => number,
): PlacedSnapshot[] {
  const key = ({ snapshot: { time } }: Pick<PlacedSnapshot, 'snapshot'>): string =>
    `${time.beginNs} ${time.endNs}`;
  const found = new Map(sought.map((one) => [key(one.copy), one]));
  return placed
    .map((one) => {
      const span = isVague(one) ? found.get(key(one)) : undefined;
      if (span === undefined) return one;
      const { fromNs, toNs } = span;
      return { ...one, timeNs: fromNs, beginIndex: indexAt(fromNs), endIndex: indexAt(toNs) };
    })
    .sort(byPlace);
}
