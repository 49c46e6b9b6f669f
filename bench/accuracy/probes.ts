/**
 * The recorded atomic attempts, and every trace they left in the text.
 *
 * A probe is the line `atomicprobe: order=N ok=B pfn=P` of the module and the mm_page_alloc just before it on
 * the same cpu. Its traces: that line, its mm_page_alloc (refused: pfn 0), its mm_page_free, its
 * mm_vmscan_wakeup_kswapd, and, at orders that are not kept on per-cpu lists, the
 * mm_page_alloc_zone_locked or mm_page_alloc_extfrag that took its block. Refills of per-cpu lists stay:
 * the kernel did them, and their pages stayed there.
 */
import {
  lineEnd,
  lineStart,
  neighbours,
  type Range,
  readLine,
  type TraceLine,
  withStack,
} from './trace-text.js';

export interface Probe {
  /** Of its mm_page_alloc, on the trace's clock. */
  readonly timeNs: number;
  readonly order: number;
  readonly ok: boolean;
}

export interface ProbeTraces {
  readonly probes: readonly Probe[];
  readonly removed: readonly Range[];
  /** Probe lines whose mm_page_alloc is not in the text (lost): removed, not judged. */
  readonly unpaired: number;
}

const SPAN = 4000;
const LINE = /atomicprobe: order=(\d+) ok=([01]) pfn=0x([0-9a-f]+)/;
const FIELD = /\b(pfn|order|alloc_order)=(0x[0-9a-f]+|\d+)/g;
const PAGE_EVENTS = new Set([
  'mm_page_alloc',
  'mm_page_free',
  'mm_page_alloc_zone_locked',
  'mm_page_alloc_extfrag',
]);

interface Fields {
  pfn: number;
  order: number;
}

function fieldsOf(line: TraceLine): Fields {
  const fields: Fields = { pfn: Number.NaN, order: Number.NaN };
  for (const [, name, value] of line.fields.matchAll(FIELD)) {
    if (name === 'pfn') fields.pfn = Number(value);
    else fields.order = Number(value);
  }
  return fields;
}

/** Orders that this kernel keeps on per-cpu lists: 0 up to 5.13; then 0 to 3, and the huge page's. */
export function pcpOrdersOf(version: string, pageblockOrder: number): ReadonlySet<number> {
  const [major, minor] = (/(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  const many = major !== undefined && (major > 5 || (major === 5 && (minor ?? 0) >= 14));
  return new Set(many ? [0, 1, 2, 3, pageblockOrder] : [0]);
}

export function findProbes(text: Buffer, pcpOrders: ReadonlySet<number>): ProbeTraces {
  const probes: Probe[] = [];
  const removed: Range[] = [];
  let unpaired = 0;
  for (
    let at = text.indexOf('atomicprobe: ');
    at >= 0;
    at = text.indexOf('atomicprobe: ', at + 1)
  ) {
    const from = lineStart(text, at);
    removed.push([from, lineEnd(text, from)]);
    const match = LINE.exec(text.toString('latin1', at, lineEnd(text, at)));
    const line = readLine(text, from);
    if (!match || !line) continue;
    const order = Number(match[1]);
    const pfn = Number.parseInt(match[3]!, 16);
    const alloc = findAlloc(text, line, order, pfn);
    if (alloc === null) {
      unpaired++;
      continue;
    }
    probes.push({ timeNs: alloc.timeNs, order, ok: match[2] === '1' });
    removed.push(...withStack(text, alloc), ...before(text, alloc, order, pfn, pcpOrders));
    if (match[2] === '1') removed.push(...after(text, line, order, pfn));
  }
  return { probes, removed, unpaired };
}

function findAlloc(text: Buffer, probe: TraceLine, order: number, pfn: number): TraceLine | null {
  for (const line of neighbours(text, probe, -1, SPAN)) {
    if (line.fields.startsWith('atomicprobe:')) return null;
    if (line.event !== 'mm_page_alloc' || !line.fields.includes('gfp_flags=GFP_ATOMIC')) continue;
    const fields = fieldsOf(line);
    if (fields.order === order && fields.pfn === pfn) return line;
  }
  return null;
}

/** What the request did before its mm_page_alloc was printed. */
function before(
  text: Buffer,
  alloc: TraceLine,
  order: number,
  pfn: number,
  pcpOrders: ReadonlySet<number>,
): Range[] {
  const ranges: Range[] = [];
  for (const line of neighbours(text, alloc, -1, SPAN)) {
    const fields = fieldsOf(line);
    if (line.event === 'mm_vmscan_wakeup_kswapd') {
      if (fields.order === order && line.fields.includes('GFP_ATOMIC')) {
        ranges.push([line.from, line.to]);
      }
      continue;
    }
    if (line.fields.startsWith('atomicprobe:')) break;
    if (!PAGE_EVENTS.has(line.event)) continue;
    const removal = line.event.startsWith('mm_page_alloc_');
    const own = removal && fields.pfn === pfn && fields.order === order;
    if (!own || pcpOrders.has(order)) break;
    ranges.push(...withStack(text, line));
  }
  return ranges;
}

function after(text: Buffer, probe: TraceLine, order: number, pfn: number): Range[] {
  for (const line of neighbours(text, probe, 1, SPAN)) {
    if (line.fields.startsWith('atomicprobe: order=')) break;
    if (line.event !== 'mm_page_free') continue;
    const fields = fieldsOf(line);
    if (fields.pfn === pfn && fields.order === order) return withStack(text, line);
  }
  return [];
}
