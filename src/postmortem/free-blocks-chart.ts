/**
 * Chart: free memory of a report by block size, with the request's need marked (Vega-Lite).
 *
 * One row a zone. Colour says what the request could do with the memory: too small, in reach, or of
 * a type it may not take. A pure function of the findings: a spec with its data inside.
 */
import type { PostmortemReport, ZoneFinding } from './findings.js';
import { sizeOfKB, zoneName } from './words.js';

export type Spec = Readonly<Record<string, unknown>>;

const USES = ['too small', 'usable', 'kept back by a mark', 'of another type'] as const;
export type BlockUse = (typeof USES)[number];

export interface FreeBlockRow {
  readonly zone: string;
  readonly order: number;
  readonly size: string;
  readonly blocks: number;
  readonly mib: number;
  readonly letters: string;
  readonly use: BlockUse;
}

/** Okabe and Ito: told apart with any colour vision. */
const COLORS = ['#8a8f98', '#009e73', '#56b4e9', '#cc79a7'];
const NEED_COLOR = '#d55e00';

export function freeBlockRows(report: PostmortemReport): FreeBlockRow[] {
  const nodes = new Set(report.zones.map((zone) => zone.node)).size;
  const rows: FreeBlockRow[] = [];
  for (const zone of charted(report)) {
    zone.freeBlocks.forEach((blocks, order) => {
      rows.push({
        zone: zoneName(zone.node, zone.zone, nodes),
        order,
        size: sizeOfKB(report.pageKB * 2 ** order),
        blocks,
        mib: (blocks * report.pageKB * 2 ** order) / 1024,
        letters: zone.letters[order] ?? '',
        use: useOf(report, zone, order),
      });
    });
  }
  return rows;
}

/** Zones the request could use, largest first; more than six would only be scrolled past. */
function charted(report: PostmortemReport): ZoneFinding[] {
  return report.zones
    .filter((zone) => zone.eligible && zone.freeBlocks.length > 0)
    .sort((a, b) => (b.managedPages ?? 0) - (a.managedPages ?? 0))
    .slice(0, 6);
}

function useOf(report: PostmortemReport, zone: ZoneFinding, order: number): BlockUse {
  if (order < (report.order ?? 0)) return 'too small';
  const letters = zone.letters[order] ?? '';
  const special = letters !== '' && !/[UMER]/.test(letters);
  if (special && zone.reason !== 'should-have-passed') return 'of another type';
  return zone.pagesShort > 0 ? 'kept back by a mark' : 'usable';
}

export function hasFreeBlocks(report: PostmortemReport): boolean {
  return charted(report).length > 0;
}

export function freeBlocksChart(report: PostmortemReport): Spec {
  const rows = freeBlockRows(report);
  const need = sizeOfKB(report.pageKB * 2 ** (report.order ?? 0));
  const sizes = [...new Map(rows.map((row) => [row.order, row.size]))]
    .sort(([a], [b]) => a - b)
    .map(([, size]) => size);
  const x = {
    field: 'size',
    type: 'ordinal',
    sort: sizes,
    title: 'block size',
    axis: { labelAngle: -40 },
  };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: `Free memory by block size in each zone; the request needed ${need} in one piece.`,
    data: { values: rows },
    facet: { row: { field: 'zone', title: null, sort: [...new Set(rows.map((row) => row.zone))] } },
    resolve: { scale: { y: 'independent' } },
    spec: {
      width: 640,
      height: 110,
      layer: [
        {
          mark: { type: 'bar' },
          encoding: {
            x,
            y: { field: 'mib', type: 'quantitative', title: 'free (MiB)' },
            color: {
              field: 'use',
              type: 'nominal',
              title: null,
              scale: { domain: USES, range: COLORS },
              legend: { orient: 'top', labelLimit: 260 },
            },
          },
        },
        {
          transform: [{ filter: 'datum.blocks > 0' }],
          mark: { type: 'text', dy: -5, fontSize: 9 },
          encoding: {
            x,
            y: { field: 'mib', type: 'quantitative' },
            text: { field: 'blocks', type: 'quantitative', format: ',d' },
          },
        },
        {
          transform: [{ filter: `datum.order === ${report.order ?? 0}` }],
          mark: {
            type: 'rule',
            color: NEED_COLOR,
            strokeDash: [4, 3],
            strokeWidth: 2,
            xOffset: -14,
          },
          encoding: { x },
        },
        {
          transform: [{ filter: `datum.order === ${report.order ?? 0}` }],
          mark: { type: 'text', color: NEED_COLOR, align: 'left', dx: -10, y: 8 },
          encoding: { x, text: { value: `needed: ${need}` } },
        },
      ],
    },
  };
}
