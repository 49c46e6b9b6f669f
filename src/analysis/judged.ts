/**
 * Which requests a report judged: with --order or --gfp it is silent about others, which is not to say that
 * they never failed.
 */
import type { ReportData } from './report-data.js';
import { ordersText } from './words.js';

type Input = Pick<ReportData, 'judged' | 'orders'>;

/** Orders above 0, ascending. */
export function judgedOrders({ judged, orders }: Input): number[] {
  const all = Array.from({ length: Math.max(0, orders - 1) }, (_, i) => i + 1);
  return judged ? all.filter((order) => judged.orders.includes(order)) : all;
}

export function isJudged(data: Input, order: number): boolean {
  return judgedOrders(data).includes(order);
}

/** `order 3 and 9`; null where all were. */
export function onlyJudged(data: Input): string | null {
  const some = judgedOrders(data);
  return some.length === data.orders - 1 ? null : ordersText(some);
}
