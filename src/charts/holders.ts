/**
 * Chart: who holds pages that cannot be moved at the end.
 */
import { AGE_LIMITS_NS, type Holder, type ReportData } from '../analysis/report-data.js';
import { bytesText, duration, grouped } from '../analysis/words.js';
import { LOSS_SIGNS, legendLayer } from './certainty-legend.js';
import {
  type Chart,
  type ChartView,
  type HolderBy,
  lossCaveat,
  pagesTitle,
  type Row,
  type Spec,
} from './chart.js';
import { DEFAULT_WIDTH, TYPE_COLORS } from './theme.js';
import { chartParams, OWN_SCALES, SCHEMA_URL, SHORT_NUMBER } from './time-chart.js';

const TOP = 15;
const MIXED = 'in movable pageblocks';
const ALIKE = 'among their like';
/** A page in a mixed pageblock weighs as much as so many among their like. */
const HARM = 20;

function gfpWords(gfp: string): string {
  return gfp.replaceAll('__GFP_', '').replaceAll('|', ' ');
}

export function holderLabel(holder: Holder): string {
  return `${holder.comm || '(no name)'} · ${gfpWords(holder.gfp)}${holder.site ? ` · ${holder.site}` : ''}`;
}

/** `under 10 ms`, `10 ms to 100 ms`, …, `over 10 s`. */
const AGES = [...AGE_LIMITS_NS, Number.POSITIVE_INFINITY].map((limit, i) => {
  const text = (ns: number): string => duration(ns).replaceAll('\u00a0', ' ');
  if (i === 0) return `under ${text(limit)}`;
  const from = text(AGE_LIMITS_NS[i - 1]!);
  return Number.isFinite(limit) ? `${from} to ${text(limit)}` : `over ${from}`;
});

interface Group {
  readonly label: string;
  pages: number;
  mixed: number;
  doubtful: number;
  blocks: number;
}

type Counted = Omit<Group, 'label'>;

/** What a holder counts as, or null: by age it is spread over several groups. */
const GROUP_OF: Readonly<Record<Exclude<HolderBy, 'age'>, (holder: Holder) => string>> = {
  holder: holderLabel,
  comm: (holder) => holder.comm || '(no name)',
  gfp: (holder) => gfpWords(holder.gfp),
  site: (holder) => holder.site || '(no call site recorded)',
};

/** Immovable pages held at the end, most harmful first. */
function holderGroups(data: ReportData, by: HolderBy, zone: number | null): Group[] {
  const groups = new Map<string, Group>();
  const add = (name: string, more: Counted): void => {
    const group = groups.get(name) ?? { label: name, pages: 0, mixed: 0, doubtful: 0, blocks: 0 };
    groups.set(name, group);
    for (const key of ['pages', 'mixed', 'doubtful', 'blocks'] as const) group[key] += more[key];
  };
  const none = { pages: 0, mixed: 0, doubtful: 0, blocks: 0 };
  if (by === 'age') for (const age of AGES) add(age, none);
  for (const holder of data.holders?.holders ?? []) {
    if (holder.migratetype === 'Movable' || holder.pages <= 0) continue;
    const spread = (holder.spread ?? []).filter((part) => zone === null || part.zone === zone);
    if (by === 'age') {
      for (const part of spread) {
        part.pages.forEach((pages, age) => {
          const [mixed, doubtful] = [part.mixed[age] ?? 0, part.doubtful[age] ?? 0];
          add(AGES[age]!, { pages, mixed, doubtful, blocks: 0 });
        });
      }
      continue;
    }
    const sum = (plane: 'pages' | 'mixed' | 'doubtful'): number =>
      spread.reduce((total, part) => total + part[plane].reduce((x, y) => x + y, 0), 0);
    const whole = zone === null || holder.spread === undefined;
    const pages = whole ? holder.pages : sum('pages');
    const mixed = whole ? holder.mixedPages : sum('mixed');
    const counted = { pages, mixed, doubtful: sum('doubtful'), blocks: holder.mixedBlocks };
    if (pages > 0) add(GROUP_OF[by](holder), counted);
  }
  if (by === 'age') return [...groups.values()];
  const weight = (group: Group): number => group.mixed * HARM + group.pages;
  return [...groups.values()].sort((a, b) => weight(b) - weight(a)).slice(0, TOP);
}

