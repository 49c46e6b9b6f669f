/**
 * Doubt: by how many blocks the estimate may be off beyond what the copies around it say.
 *
 * - Once compaction has run, and until a copy speaks: which block a search took may be a choice among several, and the
 *   instant of a taking lies between two events. The choice is wrong by a block or two of the lower orders
 *   (docs/accuracy.md has how often the truth lies within).
 * - Without a map of memory: free blocks whose place only their number told may have merged with others.
 * - After lost events: each may have been the free or the removal of a page. A removal may have cut a block of any order, and
 *   2^q frees may have made one of order q. Between two copies the error also shows in how far the second is from the
 *   first.
 */
import { EventKind } from '../records/events.js';
import type { CorrectionSpan } from './reconcile.js';
import type { RareLog } from './survey.js';

/** Blocks by order after a compaction. */
const COMPACTION = [2, 2, 2, 2, 1, 1];

/** Blocks of each order up to this by which a state without places is rarely wrong. */
const UNPLACED_ORDER = 3;

/** A bound that says nothing: more blocks than any zone has. */
const NO_BOUND = 1 << 28;

export interface DoubtContext {
  readonly rare: RareLog;
  readonly zones: number;
  readonly orders: number;
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
  const { rare } = context;
  const open = span.toNs === Number.POSITIVE_INFINITY;
  const found: CorrectionSpan[] = [span];
  let lost = 0;
  let compacted = false;
  for (let row = rare.rowAt(span.fromIndex); row < rare.length; row++) {
    if (rare.index[row]! >= endIndex) break;
    const kind = rare.kind[row]!;
    const loses = open && (kind === EventKind.lost || kind === EventKind.bufferStarted);
    if (loses) lost += kind === EventKind.lost ? Math.max(1, rare.field(row, 0)) : NO_BOUND;
    else if (compacted || !takes(kind)) continue;
    else compacted = true;
    const fromIndex = rare.index[row]!;
    const cut = {
      ...span,
      fromIndex,
      fromNs: rare.timeNs[row]!,
      slack: slackOf(span, lost, context),
    };
    const previous = found[found.length - 1]!;
    found[found.length - 1] = { ...previous, toNs: cut.fromNs };
    found.push(cut);
  }
  return found;
}

function takes(kind: number): boolean {
  return kind === EventKind.isolateFreepages || kind === EventKind.isolateMigratepages;
}

function slackOf(span: CorrectionSpan, lost: number, { zones, orders }: DoubtContext): Int32Array {
  const slack = new Int32Array(zones * orders);
  for (let cell = 0; cell < slack.length; cell++) {
    const order = cell % orders;
    const pages = Math.min(lost, NO_BOUND);
    const known = span.slack?.[cell] ?? 0;
    slack[cell] = known + (COMPACTION[order] ?? 0) + Math.ceil(pages / 2 ** order);
  }
  return slack;
}
