/**
 * Charts: who holds pages that cannot be moved, at the end and over time.
 */
import {
  AGE_LIMITS_NS,
  type Holder,
  type HolderSample,
  type ReportData,
} from '../analysis/report-data.js';
import { bytesText, duration } from '../analysis/words.js';
import {
  type Chart,
  type ChartView,
  type HolderBy,
  lossCaveat,
  pagesTitle,
  type Row,
  toSeconds,
} from './chart.js';
import { CATEGORY_COLORS, DEFAULT_WIDTH, legendColumns, TYPE_COLORS } from './theme.js';
import {
  chartParams,
  lossRows,
  SCHEMA_URL,
  SHORT_NUMBER,
  timeChart,
  timeX,
  valueY,
} from './time-chart.js';

const TOP = 15;
const TOP_OVER_TIME = 8;
const OTHERS = 'all others';
const MIXED = 'in movable pageblocks';
const ALIKE = 'among their like';
/** A page in a mixed pageblock weighs as much as so many among their like. */
const HARM = 20;

function gfpWords(gfp: string): string {
  return gfp.replaceAll('__GFP_', '').replaceAll('|', ' ');
}

function label(holder: Holder): string {
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
  blocks: number;
}

/** What a holder counts as, or null: by age it is spread over several groups. */
const GROUP_OF: Readonly<Record<Exclude<HolderBy, 'age'>, (holder: Holder) => string>> = {
  holder: label,
  comm: (holder) => holder.comm || '(no name)',
  gfp: (holder) => gfpWords(holder.gfp),
  site: (holder) => holder.site || '(no call site recorded)',
};

/** Immovable pages held at the end, most harmful first. */
function holderGroups(data: ReportData, by: HolderBy, zone: number | null): Group[] {
  const groups = new Map<string, Group>();
  const add = (name: string, pages: number, mixed: number, blocks: number): void => {
    const group = groups.get(name) ?? { label: name, pages: 0, mixed: 0, blocks: 0 };
    groups.set(name, group);
    group.pages += pages;
    group.mixed += mixed;
    group.blocks += blocks;
  };
  if (by === 'age') for (const age of AGES) add(age, 0, 0, 0);
  for (const holder of data.holders?.holders ?? []) {
    if (holder.migratetype === 'Movable' || holder.pages <= 0) continue;
    const spread = (holder.spread ?? []).filter((part) => zone === null || part.zone === zone);
    if (by === 'age') {
      for (const part of spread) {
        part.pages.forEach((pages, age) => {
          add(AGES[age]!, pages, part.mixed[age] ?? 0, 0);
        });
      }
      continue;
    }
    const sum = (plane: 'pages' | 'mixed'): number =>
      spread.reduce((total, part) => total + part[plane].reduce((x, y) => x + y, 0), 0);
    const whole = zone === null || holder.spread === undefined;
    const pages = whole ? holder.pages : sum('pages');
    const mixed = whole ? holder.mixedPages : sum('mixed');
    if (pages > 0) add(GROUP_OF[by](holder), pages, mixed, holder.mixedBlocks);
  }
  if (by === 'age') return [...groups.values()];
  const weight = (group: Group): number => group.mixed * HARM + group.pages;
  return [...groups.values()].sort((a, b) => weight(b) - weight(a)).slice(0, TOP);
}

