/**
 * What the kernel itself refused, in words, and where that contradicts the windows found.
 */
import { taskName } from './edge-words.js';
import { isJudged } from './judged.js';
import type { NarrativeInput } from './narrative.js';
import type { Attempts, FailureTotal } from './report-data.js';
import { refusalAgreement } from './trust.js';
import { duration, grouped, listed, ordersText, plural } from './words.js';

/** What the kernel refused of recorded atomic requests. */
export interface Refused {
  readonly total: number;
  readonly attempts: number;
  readonly orders: readonly number[];
  readonly byOrder: ReadonlyMap<number, number>;
  readonly other: number;
}

export function refusedAtomic(attempts: Attempts): Refused {
  let total = 0;
  let all = 0;
  let other = 0;
  const byOrder = new Map<number, number>();
  for (const count of attempts.counts) {
    if (count.class !== 'atomic') {
      other += count.failed;
      continue;
    }
    total += count.failed;
    all += count.failed + count.ok;
    if (count.failed > 0) byOrder.set(count.order, (byOrder.get(count.order) ?? 0) + count.failed);
  }
  return { total, attempts: all, orders: [...byOrder.keys()], byOrder, other };
}

export function refusalFact(data: NarrativeInput, refused: Refused) {
  if (refused.attempts === 0) {
    return {
      figure: 'No atomic request',
      text: `of any order was recorded${refused.other > 0 ? ` (${plural(refused.other, 'other request')} did fail)` : ''}: the windows are what the rules say, not what a driver met.`,
    };
  }
  const fails = data.totals.some(({ order, ns }) => order >= 1 && ns > 0);
  if (refused.total === 0) {
    return {
      figure: '0 refusals',
      text: `among ${plural(refused.attempts, 'recorded atomic request')}: ${fails ? 'nobody asked at the wrong moment' : 'the kernel served them all'}.`,
    };
  }
  return {
    figure: plural(refused.total, 'refusal'),
    text: `by the kernel itself among ${plural(refused.attempts, 'recorded atomic request')}, of ${refusedOrders(refused)}.${sampleNames(data)}`,
  };
}

/** `order 1 (400), 9 (35) and 10 (65)`; only the range when there are many. */
function refusedOrders(refused: Refused): string {
  const orders = [...refused.orders].sort((a, b) => a - b);
  if (orders.length > 4) return ordersText(orders);
  const parts = orders.map((order) => `${order} (${grouped(refused.byOrder.get(order) ?? 0)})`);
  return `order ${listed(parts)}`;
}

function sampleNames(data: NarrativeInput): string {
  const byComm = new Map<string, number>();
  for (const attempt of data.attempts.examples) {
    if (attempt.class === 'atomic') byComm.set(attempt.comm, (byComm.get(attempt.comm) ?? 0) + 1);
  }
  const top = [...byComm].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 2);
  return top.length === 0 ? '' : ` Most came from ${listed(top.map(([comm]) => taskName(comm)))}.`;
}

/** Refusals outside every window, as a share of all, from which on they lead. */
const STRAY = 0.05;

/** The lowest order above 0 that the kernel refused mostly outside the windows found; null if none. */
export function unexplained(data: NarrativeInput, refused: Refused): number | null {
  const orders = refused.orders.filter((order) => isJudged(data, order)).sort((a, b) => a - b);
  for (const order of orders) {
    const { examined, inside } = refusalAgreement(data, order);
    const outside = examined - inside;
    // One stray refusal among hundreds that agree is for the small print.
    if (examined > 0 && inside * 2 < examined && outside >= refused.total * STRAY) return order;
  }
  return null;
}

export function surpriseSentence(refused: Refused, order: number, spanNs: number): string {
  const count = refused.byOrder.get(order) ?? 0;
  const moments =
    count === 1
      ? 'at a moment when by this reconstruction it'
      : 'most of them at moments when by this reconstruction they';
  return `The kernel refused ${plural(count, 'atomic request')} of order ${order} in the ${duration(spanNs)} recorded, ${moments} should have been served: the input does not tell enough.`;
}

/** Orders that the kernel refused and of which no window knows. */
export function unexplainedOrders(
  data: NarrativeInput,
  totals: readonly FailureTotal[],
  refused: Refused,
): number[] {
  return refused.orders.filter(
    (order) => isJudged(data, order) && !totals.some((total) => total.order === order),
  );
}

/** The reader must not overlook them. */
export function surpriseParagraph(
  data: NarrativeInput,
  totals: readonly FailureTotal[],
  refused: Refused,
): string {
  const unexplained = unexplainedOrders(data, totals, refused);
  if (unexplained.length === 0) return '';
  return `The kernel also refused atomic requests of ${ordersText(unexplained)}, which by these rules should have been served. Other flags, a cpuset or a memory policy may have confined them, or the replay is off there.`;
}
