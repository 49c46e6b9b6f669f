/**
 * Finds events that were given twice and keeps them once.
 *
 * That happens when a run was saved in two forms (trace.txt beside trace.dat), recorded by two tools
 * at once (ftrace and perf), or when a whole trace lies beside its per-cpu parts. Two inputs hold the
 * same events when the page events of every kind are as many and cover the same length of time
 * within the rounding of text stamps, or when nearly all of a stretch of the shorter one is found in
 * the longer one at the same times. Kept is the one that says most: by far more events, else more
 * kinds of events, else finer stamps, else the first.
 */
import type { Diagnostics } from '../records/diagnostics.js';
import { type EventBatch, LAST_PAGE_KIND, PFN_NONE } from '../records/events.js';
import type { EventSpool } from './spool.js';

/** The events of one input. */
export interface EventInput {
  readonly name: string;
  readonly spool: EventSpool;
}

/** Fewer page events than this prove nothing. */
const MIN_PAGE_EVENTS = 16;
const ROUNDING_NS = 1000;
/** Two tools stamp one event this much apart at most, but for the odd interrupt. */
const TOOLS_APART_NS = 100_000;
const SAMPLE = 512;
const SAME_SHARE = 0.8;
const MUCH_LESS = 0.9;

/** Events looked at to compare inputs: each this many times … */
const LOOKS = 64;
/** … and so many besides. A pair costs those of both and as much as this. */
const BASE_EVENTS = 1 << 24;
const PAIR_EVENTS = 1 << 10;

/** The inputs without those that repeat another; spools of the repeated ones are closed. */
export function dropDuplicates(
  inputs: readonly EventInput[],
  diagnostics: Diagnostics,
): EventInput[] {
  const kept: EventInput[] = [];
  const budget = { left: BASE_EVENTS };
  for (const { spool } of inputs) budget.left += LOOKS * spool.length;
  let unsure = 0;
  for (const input of inputs) {
    const twin = kept.findIndex((other) => sameEvents(other.spool, input.spool, budget));
    if (budget.left < 0) unsure++;
    if (twin < 0) {
      kept.push(input);
      continue;
    }
    const other = kept[twin]!;
    const better = saysMore(input.spool, other.spool) ? input : other;
    const worse = better === other ? input : other;
    kept[twin] = better;
    diagnostics.report('input-duplicate', { source: worse.name }, { other: better.name });
    worse.spool.close();
  }
  if (unsure > 0) diagnostics.report('inputs-not-compared', {}, { count: unsure });
  return kept;
}

function sameEvents(a: EventSpool, b: EventSpool, budget: { left: number }): boolean {
  const fewer = Math.min(pageEvents(a), pageEvents(b));
  if (fewer < MIN_PAGE_EVENTS || budget.left < 0) return false;
  budget.left -= a.length + b.length + PAIR_EVENTS;
  if (sameCounts(a, b) && sameBeginning(a, b)) return true;
  return pageEvents(a) > pageEvents(b) ? isPartOf(b, a) : isPartOf(a, b);
}

function pageEvents(spool: EventSpool): number {
  let pages = 0;
  for (let kind = 1; kind <= LAST_PAGE_KIND; kind++) pages += spool.countOf(kind);
  return pages;
}

function sameCounts(a: EventSpool, b: EventSpool): boolean {
  for (let kind = 1; kind <= LAST_PAGE_KIND; kind++) {
    if (a.countOf(kind) !== b.countOf(kind)) return false;
  }
  const [aFirst, aLast] = a.pageSpanNs;
  const [bFirst, bLast] = b.pageSpanNs;
  return Math.abs(aLast - aFirst - (bLast - bFirst)) <= 2 * ROUNDING_NS;
}

/** Whether the first page events say the same, whatever their clocks. */
function sameBeginning(a: EventSpool, b: EventSpool): boolean {
  const expected = new Map<string, number>();
  const always = Number.NEGATIVE_INFINITY;
  const inA = sampleOf(a, always).keys;
  for (const key of inA) expected.set(key, (expected.get(key) ?? 0) + 1);
  let matched = 0;
  for (const key of sampleOf(b, always).keys) {
    const left = expected.get(key) ?? 0;
    if (left > 0) matched++;
    expected.set(key, left - 1);
  }
  return matched >= SAME_SHARE * inA.length;
}

