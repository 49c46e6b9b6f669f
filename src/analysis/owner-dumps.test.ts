import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { convertEvents, convertSnapshots } from '../recording/convert.js';
import { openRecording } from '../recording/open.js';
import type { Recording } from '../recording/recording.js';
import { printkClock } from '../records/printk-clock.js';
import { reconstruct } from '../replay/reconstruct.js';
import { placedDumps } from './owner-dumps.js';
import type { Holder } from './report-data.js';
import { createReportObservers } from './report-observers.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'buddyscope-owners-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const alloc = (time: string, pfn: number): string =>
  `dd-10 [000] ..... ${time}: mm_page_alloc: page=0 pfn=0x${pfn.toString(16)} order=0 migratetype=0 gfp_flags=GFP_KERNEL\n`;
const free = (time: string, pfn: number, order: number): string =>
  `dd-10 [000] ..... ${time}: mm_page_free: page=0 pfn=0x${pfn.toString(16)} order=${order}\n`;
const owner = (comm: string, ts: number, pfn: number, order: number): string =>
  `Page allocated via order ${order}, mask 0xcc0(GFP_KERNEL), pid 7, tgid 7 (${comm}), ts ${ts} ns\n` +
  `PFN 0x${pfn.toString(16)} type Unmovable Block 8 type Unmovable Flags 0x0()\n` +
  ' post_alloc_hook+0x1e5/0x210\n get_page_from_freelist+0x3d2/0x4c0\n driver_fill_ring+0x12/0x90\n\n';

/** Without pid, comm, time and a type by name. */
const V44 = `Page allocated via order 3, mask 0x24280c0
PFN 28672 Block 8 type 2 Fallback Flags UPTODATE|LRU
 [<ffffffff811d3f0c>] new_slab+0x2cc/0x3a0

`;

const TRACE =
  alloc('100.000100', 0x1000) + free('100.600000', 0x2000, 2) + alloc('100.700000', 0x5000);
/** Allocated before the recording. */
const OLD = owner('driver', 5e9, 0x2000, 2);

async function open(dump: string, undated: string): Promise<Recording> {
  const trace = join(folder, 'trace.txt');
  const owners = join(folder, 'page_owner');
  writeFileSync(trace, TRACE);
  writeFileSync(owners, dump);
  return openRecording([trace, owners], { readerThread: null, formatOptions: { undated } });
}

/** The same through NDJSON. */
async function reopen(recording: Recording, undated: string): Promise<Recording> {
  const path = join(folder, 'all.ndjson');
  const texts = [...convertEvents(recording, 'ndjson'), ...convertSnapshots(recording, 'ndjson')];
  writeFileSync(path, texts.join(''));
  return openRecording([path], { readerThread: null, formatOptions: { undated } });
}

async function holdersWith(dump: string, undated: string): Promise<Record<string, Holder>> {
  const { holders } = reportOf(await open(dump, undated));
  return Object.fromEntries(holders!.holders.map((holder) => [holder.comm, holder]));
}

/** What the observers of a report say; closes the recording. */
function reportOf(recording: Recording) {
  const replay = reconstruct(recording);
  const report = createReportObservers({
    ...replay.span(),
    strings: recording.strings,
    zoneCount: 1,
    switches: replay.profile.profile.switches,
    node: 0,
    dumps: placedDumps(recording.snapshots),
    printk: printkClock(recording.clock.name, recording.clock.epochS),
  });
  replay.run(report.observers);
  const collected = report.collect();
  replay.close();
  recording.close();
  return collected;
}

it('a dump names who held pages before the recording began, and by which call', async () => {
  const { driver, dd } = await holdersWith(OLD, 'start');
  expect(driver).toMatchObject({ pages: 0, peakPages: 4, site: 'driver_fill_ring' });
  expect(dd).toMatchObject({ pages: 2, allocs: 2 });
});

it('a dump from the end names what is held then, and tells what was held from the start', async () => {
  const dump =
    owner('old', 5e9, 0x4000, 3) +
    owner('dd', 100_000_100_000, 0x1000, 0) +
    owner('unseen', 100.5e9, 0x3000, 1);
  const { driver, old, dd, unseen } = await holdersWith(dump, 'end');
  expect(driver).toBeUndefined();
  expect(old).toMatchObject({ pages: 8, peakPages: 8, allocs: 0, migratetype: 'Unmovable' });
  expect(Math.round(old!.meanAgeNs / 1e9)).toBe(96);
  // Its own events say the same of dd: it is not counted twice.
  expect(dd).toMatchObject({ pages: 2, allocs: 2 });
  expect(unseen).toMatchObject({ pages: 2, allocs: 0 });
});

it.each(['start', 'end'])(
  'a dump from the %s says the same when it was converted',
  async (undated) => {
    const dump =
      OLD + owner('old', 5e9, 0x4000, 3) + owner('unseen', 100_500_000_001, 0x3000, 1) + V44;
    const original = await open(dump, undated);
    const converted = await reopen(original, undated);
    const [there, back] = [original, converted].map(({ snapshots }) => placedDumps(snapshots));
    expect(back!.map(({ time, length }) => [time, length])).toEqual(
      there!.map(({ time, length }) => [time, length]),
    );
    const report = reportOf(converted);
    expect(report).toEqual(reportOf(original));
    expect(report.holders!.holders.map(({ comm }) => comm)).toContain('old');
  },
);

it('clocks that cannot be compared are not', () => {
  expect(printkClock('local', 12)).toEqual({ offsetNs: 12e9, doubtNs: 0 });
  expect(printkClock('mono', 12)?.doubtNs).toBeGreaterThan(0);
  expect(printkClock('counter', 0)).toBeNull();
  expect(printkClock('tai', 1_700_000_000)).toBeNull();
});