export const holdersChart: Chart = {
  id: 'holders',
  title: 'Who holds the pages that cannot move',
  description:
    'The tasks, call sites and gfp flags that hold most immovable pages at the end of the recording, in movable pageblocks and elsewhere.',
  how: 'A page that cannot be moved (a kernel structure, a driver buffer) keeps its whole pageblock from ever becoming one large block. Bars count such pages still held at the end of the recording, by who allocated them, how, or how long ago. The strong part lies in pageblocks meant for movable memory, where it does harm; the pale part lies among its like. Of pages allocated before the recording began it has those that a page_owner dump names.',
  overTime: false,
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
  caveat: (data) =>
    lossCaveat(
      data,
      'a page whose freeing was lost still counts, one whose allocation was lost does not.',
    ),
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
  rows: (data, view) => ({ holders: barRows(data, view), table: tableRows(data) }),
  spec: (data, view) => ({
    $schema: SCHEMA_URL,
    title: holdersChart.title,
    description: holdersChart.description,
    width: DEFAULT_WIDTH,
    height: Math.max(60, holderGroups(data, view.by, null).length * 22),
    autosize: { type: 'fit-x', contains: 'padding' },
    padding: { left: 4, right: 12, top: 4, bottom: 4 },
    params: chartParams(),
    data: { name: 'holders' },
    mark: { type: 'bar', cornerRadiusEnd: 2, color: TYPE_COLORS.Unmovable! },
    encoding: {
      y: {
        field: 'label',
        type: 'nominal',
        sort: null,
        axis: {
          title: view.by === 'age' ? 'held for' : null,
          labelLimit: { expr: 'max(120, min(380, room * 0.7))' },
          ticks: false,
          domain: false,
        },
      },
      x: {
        field: 'pages',
        type: 'quantitative',
        axis: {
          title: pagesTitle(data),
          grid: true,
          tickCount: 5,
          labelExpr: SHORT_NUMBER,
        },
      },
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
  }),
};

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

function tableRows(data: ReportData): Row[] {
  return (data.holders?.holders ?? []).map((holder) => ({
    comm: holder.comm,
    gfp: holder.gfp,
    site: holder.site,
    type: holder.migratetype,
    mixed: holder.mixedPages,
    blocks: holder.mixedBlocks,
    pages: holder.pages,
    peak: holder.peakPages,
    age: Math.round(holder.meanAgeNs / 1e6) / 1e3,
  }));
}

/** Indices of the holders that get a colour of their own, most pages first. */
function leading(data: ReportData): number[] {
  const most = new Map<number, number>();
  for (const sample of data.holders?.samples ?? []) {
    for (const [index, pages] of sample.top) {
      if (index >= 0) most.set(index, Math.max(most.get(index) ?? 0, pages));
    }
  }
  return [...most]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, TOP_OVER_TIME)
    .map(([index]) => index);
}

export const holdersOverTimeChart: Chart = {
  id: 'holders-over-time',
  title: 'Immovable pages over time',
  description: 'Immovable pages allocated in the recording and held at each moment, by holder.',
  how: 'Pages that cannot be moved, stacked by who holds them. A burst that appears just before the windows above open is a suspect. Of pages allocated before the recording it has those that a page_owner dump names.',
  overTime: true,
  table: {
    dataset: 'held',
    columns: [
      ['t', 'Time (s)'],
      ['holder', 'Holder'],
      ['pages', 'Pages'],
    ],
  },
  emptyText: 'No immovable allocation was recorded.',
  hasData: (data) => leading(data).length > 0,
  rows: (data, view) => ({ held: heldRows(data, view.zone), ...lossRows(data) }),
  spec: (data, view) => {
    const names = [...leading(data).map((i) => label(data.holders!.holders[i]!)), OTHERS];
    return timeChart({
      data,
      view,
      title: holdersOverTimeChart.title,
      description: holdersOverTimeChart.description,
      height: 150,
      events: true,
      layer: [
        {
          data: { name: 'held' },
          mark: { type: 'area', interpolate: 'step-before', clip: true },
          encoding: {
            x: timeX('t'),
            y: { field: 'pages', stack: 'zero', ...valueY(pagesTitle(data)) },
            color: {
              field: 'holder',
              type: 'nominal',
              scale: {
                domain: names,
                range: [...CATEGORY_COLORS.slice(0, names.length - 1), '#6b7280'],
              },
              legend: {
                title: 'Holder',
                symbolType: 'square',
                labelLimit: 240,
                columns: legendColumns(260),
              },
            },
            tooltip: [
              { field: 'holder', type: 'nominal' },
              { field: 'pages', type: 'quantitative', format: ',' },
            ],
          },
        },
      ],
    });
  },
};

/** Samples of one zone, or of all; a machine of one zone has no others. */
export function holderSamples(data: ReportData, zone: number | null): readonly HolderSample[] {
  const { samples = [], zoneSamples } = data.holders ?? {};
  return (zone === null ? null : zoneSamples?.[zone]) ?? samples;
}

function heldRows(data: ReportData, zone: number | null): Row[] {
  const lead = leading(data);
  const rows: Row[] = [];
  for (const sample of holderSamples(data, zone)) {
    const t = toSeconds(data, sample.timeNs);
    const held = new Map(sample.top);
    let rest = 0;
    for (const [index, pages] of sample.top) if (!lead.includes(index)) rest += pages;
    for (const index of lead) {
      rows.push({ t, holder: label(data.holders!.holders[index]!), pages: held.get(index) ?? 0 });
    }
    rows.push({ t, holder: OTHERS, pages: rest });
  }
  return rows;
}
