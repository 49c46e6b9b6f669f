/**
 * Counting: predicted free blocks against a copy, verdicts against the kernel's answers.
 */
import type { ZoneBlocks } from './copies.js';

/** One zone as `state --format ndjson` gives it. */
export interface ZoneAnswer {
  readonly free: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

export interface ZoneCheck {
  readonly zone: string;
  readonly truth: readonly number[];
  readonly answer: ZoneAnswer;
  readonly l1Pages: number;
  readonly covered: number;
}

export interface CopyCheck {
  readonly timeNs: number;
  readonly zones: readonly ZoneCheck[];
  readonly l1Pages: number;
  readonly freePages: number;
  readonly cells: number;
  readonly covered: number;
  readonly widthPages: number;
}

export interface OrderRow {
  readonly order: number;
  found: number;
  missed: number;
  refusedOpen: number;
  right: number;
  falseAlarms: number;
  servedOpen: number;
}

export interface LevelScore {
  readonly copies: readonly CopyCheck[];
  readonly orders: readonly OrderRow[];
}

const NOTHING: ZoneAnswer = { free: [], low: [], high: [] };

function checkZone(truth: ZoneBlocks, answer: ZoneAnswer): ZoneCheck {
  let l1Pages = 0;
  let covered = 0;
  truth.free.forEach((count, q) => {
    l1Pages += Math.abs((answer.free[q] ?? 0) - count) * 2 ** q;
    if (count >= (answer.low[q] ?? 0) && count <= (answer.high[q] ?? 0)) covered++;
  });
  return { zone: truth.zone, truth: truth.free, answer, l1Pages, covered };
}

/** Each zone at the instant of the bracket where it agrees best: it was read at one instant within. */
export function checkCopy(
  timeNs: number,
  truth: readonly ZoneBlocks[],
  answers: readonly ReadonlyMap<string, ZoneAnswer>[],
): CopyCheck {
  const zones = truth.map((zone) => {
    const tries = answers.map((answer) => checkZone(zone, answer.get(zone.zone) ?? NOTHING));
    return tries.reduce((best, next) => (next.l1Pages < best.l1Pages ? next : best));
  });
  const pages = (counts: readonly number[]): number =>
    counts.reduce((sum, count, q) => sum + count * 2 ** q, 0);
  const sum = (of: (zone: ZoneCheck) => number): number =>
    zones.reduce((total, zone) => total + of(zone), 0);
  return {
    timeNs,
    zones,
    l1Pages: sum((zone) => zone.l1Pages),
    freePages: sum((zone) => pages(zone.truth)),
    cells: sum((zone) => zone.truth.length),
    covered: sum((zone) => zone.covered),
    widthPages: sum(({ answer }) => pages(answer.high) - pages(answer.low)),
  };
}

export function tallyVerdict(
  rows: Map<number, OrderRow>,
  order: number,
  ok: boolean,
  verdict: string,
): void {
  let row = rows.get(order);
  if (!row) {
    row = { order, found: 0, missed: 0, refusedOpen: 0, right: 0, falseAlarms: 0, servedOpen: 0 };
    rows.set(order, row);
  }
  if (ok) {
    if (verdict === 'succeeds') row.right++;
    else if (verdict === 'fails') row.falseAlarms++;
    else row.servedOpen++;
  } else if (verdict === 'fails') row.found++;
  else if (verdict === 'succeeds') row.missed++;
  else row.refusedOpen++;
}

/** The figures of the tables; percentages are of free pages unless said otherwise. */
export interface Figures {
  readonly copies: number;
  readonly exact: number;
  readonly l1Median: number;
  readonly l1P90: number;
  readonly l1Max: number;
  /** Percent of the zone x order x copy cells whose true value lies within the bounds. */
  readonly covered: number;
  readonly width: number;
  readonly refused: number;
  readonly found: number;
  readonly missed: number;
  readonly served: number;
  readonly falseAlarms: number;
  readonly undetermined: number;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function figuresOf({ copies, orders }: LevelScore): Figures {
  const relative = copies
    .map((copy) => (100 * copy.l1Pages) / Math.max(1, copy.freePages))
    .sort((a, b) => a - b);
  const overCopies = (of: (copy: CopyCheck) => number): number =>
    copies.reduce((total, copy) => total + of(copy), 0);
  const overOrders = (of: (row: OrderRow) => number): number =>
    orders.reduce((total, row) => total + of(row), 0);
  const width = overCopies((copy) => (100 * copy.widthPages) / Math.max(1, copy.freePages));
  return {
    copies: copies.length,
    exact: copies.filter((copy) => copy.l1Pages === 0).length,
    l1Median: quantile(relative, 0.5),
    l1P90: quantile(relative, 0.9),
    l1Max: quantile(relative, 1),
    covered: (100 * overCopies((copy) => copy.covered)) / overCopies((copy) => copy.cells),
    width: width / copies.length,
    refused: overOrders((row) => row.found + row.missed + row.refusedOpen),
    found: overOrders((row) => row.found),
    missed: overOrders((row) => row.missed),
    served: overOrders((row) => row.right + row.falseAlarms + row.servedOpen),
    falseAlarms: overOrders((row) => row.falseAlarms),
    undetermined: overOrders((row) => row.refusedOpen + row.servedOpen),
  };
}

/** Several recordings as one: copies and attempts are pooled. */
export function pool(scores: readonly LevelScore[]): LevelScore {
  const rows = new Map<number, OrderRow>();
  for (const row of scores.flatMap((score) => score.orders)) {
    const sum = rows.get(row.order);
    if (!sum) {
      rows.set(row.order, { ...row });
      continue;
    }
    sum.found += row.found;
    sum.missed += row.missed;
    sum.refusedOpen += row.refusedOpen;
    sum.right += row.right;
    sum.falseAlarms += row.falseAlarms;
    sum.servedOpen += row.servedOpen;
  }
  return {
    copies: scores.flatMap((score) => score.copies),
    orders: [...rows.values()].sort((a, b) => a.order - b.order),
  };
}