/** What the bars leave out or may hold too much. */
function holdersCaveat(data: ReportData): string | null {
  const lost = lossCaveat(
    data,
    'a page whose freeing was lost still counts, one whose allocation was lost does not.',
  );
  const pages = data.holders?.unattributedPages ?? 0;
  const size = `${bytesText(pages * data.pageSize)} (${grouped(pages)} pages)`;
  const before =
    pages > 0
      ? `Whose the other ${size} in use are, the recording does not tell: they were allocated before it began${lost ? ' or while events were lost' : ''}.`
      : null;
  return [lost, before].filter((text) => text !== null).join(' ') || null;
}

/** The mark of doubt on a bar; there is none where no events were lost. */
function doubtLayers(data: ReportData, y: Spec): Spec[] {
  if (data.timeline.lost.length === 0) return [];
  const span = { x: { field: 'sure', type: 'quantitative' }, x2: { field: 'pages' }, y };
  const tick = (field: string): Spec => ({
    data: { name: 'doubt' },
    mark: { type: 'tick', thickness: 1.5, size: 9, color: { expr: 'ink' } },
    encoding: { x: { field, type: 'quantitative' }, y },
  });
  return [
    {
      data: { name: 'doubt' },
      mark: { type: 'rule', strokeWidth: 1.5, color: { expr: 'ink' } },
      encoding: span,
    },
    tick('sure'),
    tick('pages'),
    ...legendLayer([LOSS_SIGNS.heldSpan]),
  ];
}

export const holdersChart: Chart = {
  id: 'holders',
  title: 'Who holds the pages that cannot move',
  description:
    'The tasks, call sites and gfp flags that hold most immovable pages at the end of the recording, in movable pageblocks and elsewhere.',
  how: 'A page that cannot be moved (a kernel structure, a driver buffer) keeps its whole pageblock from ever becoming one large block. Bars count such pages still held at the end of the recording, by who allocated them, how, or how long ago. The strong part lies in pageblocks meant for movable memory, where it does harm; the pale part lies among its like. Where events were lost, a line between two ticks is the part of a bar that may have been freed unseen. Of pages allocated before the recording began it has those that a page_owner dump names.',
  overTime: false,
  showsHeld: true,
  table: {
    dataset: 'table',
    columns: [
      ['comm', 'Task'],
      ['gfp', 'gfp flags'],
      ['site', 'Call site'],
      ['type', 'Migratetype'],
      ['mixed', 'Pages in movable blocks'],
      ['blocks', 'Blocks touched'],
      ['pages', 'Pages in all'],
      ['peak', 'Most ever'],
      ['age', 'Mean age (s)'],
    ],
  },
  emptyText: 'No immovable allocation of the recording is still held at its end.',
  hasData: (data) => holderGroups(data, 'holder', null).length > 0,
  caveat: holdersCaveat,
  choice: {
    field: 'by',
    label: 'Told apart by',
    options: (data) => [
      ['holder', 'Task and flags'],
      ['comm', 'Task'],
      ['gfp', 'gfp flags'],
      ...(data.holders?.holders.some((holder) => holder.site !== '')
        ? [['site', 'Call site'] as const]
        : []),
      ['age', 'Age'],
    ],
  },
  rows: (data, view) => ({
    holders: barRows(data, view),
    doubt: doubtRows(data, view),
    table: tableRows(data, view.zone),
  }),
  spec: (data, view) => ({
    $schema: SCHEMA_URL,
    title: holdersChart.title,
    description: holdersChart.description,
    width: DEFAULT_WIDTH,
    height: Math.max(60, holderGroups(data, view.by, null).length * 22),
    autosize: { type: 'fit-x', contains: 'padding' },
    padding: { left: 4, right: 12, top: 4, bottom: 4 },
    params: chartParams(),
    layer: [barLayer(data, view), ...doubtLayers(data, holderY(view))],
    resolve: OWN_SCALES,
  }),
};

