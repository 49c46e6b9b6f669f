/**
 * LLFree replay traces to events. Pages are per cpu and come in any order: events are sorted within
 * a window of SORT_LIMIT rows. Times are microseconds; masks are kept as `0x…`.
 */
import { EventKind } from '../../src/records/events.js';
import { RowWriter } from '../event-format/row-writer.js';
import type { Detection, ParseContext, RandomAccess } from '../format.js';
import { ThreadNames } from '../perf-data/thread-names.js';
import { SORT_LIMIT, TimeSorter } from '../perf-data/time-sorter.js';
import { Reporter } from '../trace-dat/reporter.js';
import { ENTRIES, ENTRY_BYTES, FIRST_ENTRY, PAGE_BYTES, readEntry } from './layout.js';

const MAX_CORES = 4096;

export function detectLlfree(head: Uint8Array): Detection | null {
  if (head.length < 2 * PAGE_BYTES) return null;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const pages = view.getUint32(0, true);
  const cores = view.getUint32(4, true);
  const maxPfn = view.getUint32(8, true);
  if (pages === 0 || cores === 0 || cores > MAX_CORES || maxPfn === 0) return null;
  for (let at = 12; at < PAGE_BYTES; at++) if (head[at] !== 0) return null;
  if (!firstPageFits(view, cores, maxPfn)) return null;
  return { confidence: 0.7, why: `an LLFree trace header: ${cores} cores, largest pfn ${maxPfn}` };
}

function firstPageFits(view: DataView, cores: number, maxPfn: number): boolean {
  const at = PAGE_BYTES;
  if (view.getUint32(at, true) >= cores) return false;
  const entry = { timeUs: 0, pfn: 0, alloc: false, order: 0, gfp: 0, pid: 0 };
  let seen = 0;
  let last = 0;
  for (let i = 0; i < ENTRIES; i++) {
    readEntry(view, at + FIRST_ENTRY + i * ENTRY_BYTES, entry);
    if (entry.pfn === 0) break;
    if (entry.pfn > maxPfn || entry.order > 10 || entry.timeUs < last) return false;
    last = entry.timeUs;
    seen++;
  }
  return seen > 0;
}

export function parseLlfree(file: RandomAccess, context: ParseContext): void {
  const { source, strings, clock } = context;
  const reporter = new Reporter(context.diagnostics, source.name);
  const names = new ThreadNames(strings.comms);
  const sorter = new TimeSorter(names, (batch) => context.sink.events(batch));
  const writer = new RowWriter(context, (batch) => sorter.take(batch));
  const masks = new Map<number, number>();
  const entry = { timeUs: 0, pfn: 0, alloc: false, order: 0, gfp: 0, pid: 0 };
  for (let at = PAGE_BYTES; at < file.size; at += PAGE_BYTES) {
    const bytes = file.read(at, PAGE_BYTES);
    if (bytes.length < PAGE_BYTES) {
      reporter.cut('a page of events', at, PAGE_BYTES, bytes.length);
      break;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const cpu = view.getUint32(0, true) & 0xffff;
    for (let i = 0; i < ENTRIES; i++) {
      readEntry(view, FIRST_ENTRY + i * ENTRY_BYTES, entry);
      if (entry.pfn === 0) break;
      const seconds = Math.floor(entry.timeUs / 1e6);
      writer.page({
        kind: entry.alloc ? EventKind.alloc : EventKind.free,
        timeNs: clock.toNs(seconds, (entry.timeUs - seconds * 1e6) * 1000),
        cpu,
        pid: entry.pid,
        comm: '',
        pfn: entry.pfn,
        order: entry.order,
        migratetype: -1,
        detail: entry.alloc ? maskId(masks, context, entry.gfp) : 0,
      });
    }
  }
  sorter.finish(writer.finish());
  if (sorter.overflowed > 0) reporter.report('merge-budget', null, { limit: SORT_LIMIT });
}

function maskId(masks: Map<number, number>, context: ParseContext, mask: number): number {
  let id = masks.get(mask);
  if (id === undefined) {
    id = context.strings.gfps.internText(`0x${mask.toString(16)}`) & 0xffff;
    if (masks.size < 65_536) masks.set(mask, id);
  }
  return id;
}
