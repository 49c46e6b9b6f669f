/**
 * Charts: who holds pages that cannot be moved, at the end and over time.
 */
import type { Holder, ReportData } from '../analysis/report-data.js';
import { type Chart, type Row, toSeconds } from './chart.js';
import { CATEGORY_COLORS, DEFAULT_WIDTH, TYPE_COLORS } from './theme.js';
import { honestyRows, inkParams, SCHEMA_URL, timeChart, timeX, valueY } from './time-chart.js';

const TOP = 15;
const TOP_OVER_TIME = 8;
const OTHERS = 'all others';

function label(holder: Holder): string {
  const gfp = holder.gfp.replaceAll('__GFP_', '').replaceAll('|', ' ');
  return `${holder.comm || '(no name)'} · ${gfp}${holder.site ? ` · ${holder.site}` : ''}`;
}

/** Immovable holders, most pages in mixed pageblocks first; by all pages where no block is mixed. */
export function topHolders(data: ReportData): Holder[] {
  return (data.holders?.holders ?? [])
    .filter((holder) => holder.migratetype !== 'Movable' && holder.pages > 0)
    .sort((a, b) => b.mixedPages - a.mixedPages || b.pages - a.pages)
    .slice(0, TOP);
}

export const holdersChart: Chart = {
  id: 'holders',
  title: 'Who holds the pages that cannot move',
  description:
    'The tasks and gfp flags that hold most immovable pages at the end of the recording, in movable pageblocks and elsewhere.',
  how: 'A page that cannot be moved (a kernel structure, a driver buffer) keeps its whole pageblock from ever becoming one large block. Bars count such pages still held at the end, by the task that allocated them and the flags it used. The strong part lies in pageblocks meant for movable memory, where it does harm; the pale part lies among its like.',
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
  hasData: (data) => topHolders(data).length > 0,
  rows: (data) => ({ holders: barRows(data), table: tableRows(data) }),
  spec: (data) => ({
    $schema: SCHEMA_URL,
    title: holdersChart.title,
    description: holdersChart.description,
    width: DEFAULT_WIDTH,
    height: Math.max(60, topHolders(data).length * 22),
    autosize: { type: 'fit-x', contains: 'padding' },
    padding: { left: 4, right: 12, top: 4, bottom: 4 },
    params: inkParams(),
    data: { name: 'holders' },
    mark: { type: 'bar', cornerRadiusEnd: 2 },
    encoding: {
      y: {
        field: 'label',
        type: 'nominal',
        sort: null,
        axis: {
          title: null,
          labelLimit: { expr: 'max(120, min(380, width * 0.6))' },
          ticks: false,
          domain: false,
        },
      },
      x: {
        field: 'pages',
        type: 'quantitative',
        axis: { title: 'pages', grid: true, tickCount: 5 },
      },
      color: {
        field: 'type',
        type: 'nominal',
        scale: { domain: Object.keys(TYPE_COLORS), range: Object.values(TYPE_COLORS) },
        legend: null,
      },
      opacity: {
        field: 'where',
        type: 'ordinal',
        scale: { domain: ['in movable pageblocks', 'among their like'], range: [1, 0.35] },
        legend: { title: 'Where they lie', symbolType: 'square', symbolFillColor: '#d55e00' },
      },
      order: { field: 'rank', type: 'quantitative' },
      tooltip: [
        { field: 'label', type: 'nominal', title: 'holder' },
        { field: 'where', type: 'nominal', title: 'where' },
        { field: 'pages', type: 'quantitative', title: 'pages', format: ',' },
        { field: 'blocks', type: 'quantitative', title: 'pageblocks touched', format: ',' },
      ],
    },
  }),
};

function barRows(data: ReportData): Row[] {
  return topHolders(data).flatMap((holder) => {
    const base = { label: label(holder), type: holder.migratetype, blocks: holder.mixedBlocks };
    return [
      { ...base, where: 'in movable pageblocks', pages: holder.mixedPages, rank: 0 },
      { ...base, where: 'among their like', pages: holder.pages - holder.mixedPages, rank: 1 },
    ];
  });
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
  how: 'Pages allocated since the recording began that cannot be moved, stacked by who holds them. A burst that appears just before the windows above open is a suspect. Pages allocated before the recording are not in it.',
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
  rows: (data, view) => ({ held: heldRows(data), ...honestyRows(data, view) }),
  spec: (data, view) => {
    const names = [...leading(data).map((i) => label(data.holders!.holders[i]!)), OTHERS];
    return timeChart({
      data,
      view,
      title: holdersOverTimeChart.title,
      description: holdersOverTimeChart.description,
      height: 150,
      layer: [
        {
          data: { name: 'held' },
          mark: { type: 'area', interpolate: 'step-before', clip: true },
          encoding: {
            x: timeX('t'),
            y: { field: 'pages', stack: 'zero', ...valueY('pages') },
            color: {
              field: 'holder',
              type: 'nominal',
              scale: {
                domain: names,
                range: [...CATEGORY_COLORS.slice(0, names.length - 1), '#8a8f98'],
              },
              legend: {
                title: 'Holder',
                symbolType: 'square',
                labelLimit: 240,
                columns: { expr: 'max(1, floor(width / 260))' },
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

function heldRows(data: ReportData): Row[] {
  const lead = leading(data);
  const rows: Row[] = [];
  for (const sample of data.holders?.samples ?? []) {
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
