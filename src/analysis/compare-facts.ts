/**
 * What differs between two recordings before any verdict: machine, kernel, rules, settings, load.
 */
import type { ReportData } from './report-data.js';
import { bytesText, digits, duration, grouped, percent } from './words.js';

export interface Difference {
  readonly what: string;
  readonly a: string;
  readonly b: string;
  /** Large enough to explain a change of the verdict by itself. */
  readonly weighs: boolean;
}

/** Rates that differ by more than this are no longer the same load. */
const LOAD_FACTOR = 1.25;

/** Failing time of which this share is certain counts as certain. */
const CERTAIN = 0.95;

const NONE = 'not in the input';

/** Only what differs; load and length always. */
export function differences(a: ReportData, b: ReportData): Difference[] {
  return [
    ...unlike('kernel release', a.kernel.release ?? NONE, b.kernel.release ?? NONE),
    ...machineDifferences(a, b),
    ...settingDifferences(a, b),
    ...loadDifferences(a, b),
    ...qualityDifferences(a, b),
    ...ruleDifferences(a, b),
  ];
}

function unlike(what: string, a: string, b: string, weighs = true): Difference[] {
  return a === b ? [] : [{ what, a, b, weighs }];
}

function ruleDifferences(a: ReportData, b: ReportData): Difference[] {
  const rules = Object.keys({ ...a.kernel.features, ...b.kernel.features }).filter(
    (name) => a.kernel.features[name] !== b.kernel.features[name],
  );
  return rules.map((name) => ({
    what: `rule ${name}`,
    a: String(a.kernel.features[name] ?? NONE),
    b: String(b.kernel.features[name] ?? NONE),
    weighs: false,
  }));
}

function machineDifferences(a: ReportData, b: ReportData): Difference[] {
  // Without zoneinfo the sizes of zones are guesses.
  const sizes = a.headroom.marksKnown && b.headroom.marksKnown;
  const memory = (data: ReportData): string =>
    data.zones
      .map(
        (z) => `node ${z.node} ${z.zone}${sizes ? ` ${bytesText(z.managed * data.pageSize)}` : ''}`,
      )
      .join(', ');
  const managed = (data: ReportData): number => data.zones.reduce((sum, z) => sum + z.managed, 0);
  const near = sizes && Math.abs(managed(a) - managed(b)) < managed(a) * 0.02;
  return [
    ...unlike('memory', memory(a), memory(b), !near),
    ...unlike('page size', bytesText(a.pageSize), bytesText(b.pageSize)),
    ...unlike('pageblock order', String(a.pageblockOrder), String(b.pageblockOrder)),
    ...unlike('pages GFP_ATOMIC must leave', needs(a), needs(b)),
  ];
}

/** The first known need of each zone. */
function needs(data: ReportData): string {
  const parts = data.timeline.zones.flatMap((zone, i) => {
    const need = zone.marks.find((step) => step.atomicNeed !== null)?.atomicNeed ?? null;
    return need === null || !Number.isFinite(need)
      ? []
      : [`${data.zones[i]!.zone} ${grouped(need)}`];
  });
  return parts.length > 0 ? parts.join(', ') : NONE;
}

function settingDifferences(a: ReportData, b: ReportData): Difference[] {
  const left = a.settings ?? {};
  const right = b.settings ?? {};
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return names
    .filter((name) => left[name] !== right[name])
    .map((name) => ({
      what: name,
      a: left[name] ?? NONE,
      b: right[name] ?? NONE,
      weighs: name in left && name in right,
    }));
}

function loadDifferences(a: ReportData, b: ReportData): Difference[] {
  const seconds = (data: ReportData): number => (data.span.toNs - data.span.fromNs) / 1e9;
  const rate = (data: ReportData, classes: 'all' | 'atomic'): number =>
    data.attempts.counts.reduce(
      (sum, c) => (classes === 'all' || c.class === classes ? sum + c.ok + c.failed : sum),
      0,
    ) / seconds(data);
  const load = (what: string, x: number, y: number): Difference => ({
    what,
    a: `${digits(x)} a second`,
    b: `${digits(y)} a second`,
    weighs: Math.max(x, y) > LOAD_FACTOR * Math.min(x, y),
  });
  return [
    {
      what: 'length',
      a: duration(a.span.toNs - a.span.fromNs),
      b: duration(b.span.toNs - b.span.fromNs),
      weighs: false,
    },
    load('page allocations', rate(a, 'all'), rate(b, 'all')),
    load('atomic requests', rate(a, 'atomic'), rate(b, 'atomic')),
  ];
}

/** How much of the failing time holds whatever the bounds; only where it is not all. */
function certaintyDifference(a: ReportData, b: ReportData): Difference[] {
  const [x, y] = [a, b].map(({ totals }) => {
    const ns = totals.reduce((sum, total) => sum + total.ns, 0);
    return ns === 0 ? 1 : totals.reduce((sum, total) => sum + total.exactNs, 0) / ns;
  }) as [number, number];
  if (Math.min(x, y) >= CERTAIN) return [];
  const what = 'failing time that is certain';
  return [{ what, a: percent(x), b: percent(y), weighs: Math.min(x, y) < 0.5 }];
}

/** What each level of a replay goes by. */
const LEVELS = {
  buddy: 'every page that left or joined the free lists',
  page: 'mm_page_alloc and mm_page_free only',
  snapshots: 'copies of the free lists only',
} as const;

function qualityDifferences(a: ReportData, b: ReportData): Difference[] {
  const level = (data: ReportData): string => (data.replay ? LEVELS[data.replay.level] : NONE);
  return [
    ...unlike('what was recorded', level(a), level(b)),
    ...unlike('lost events', grouped(a.lostEvents), grouped(b.lostEvents)),
    ...certaintyDifference(a, b),
  ];
}
