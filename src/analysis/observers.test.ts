import { inflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { profileOfText } from '../kernel/profile.js';
import { EventBatch, EventKind } from '../records/events.js';
import { RecordingStrings } from '../records/strings.js';
import { showEvent } from '../replay/watchers.js';
import { AttemptsObserver } from './attempts.js';
import { HeadroomObserver } from './headroom.js';
import { callSite } from './holders.js';
import { writeNarrative } from './narrative.js';
import { unpackBlocks } from './page-pack.js';
import type { ReportData } from './report-data.js';
import { PAGE_STATES } from './report-data.js';
import { sampleReport } from './testing/sample-report.js';
import { CHECKERBOARD_SPAN, checkerboard, SyntheticMachine } from './testing/synthetic.js';
import { bucketOf, timeGrid } from './time-grid.js';

const data = sampleReport();

/** The machine after the whole workload, to compare with. */
const machine = new SyntheticMachine(() => []);
checkerboard(machine);

function sumOfBlocks(report: ReportData, zone: number, bucket: number): number {
  return report.timeline.zones[zone]!.last.reduce((sum, row, q) => sum + row[bucket]! * 2 ** q, 0);
}

it('ends the timeline with the state the machine is in', () => {
  const last = data.timeline.buckets - 1;
  machine.state.zones.forEach((zone, z) => {
    const line = data.timeline.zones[z]!;
    expect(line.last.map((row) => row[last])).toEqual([...zone.free]);
    expect(line.freePages[last]).toBe(zone.freePages);
    expect(line.high?.[10]?.[last] ?? line.last[10]![last]).toBe(zone.high[10]);
  });
});

it('keeps free pages, blocks and extremes of every bucket consistent', () => {
  data.timeline.zones.forEach((zone, z) => {
    for (let b = 0; b < data.timeline.buckets; b++) {
      expect(sumOfBlocks(data, z, b)).toBe(zone.freePages[b]);
      expect(zone.freePagesMin[b]).toBeLessThanOrEqual(zone.freePages[b]!);
      expect(zone.freePagesMax[b]).toBeGreaterThanOrEqual(zone.freePages[b]!);
      for (let q = 0; q < data.orders; q++) {
        expect(zone.min[q]![b]).toBeLessThanOrEqual(zone.last[q]![b]!);
        expect(zone.max[q]![b]).toBeGreaterThanOrEqual(zone.last[q]![b]!);
      }
    }
  });
});

it('shows headroom 0 exactly where windows say that a request fails', () => {
  const { timeline, headroom, windows } = data;
  for (const order of [1, 2, 3, 5, 8, 10]) {
    for (let b = 0; b < timeline.buckets; b++) {
      const endNs = timeline.fromNs + (b + 1) * timeline.bucketNs;
      const failing = windows.some(
        (w) => w.order === order && w.fromNs < endNs - 1e6 && w.toNs > endNs + 1e6,
      );
      if (failing) expect(headroom.last[order]![b]).toBe(0);
      else if (headroom.min[order]![b] === 0) {
        const near = windows.some(
          (w) =>
            w.order === order &&
            w.fromNs <= endNs + 1e6 &&
            w.toNs >= endNs - timeline.bucketNs - 1e6,
        );
        expect(near).toBe(true);
      }
    }
  }
});

it('counts each refusal once, by order and class', () => {
  const { attempts } = data;
  const failed = attempts.counts.reduce((sum, count) => sum + count.failed, 0);
  const bucketed = attempts.refusals.reduce((sum, { count }) => sum + count, 0);
  expect(failed).toBe(attempts.refusalsTotal);
  expect(bucketed).toBe(attempts.refusalsTotal);
  expect(attempts.examples.every(({ ok }) => !ok)).toBe(true);
  expect(attempts.counts.some((count) => count.class === 'atomic' && count.failed > 0)).toBe(true);
});

it('attributes what is held at the end to who allocated it', () => {
  const holders = data.holders!;
  const held = holders.holders.reduce((sum, holder) => sum + holder.pages, 0);
  const total = machine.state.zones.reduce((sum, z) => sum + z.managed - z.freePages, 0);
  expect(held).toBe(total);
  expect(holders.unattributedPages).toBe(0);
  const udev = holders.holders.find(({ comm }) => comm === 'systemd-udevd')!;
  expect(udev.migratetype).toBe('Unmovable');
  expect(udev.mixedPages).toBe(udev.pages);
  expect(udev.mixedBlocks).toBeGreaterThan(10);
  const hog = holders.holders.find(({ comm }) => comm === 'hog_tick');
  expect(hog?.pages ?? 0).toBe(0);
  expect(hog?.peakPages ?? 0).toBeGreaterThan(100);
});

it('maps each pageblock with the share that is free at the sampled times', () => {
  const map = data.physicalMap!;
  const bytes = Buffer.from(map.free, 'base64');
  const rows = map.rows.length;
  expect(bytes.length).toBe(rows * map.timesNs.length);
  const last = bytes.subarray((map.timesNs.length - 1) * rows);
  map.rows.forEach((row, r) => {
    let free = 0;
    for (let p = row.pfn; p < row.pfn + row.pages; p++) free += machine.state.pages[p]! & 1;
    expect(last[r]).toBe(Math.round((free / row.pages) * 200));
  });
});

it('knows every page of every pageblock at the end', () => {
  const { pages, pageblockOrder } = data.physicalMap!;
  const blocks = unpackBlocks(inflateSync(Buffer.from(pages.packed, 'base64')));
  expect(blocks).toHaveLength(machine.state.pages.length >> pageblockOrder);
  for (const { pfn, versions } of blocks) {
    let next = pfn;
    for (const run of versions.at(-1)!.runs) {
      for (let p = next; p < next + run.pages; p++) {
        expect(PAGE_STATES[run.state] === 'free').toBe((machine.state.pages[p]! & 1) === 1);
      }
      next += run.pages;
    }
    expect(next).toBe(pfn + 2 ** pageblockOrder);
  }
});

it('spreads what immovable holders have over zones and ages without losing a page', () => {
  const held = data.holders!.holders.filter(({ migratetype }) => migratetype !== 'Movable');
  expect(held.some(({ pages }) => pages > 0)).toBe(true);
  for (const holder of held) {
    const sum = (plane: 'pages' | 'mixed'): number =>
      holder.spread!.flatMap((part) => part[plane]).reduce((a, b) => a + b, 0);
    expect(sum('pages')).toBe(holder.pages);
    expect(sum('mixed')).toBe(holder.mixedPages);
  }
});

it('says what headroom the bounds of the free lists leave open', () => {
  const zone = {
    ...machine.state.zones[0]!,
    free: Int32Array.of(4, 2, 3),
    low: Int32Array.of(4, 2, 1),
    high: Int32Array.of(6, 3, 5),
    freePages: 20,
    certainty: 'bounded' as const,
    marks: { min: 0, low: 0, high: 0, boost: 0, protection: [] },
  };
  const state = { ...machine.state, orders: 3, zones: [zone], timeNs: 5 };
  const headroomAt = (certainty: 'bounded' | 'exact') => {
    const observer = new HeadroomObserver({
      grid: timeGrid(0, 10, 1),
      switches: profileOfText('6.1.192')!.switches,
      gfps: ['GFP_ATOMIC'],
      node: 0,
    });
    const now = { ...state, zones: [{ ...zone, certainty }] };
    observer.start(now);
    observer.end(now);
    return observer.result();
  };
  const { last, low, high } = headroomAt('bounded');
  expect(last.map(([n]) => n)).toEqual([20, 8, 3]);
  expect(low!.map(([n]) => n)).toEqual([12, 4, 1]);
  expect(high!.map(([n]) => n)).toEqual([32, 13, 5]);
  expect(headroomAt('exact')).toMatchObject({ low: null, high: null });
});

it('keeps markers of the workload, not those of the snapshot recorder', () => {
  const texts = data.timeline.markers.map(({ text }) => text);
  expect(texts).toContain('phase burst');
  expect(texts.some((text) => text.startsWith('snap'))).toBe(false);
  expect(data.timeline.lost).toMatchObject([{ cpu: 1, count: 1200 }]);
});

it('says who took from whom', () => {
  expect(data.extfrag.cells).toHaveLength(1);
  const [cell] = data.extfrag.cells;
  expect(cell).toMatchObject({ from: 'Movable', to: 'Unmovable' });
  expect(cell!.series.reduce((a, b) => a + b, 0)).toBe(data.extfrag.total);
});

it('adds up windows by order to what the verdict says', () => {
  for (const total of data.totals) {
    const windows = data.windows.filter((w) => w.order === total.order);
    expect(total.windows).toBe(windows.length);
    expect(total.ns).toBe(windows.reduce((sum, w) => sum + w.toNs - w.fromNs, 0));
    expect(total.share).toBeLessThanOrEqual(1);
  }
  expect(data.narrative.verdict).toMatch(
    /^An atomic request for \d+.KiB in one piece \(order.\d\) or more would have failed/,
  );
  expect(data.narrative.facts).toHaveLength(3);
  expect(data.narrative.tone).toBe('bad');
});

it('leads with refusals that were met when windows alone would hide them', () => {
  const { narrative: _narrative, ...rest } = data;
  const brief = rest.totals.map((t) => ({ ...t, share: t.order < 9 ? 1e-6 : t.share }));
  const met = writeNarrative({ ...rest, totals: brief });
  expect(met.verdict).toMatch(
    /^The kernel refused \d+ atomic requests for 8.KiB in one piece \(order.1\) /,
  );
  expect(met.verdict).toContain('such a request fails in');
  const unexplained = writeNarrative({ ...rest, totals: brief, windows: [] });
  expect(unexplained.verdict).toContain('should have been served');
  expect(unexplained.trust.join(' ')).toMatch(/0.% fall into a window/);
});

it('says plainly when nothing is wrong', () => {
  const calm = sampleReport({
    span: CHECKERBOARD_SPAN,
    workload: (m) => {
      for (let i = 0; i < 50; i++) m.free(m.alloc(3, 'eth0', 'GFP_ATOMIC', 0), 3, 'eth0');
      m.end();
    },
  });
  expect(calm.narrative.verdict).toMatch(/^Nothing wrong/);
  expect(calm.narrative.tone).toBe('good');
  expect(calm.narrative.facts.map(({ figure }) => figure)).toContain('0 refusals');
});

it('samples holders once a time, also where the last event is the end', () => {
  const lastNs = machine.state.timeNs;
  // Sixty samples of whole nanoseconds: the last event falls on the last one.
  const { holders } = sampleReport({ span: { fromNs: lastNs - 60 * 20e6, toNs: lastNs } });
  const times = holders!.samples.map(({ timeNs }) => timeNs);
  expect(times.at(-1)).toBe(lastNs);
  expect(new Set(times).size).toBe(times.length);
});

it('doubts that what was allocated before a loss is still held', () => {
  const { holders } = sampleReport({
    workload: (m) => {
      const before = Array.from({ length: 5 }, () => m.alloc(0, 'old', 'GFP_KERNEL', 0));
      m.lost(10);
      m.free(before[0]!, 0, 'old');
      for (let i = 0; i < 3; i++) m.alloc(1, 'new', 'GFP_KERNEL', 0);
      m.end();
    },
  });
  const doubtful = (comm: string): number =>
    holders!.holders
      .filter((holder) => holder.comm === comm)
      .flatMap(({ spread }) => spread!.flatMap((part) => part.doubtful))
      .reduce((sum, pages) => sum + pages, 0);
  expect({ old: doubtful('old'), new: doubtful('new') }).toEqual({ old: 4, new: 0 });
  expect(holders!.samples.at(-1)).toMatchObject({ total: 10, doubtful: 4 });
});

it('does not say of an order that it always succeeded which the kernel refused', () => {
  const { narrative: _narrative, ...rest } = data;
  const totals = rest.totals.filter(({ order }) => order > 3);
  const { paragraphs } = writeNarrative({ ...rest, totals });
  const clean = paragraphs.find((text) => text.includes('would always have succeeded'))!;
  const surprise = paragraphs.find((text) => text.startsWith('The kernel also refused'))!;
  const [, refused] = /orders? ([\d to,and]+), which/.exec(surprise)!;
  expect(clean ?? '').not.toContain(`${refused} would always`);
});

it('gives an estimate as one, and what is sure to the last digit', () => {
  const { narrative: _narrative, ...rest } = data;
  const doubtful = rest.totals.map((t) => ({ ...t, ns: 956_123_456, exactNs: 0 }));
  const { verdict, facts } = writeNarrative({ ...rest, totals: doubtful });
  expect(verdict).toMatch(/for about 960.ms of the/);
  expect(facts[0]!.figure).toMatch(/^about 960.ms$/);
  expect(facts[0]!.text).toContain('best estimate');
  const sure = doubtful.map((t) => ({ ...t, exactNs: t.ns }));
  expect(writeNarrative({ ...rest, totals: sure }).verdict).toMatch(/for 956.ms of the/);
});

it('calls atomic only what is', () => {
  const { narrative: _narrative, ...rest } = data;
  const said = (gfp: string): string =>
    writeNarrative({
      ...rest,
      windows: rest.windows.map((window) => ({ ...window, gfp })),
      totals: rest.totals.map((total) => ({ ...total, gfp })),
      judged: { orders: [1, 2, 3], gfps: [gfp] },
    }).verdict;
  expect(said('GFP_ATOMIC|__GFP_NOMEMALLOC')).toMatch(
    /^An atomic request with __GFP_NOMEMALLOC for/,
  );
  expect(said('GFP_KERNEL')).toMatch(
    /^A request with GFP_KERNEL for .* would not have been served at once for/,
  );
});

it('says nothing of requests that were not judged', () => {
  const { narrative: _narrative, ...rest } = data;
  const of = (order: number) => order === 9;
  const some = {
    ...rest,
    windows: rest.windows.filter(({ order }) => of(order)),
    totals: rest.totals.filter(({ order }) => of(order)),
    judged: { orders: [9], gfps: ['GFP_ATOMIC'] },
  };
  const { verdict, paragraphs, trust } = writeNarrative(some);
  expect(verdict).toMatch(/^An atomic request for 2.MiB in one piece \(order.9\) would/);
  expect(paragraphs.join(' ')).not.toMatch(/always have succeeded|should have been served/);
  expect(trust).toContain('Only requests of order 9 were judged, as --order says.');
  const none = writeNarrative({ ...some, windows: [], totals: [] });
  expect(none.verdict).toContain('up to 2\u00a0MiB');
});

it('puts times outside the span into the nearest bucket', () => {
  const grid = timeGrid(100, 200, 10);
  expect([50, 100, 199, 200, 1e9, Number.NaN].map((t) => bucketOf(grid, t))).toEqual([
    0, 0, 9, 9, 9, 0,
  ]);
  expect(timeGrid(Number.NaN, Number.NaN, 10).bucketNs).toBeGreaterThan(0);
});

it('survives orders and times no kernel has', () => {
  const strings = new RecordingStrings();
  const observer = new AttemptsObserver({
    grid: timeGrid(0, 10, 4),
    strings,
    classOf: () => 'atomic',
  });
  const batch = new EventBatch(1);
  batch.length = 1;
  batch.kind[0] = EventKind.alloc;
  batch.order[0] = 255;
  batch.pfn[0] = -1;
  batch.timeNs[0] = Number.NaN;
  showEvent(observer, machine.state, batch, 0);
  expect(observer.result().refusalsTotal).toBe(1);
});

it('names the caller, not the allocator', () => {
  const stack =
    '=> __alloc_pages\n=> new_slab\n=> cp_rx_poll [8139cp]\n=> __napi_poll\n=> net_rx_action\n=> x';
  expect(callSite(stack)).toBe('cp_rx_poll [8139cp] ← __napi_poll ← net_rx_action');
});