function holderY(view: ChartView): Spec {
  return {
    field: 'label',
    type: 'nominal',
    sort: null,
    axis: {
      title: view.by === 'age' ? 'held for' : null,
      labelLimit: { expr: 'max(120, min(380, room * 0.7))' },
      ticks: false,
      domain: false,
    },
  };
}

function barLayer(data: ReportData, view: ChartView): Spec {
  const axis = { title: pagesTitle(data), grid: true, tickCount: 5, labelExpr: SHORT_NUMBER };
  return {
    data: { name: 'holders' },
    mark: { type: 'bar', cornerRadiusEnd: 2, color: TYPE_COLORS.Unmovable! },
    encoding: {
      y: holderY(view),
      x: { field: 'pages', type: 'quantitative', axis },
      opacity: {
        field: 'where',
        type: 'ordinal',
        scale: { domain: [MIXED, ALIKE], range: [1, 0.35] },
        legend: {
          title: 'Where they lie',
          symbolType: 'square',
          symbolFillColor: TYPE_COLORS.Unmovable!,
        },
      },
      order: { field: 'rank', type: 'quantitative' },
      tooltip: [
        { field: 'label', type: 'nominal', title: view.by === 'age' ? 'held for' : 'holder' },
        { field: 'where', type: 'nominal', title: 'where' },
        { field: 'pages', type: 'quantitative', title: 'pages', format: ',' },
        { field: 'size', type: 'nominal', title: 'that is' },
        { field: 'blocks', type: 'quantitative', title: 'mixed pageblocks touched', format: ',' },
      ],
    },
  };
}

/** From what is surely held to the end of the bar. */
function doubtRows(data: ReportData, view: ChartView): Row[] {
  return holderGroups(data, view.by, view.zone)
    .filter(({ doubtful }) => doubtful > 0)
    .map(({ label: name, pages, doubtful }) => ({ label: name, sure: pages - doubtful, pages }));
}

function barRows(data: ReportData, view: ChartView): Row[] {
  return holderGroups(data, view.by, view.zone).flatMap((group) =>
    [
      { where: MIXED, pages: group.mixed, rank: 0 },
      { where: ALIKE, pages: group.pages - group.mixed, rank: 1 },
    ].map((part) => ({
      ...part,
      label: group.label,
      size: bytesText(part.pages * data.pageSize),
      blocks: group.blocks > 0 ? group.blocks : null,
    })),
  );
}

/** Of one zone only what is kept by zone: immovable pages at the end. */
function tableRows(data: ReportData, zone: number | null): Row[] {
  return (data.holders?.holders ?? []).flatMap((holder): Row[] => {
    const { comm, gfp, site, migratetype: type } = holder;
    const who = { comm, gfp, site, type };
    const age = Math.round(holder.meanAgeNs / 1e6) / 1e3;
    const { mixedBlocks: blocks, peakPages: peak } = holder;
    if (zone === null || holder.spread === undefined) {
      return [{ ...who, mixed: holder.mixedPages, blocks, pages: holder.pages, peak, age }];
    }
    const part = holder.spread.find((one) => one.zone === zone);
    const sum = (counts: readonly number[] = []): number => counts.reduce((a, b) => a + b, 0);
    const pages = sum(part?.pages);
    const none = { blocks: null, peak: null, age: null };
    return pages > 0 ? [{ ...who, ...none, mixed: sum(part?.mixed), pages }] : [];
  });
}
