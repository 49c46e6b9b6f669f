/**
 * Doubt: by how many blocks the estimate may be off beyond what the copies around it say.
 *
 * - Once compaction has run, and until a copy speaks: which block a search took may be a choice among several, and the
 *   instant of a taking lies between two events. The choice is wrong by a block or two of the lower orders
 *   (docs/accuracy.md has how often the truth lies within).
 * - Without a map of memory: free blocks whose place only their number told may have merged with others.
 * - Behind the last copy, after lost events: the pages that no later event tells (losses.ts). A page taken may have cut a block
 *   of any order, and 2^q given back may have made one of order q.
 */
import { EventKind } from '../records/events.js';
import type { LossStep } from './losses.js';
import type { CorrectionSpan } from './reconcile.js';
import type { RareLog } from './survey.js';

/** Blocks by order after a compaction. */
const COMPACTION = [2, 2, 2, 2, 1, 1];

/** Share of the pages in doubt by which the estimate is likely wrong at most: many were left as they had been found. */
const UNLIKE = 0.5;

/** Share of the machine's pages that are in doubt when the estimate tells nothing any more. */
const TOO_MUCH = 0.1;

/** Blocks of each order up to this by which a state without places is rarely wrong. */
const UNPLACED_ORDER = 3;

export interface DoubtContext {
  readonly rare: RareLog;
  /** How the pages in doubt change by losses after an event. */
  lossSteps(from: number): LossStep[];
  readonly orders: number;
  /** Blocks that a zone's memory makes: zone * orders + order. */
  readonly capacity: Int32Array;
  /** A kpageflags copy told where free memory lies. */
  readonly mapped: boolean;
}

/** The spans with their doubt; those that a compaction or a loss begins in are cut there. */
export function addDoubt(
  spans: readonly CorrectionSpan[],
  context: DoubtContext,
): CorrectionSpan[] {
  return spans.flatMap((span, i) => {
    const endIndex = spans[i + 1]?.fromIndex ?? Number.POSITIVE_INFINITY;
    return doubtful(context.mapped ? span : unplaced(span, context), endIndex, context);
  });
}

/** The span with a block more of doubt at the lower orders. */
function unplaced(span: CorrectionSpan, { orders }: DoubtContext): CorrectionSpan {
  const doubt = span.best.map(
    (_, cell) => (span.doubt?.[cell] ?? 0) + (cell % orders <= UNPLACED_ORDER ? 1 : 0),
  );
  return { ...span, doubt };
}

function doubtful(span: CorrectionSpan, endIndex: number, context: DoubtContext): CorrectionSpan[] {
  const found: CorrectionSpan[] = [span];
  for (const { index, timeNs, pages } of causes(span, endIndex, context)) {
    const previous = found[found.length - 1]!;
    found[found.length - 1] = { ...previous, toNs: timeNs };
    found.push({
      ...span,
      fromIndex: index,
      fromNs: timeNs,
      slack: slackOf(span, pages, context),
      ...(UNLIKE * pages > TOO_MUCH * machinePages(context) && { far: true }),
    });
  }
  return found;
}

/** The first compaction of a span, and behind the last copy what is lost. */
function causes(span: CorrectionSpan, endIndex: number, context: DoubtContext): LossStep[] {
  const { rare } = context;
  const open = span.toNs === Number.POSITIVE_INFINITY;
  const steps = open ? context.lossSteps(span.fromIndex) : [];
  let row = rare.rowAt(span.fromIndex);
  while (row < rare.length && rare.index[row]! < endIndex && !takes(rare.kind[row]!)) row++;
  const index = row < rare.length ? rare.index[row]! : Number.POSITIVE_INFINITY;
  if (index >= endIndex) return steps;
  const at = steps.findLastIndex((step) => step.index < index) + 1;
  const pages = steps[at - 1]?.pages ?? 0;
  return [...steps.slice(0, at), { index, timeNs: rare.timeNs[row]!, pages }, ...steps.slice(at)];
}

function takes(kind: number): boolean {
  return kind === EventKind.isolateFreepages || kind === EventKind.isolateMigratepages;
}

function machinePages({ capacity, orders }: DoubtContext): number {
  return capacity.reduce((sum, blocks, cell) => sum + (cell % orders === 0 ? blocks : 0), 0);
}

function slackOf(span: CorrectionSpan, pages: number, context: DoubtContext): Int32Array {
  const { orders, capacity } = context;
  return capacity.map((most, cell) => {
    const order = cell % orders;
    const blocks = (COMPACTION[order] ?? 0) + Math.ceil((UNLIKE * pages) / 2 ** order);
    return (span.slack?.[cell] ?? 0) + Math.min(blocks, most);
  });
}
