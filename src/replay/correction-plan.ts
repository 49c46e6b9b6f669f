/**
 * Which corrections hold when, over the whole recording.
 *
 * From where the trace is whole, events carry the state from copy to copy (reconcile.ts). Before that, and where no event is
 * followed at all, copies alone speak (copies-only.ts): what the events of some CPUs show moves the estimate between them,
 * and its errors, which copies tell, make the bounds.
 */
import type { Beginning } from './beginning.js';
import { planWithoutEvents } from './copies-only.js';
import { addDoubt, type DoubtContext } from './doubt.js';
import {
  type Anchor,
  type CorrectionContext,
  type CorrectionSpan,
  held,
  planCorrections,
} from './reconcile.js';
import type { ReplayLevel } from './survey.js';

export interface PlanContext extends CorrectionContext, DoubtContext {
  readonly level: ReplayLevel;
  /** Where the trace is whole. */
  readonly beginning: Beginning;
}

/** The spans of corrections, ascending. */
export function planSpans(anchors: readonly Anchor[], context: PlanContext): CorrectionSpan[] {
  if (context.level === 'snapshots' || anchors.length === 0) return withoutEvents(anchors, context);
  const { beginning } = context;
  const first = firstFollowed(anchors, context);
  if (first < 0) return withoutEvents(anchors, context);
  const spans = followed(anchors.slice(first), context);
  if (beginning.index === 0) return spans;
  const start = anchors[first]!;
  const from = start.beginIndex < beginning.index ? placeOf(start) : beginning;
  const [begin, ...rest] = spans;
  return [
    ...before(from, anchors.slice(0, first), start, context),
    { ...begin!, fromIndex: from.index, fromNs: from.timeNs },
    ...rest,
  ];
}

/**
 * The copy that events are followed from: the first where the trace is whole, or the one before, if that is nearer to where this
 * part begins. But at buddy level events carry back what a copy tells, so there none from before the trace if there is another.
 */
function firstFollowed(anchors: readonly Anchor[], { beginning, linear }: PlanContext): number {
  const { index, timeNs } = beginning;
  const within = anchors.findIndex((a) => a.beginIndex >= index && a.timeNs >= timeNs);
  if (within < 0) return index === 0 ? anchors.length - 1 : within;
  if (within === 0 || (index === 0 && !linear)) return within;
  const nearer = timeNs - anchors[within - 1]!.timeNs < anchors[within]!.timeNs - timeNs;
  return nearer ? within - 1 : within;
}

function placeOf({ beginIndex, timeNs }: Anchor): Beginning {
  return { index: beginIndex, timeNs };
}

function followed(anchors: readonly Anchor[], context: PlanContext): CorrectionSpan[] {
  const spans = planCorrections(anchors, context);
  return context.level === 'buddy' ? addDoubt(spans, context) : spans;
}

function withoutEvents(
  anchors: readonly Anchor[],
  { orders, capacity, indexAt }: PlanContext,
): CorrectionSpan[] {
  return planWithoutEvents(anchors, orders, capacity, indexAt);
}

/** Up to where events are followed: from there they carry back what the first copy among them tells. */
function before(
  { index, timeNs }: Beginning,
  copies: readonly Anchor[],
  { residual }: Anchor,
  context: PlanContext,
): CorrectionSpan[] {
  if (copies.length === 0) {
    const start = { fromIndex: 0, fromNs: Number.NEGATIVE_INFINITY, toNs: timeNs };
    return [{ ...start, ...held(residual), unknown: true, far: true }];
  }
  const border: Anchor = { beginIndex: index, endIndex: index, timeNs, residual };
  return withoutEvents([...copies, border], context)
    .filter(({ fromIndex, fromNs }) => fromIndex < index && fromNs < timeNs)
    .map((span) => ({ ...span, toNs: Math.min(span.toNs, timeNs) }));
}