/** Some page events of a spool by what they say, each with its times. */
type Times = Map<string, number[]>;

/** Whether a stretch of page events from the middle of `short` is in `long` at the same times. */
function isPartOf(short: EventSpool, long: EventSpool): boolean {
  const from = Math.max(short.firstNs, long.firstNs);
  const to = Math.min(short.lastNs, long.lastNs);
  if (!(from < to)) return false;
  const sample = sampleOf(short, (from + to) / 2);
  if (sample.keys.length < MIN_PAGE_EVENTS) return false;
  const first = Math.min(...sample.times) - TOOLS_APART_NS;
  const last = Math.max(...sample.times) + TOOLS_APART_NS;
  const found = timesWithin(long, first, last);
  let matched = 0;
  sample.keys.forEach((key, i) => {
    const near = (time: number): boolean => Math.abs(time - sample.times[i]!) <= TOOLS_APART_NS;
    if (found.get(key)?.some(near)) matched++;
  });
  return matched >= SAME_SHARE * sample.keys.length;
}

/** Up to SAMPLE page events in a row from a time on. */
function sampleOf(spool: EventSpool, fromNs: number): { keys: string[]; times: number[] } {
  const keys: string[] = [];
  const times: number[] = [];
  const batch = spool.makeBatch();
  for (let b = 0; b < spool.batches && keys.length < SAMPLE; b++) {
    spool.read(b, batch);
    for (let i = 0; i < batch.length && keys.length < SAMPLE; i++) {
      const time = batch.timeNs[i]!;
      if (!(time >= fromNs) || !isTelling(batch, i)) continue;
      keys.push(keyOf(batch, i));
      times.push(time);
    }
  }
  return { keys, times };
}

function timesWithin(spool: EventSpool, from: number, to: number): Times {
  const found: Times = new Map();
  const batch = spool.makeBatch();
  for (let b = 0; b < spool.batches; b++) {
    spool.read(b, batch);
    for (let i = 0; i < batch.length; i++) {
      const time = batch.timeNs[i]!;
      if (!(time >= from && time <= to) || !isTelling(batch, i)) continue;
      const key = keyOf(batch, i);
      const times = found.get(key);
      if (times === undefined) found.set(key, [time]);
      else times.push(time);
    }
  }
  return found;
}

/** A page event with a page: a failed allocation looks like any other. */
function isTelling(batch: EventBatch, i: number): boolean {
  return batch.kind[i]! <= LAST_PAGE_KIND && batch.pfn[i] !== PFN_NONE;
}

function keyOf(batch: EventBatch, i: number): string {
  return `${batch.kind[i]} ${batch.cpu[i]} ${batch.order[i]} ${batch.pfn[i]}`;
}

function saysMore(a: EventSpool, b: EventSpool): boolean {
  const pagesA = pageEvents(a);
  const pagesB = pageEvents(b);
  if (Math.min(pagesA, pagesB) < MUCH_LESS * Math.max(pagesA, pagesB)) return pagesA > pagesB;
  const kindsA = kindsOf(a);
  const kindsB = kindsOf(b);
  if (kindsA !== kindsB) return kindsA > kindsB;
  return isFine(a) && !isFine(b);
}

function kindsOf(spool: EventSpool): number {
  let kinds = 0;
  for (let kind = 1; kind < 256; kind++) if (spool.countOf(kind) > 0) kinds++;
  return kinds;
}

/** Whether stamps are finer than a microsecond. */
function isFine(spool: EventSpool): boolean {
  if (spool.batches === 0) return false;
  const batch = spool.read(0, spool.makeBatch());
  for (let i = 0; i < batch.length; i++) if (batch.timeNs[i]! % 1000 !== 0) return true;
  return false;
}
