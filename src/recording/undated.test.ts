import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decompress } from 'fzstd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Diagnostics } from '../records/diagnostics.js';
import { EventBatch, EventKind } from '../records/events.js';
import { isPageMap, type PageMapSnapshot } from '../records/page-claims.js';
import { NO_TIME, PageClass } from '../records/snapshot.js';
import { reconstruct } from '../replay/reconstruct.js';
import { locateMaps, NOT_LOOKED_AT } from './locate-maps.js';
import { openRecording } from './open.js';
import type { Recording } from './recording.js';
import { placeUndated } from './undated.js';

const ROOT = join(import.meta.dirname, '../..');
const SAMPLES = join(ROOT, 'samples');
const COUNTS = join(ROOT, 'parsers/kpagecount/fixtures');
const open = (inputs: string[], formatOptions = {}): Promise<Recording> =>
  openRecording(inputs, { readerThread: null, formatOptions });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'buddyscope-undated-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function mapsOf(recording: Recording): PageMapSnapshot[] {
  return recording.snapshots.filter(isPageMap);
}

describe('copies of single pages without a time', () => {
  it.each([
    [join(SAMPLES, 'k61-tiny'), 4, 4],
    [join(SAMPLES, 'k510-net'), 4, 3],
    [join(SAMPLES, 'k61-checker'), 6, 4],
    [COUNTS, 4, 3],
  ])('%s: stand where they were taken', async (path, copies, least) => {
    const recording = await open([path]);
    const maps = mapsOf(recording);
    expect(maps).toHaveLength(copies);
    const places = locateMaps(
      maps.map((map) => ({ ...map, time: NO_TIME })),
      recording.events,
    );
    let placed = 0;
    maps.forEach(({ time }, m) => {
      const place = places[m];
      if (!place || place === NOT_LOOKED_AT) return;
      placed++;
      expect(place.beginEvent).toBeLessThanOrEqual(time.beginEvent!);
      expect(place.endEvent).toBeGreaterThanOrEqual(time.endEvent!);
    });
    expect(placed).toBeGreaterThanOrEqual(least);
    recording.close();
  });

  it('of another machine are not placed', async () => {
    const recording = await open([join(SAMPLES, 'k61-tiny', 'trace.txt.zst')]);
    const other = await open([join(SAMPLES, 'k61-checker')]);
    const undated = mapsOf(other).map((map) => ({ ...map, time: NO_TIME }));
    expect(locateMaps(undated, recording.events).filter((place) => place)).toEqual([]);
    recording.close();
    other.close();
  });

  it('are placed when a recording is opened, and seed the replay without a claim to be exact', async () => {
    const sample = join(SAMPLES, 'k61-tiny');
    const copy = join(folder, 'memory.bin');
    writeFileSync(
      copy,
      decompress(readFileSync(join(sample, 'snapshots', 'kpageflags-25.bin.zst'))),
    );
    const recording = await open([join(sample, 'trace.txt.zst'), copy]);
    expect(recording.alignment.byPages).toBe(1);
    const { time } = mapsOf(recording)[0]!;
    expect(time).toMatchObject({ clock: 'trace', located: true });
    expect(recording.diagnostics.counts().map(([code]) => code)).toContain('snapshot-located');
    const replay = reconstruct(recording);
    expect(replay.seed).toBe('kpageflags');
    const certainties = new Set<string>();
    replay.run([
      {
        end: (state) => {
          for (const { certainty } of state.zones) certainties.add(certainty);
        },
      },
    ]);
    expect([...certainties]).toEqual(['unknown']);
    replay.close();
    recording.close();
  });

  it('of one file stand each where it fits, not all where the last one does', async () => {
    const recording = await open([join(SAMPLES, 'k61-tiny')]);
    const undated = mapsOf(recording).map((map) => ({ ...map, time: NO_TIME }));
    const options = { where: null, epochS: 0, clockName: 'mono' };
    const timesOf = (maps: readonly PageMapSnapshot[]) =>
      placeUndated(maps, recording.events, options, new Diagnostics()).map(({ time }) => time);
    const apart = timesOf(undated);
    expect(new Set(apart.map(({ beginNs }) => beginNs)).size).toBeGreaterThan(1);
    expect(timesOf(undated.map((map) => ({ ...map, source: 'one' })))).toEqual(apart);
    recording.close();
  });

  it('stand where the user says', async () => {
    const sample = join(SAMPLES, 'k61-tiny');
    const inputs = [join(sample, 'trace.txt.zst'), join(sample, 'system', 'buddyinfo.txt')];
    for (const undated of ['start', 'end']) {
      const recording = await open(inputs, { undated });
      const event = undated === 'start' ? 0 : recording.events.length;
      const times = recording.snapshots.map(({ time }) => [time.clock, time.beginEvent]);
      expect(times).toEqual([['trace', event]]);
      recording.close();
    }
    const recording = await open(inputs);
    expect(recording.snapshots.map(({ time }) => time.clock)).toEqual(['none']);
    expect(recording.diagnostics.counts().map(([code]) => code)).toContain('snapshot-undated');
    recording.close();
  });
});

/** Free blocks of a map of free pages as `crash kmem -F` prints them, and how many there are of each order. */
function crashText(classes: Uint8Array): { text: string; counts: number[] } {
  const zones = [
    { name: 'DMA', from: 0, to: 4096 },
    { name: 'DMA32', from: 4096, to: classes.length },
  ];
  const counts: number[] = [];
  let text = 'NODE\n  0\n';
  zones.forEach(({ name, from, to }, z) => {
    const base = 0xffffea0000000000n + BigInt(from) * 64n;
    const blocks: number[][] = Array.from({ length: 11 }, () => []);
    for (let pfn = from; pfn < to; ) {
      const order = freeOrder(classes, pfn, to);
      if (order >= 0) blocks[order]!.push(pfn);
      pfn += order < 0 ? 1 : 2 ** order;
    }
    text += 'ZONE  NAME  SIZE  FREE  MEM_MAP  START_PADDR  START_MAPNR\n';
    text += `  ${z}  ${name}  ${to - from}  0  ${base.toString(16)}  ${(from * 4096).toString(16)}  ${from}\n`;
    text += 'AREA  SIZE  FREE_AREA_STRUCT  BLOCKS  PAGES\n';
    blocks.forEach((pfns, order) => {
      text += ` ${order}  ${4 * 2 ** order}k  ffff88003ffd9068  ${pfns.length}  ${pfns.length * 2 ** order}\n`;
      for (const pfn of pfns) text += `${(base + BigInt(pfn - from) * 64n).toString(16)}\n`;
      counts[order] = (counts[order] ?? 0) + pfns.length;
    });
  });
  return { text, counts };
}

/** Order of the largest free aligned block that begins here, -1 = the page is not free. */
function freeOrder(classes: Uint8Array, pfn: number, end: number): number {
  const isFree = (p: number): boolean => p < end && (classes[p]! & PageClass.buddy) !== 0;
  if (!isFree(pfn)) return -1;
  let order = 0;
  while (order < 10 && pfn % 2 ** (order + 1) === 0) {
    for (let p = pfn + 2 ** order; p < pfn + 2 ** (order + 1); p++) if (!isFree(p)) return order;
    order++;
  }
  return order;
}

it('the free lists crash prints of a dump seed the events that led to it', async () => {
  const sample = join(SAMPLES, 'k61-tiny');
  const recorded = await open([sample]);
  const last = mapsOf(recorded).at(-1)!;
  const { text, counts } = crashText((last as { classes: Uint8Array }).classes);
  recorded.close();
  const dump = join(folder, 'kmem-F.txt');
  writeFileSync(dump, text);
  const zoneinfo = join(sample, 'snapshots', 'zoneinfo.log.zst');
  const recording = await open([join(sample, 'trace.txt.zst'), zoneinfo, dump]);
  // The map and the counts of the same file go together.
  const placed = recording.snapshots.filter(({ time }) => time.located);
  expect(placed.map(({ kind }) => kind).sort()).toEqual(['buddyinfo', 'kpageflags']);
  const replay = reconstruct(recording);
  expect(replay.seed).toBe('kpageflags');
  const free = new Array<number>(11).fill(0);
  replay.run([
    {
      end: (state) => {
        for (const zone of state.zones) {
          for (let q = 0; q < 11; q++) free[q] = free[q]! + zone.free[q]!;
        }
      },
    },
  ]);
  expect(free).toEqual(counts);
  replay.close();
  recording.close();
});

/** What page_owner would print after `events` events, as far as they tell; and how many blocks that are. */
function ownerText(recording: Recording, count: number): { text: string; blocks: number } {
  const held = new Map<number, string>();
  const batch = new EventBatch();
  for (let b = 0, left = count; b < recording.events.batches && left > 0; b++) {
    recording.events.read(b, batch);
    for (let i = 0; i < batch.length && left > 0; i++, left--) {
      const pfn = batch.pfn[i]!;
      if (batch.kind[i] === EventKind.free) held.delete(pfn);
      if (batch.kind[i] !== EventKind.alloc || pfn < 0) continue;
      const ns = batch.timeNs[i]! + recording.clock.epochS * 1e9;
      held.set(
        pfn,
        `Page allocated via order ${batch.order[i]}, mask 0xcc0(GFP_KERNEL), pid 1, tgid 1 (x), ts ${ns} ns\nPFN 0x${pfn.toString(16)} type Movable Block 0 type Movable Flags 0x0()\n f+0x1/0x2\n\n`,
      );
    }
  }
  return { text: [...held.values()].join(''), blocks: held.size };
}

it.each([0.3, 0.6, 1])('a page_owner dump stands where its stamps say: at %s', async (part) => {
  const trace = join(SAMPLES, 'k61-tiny', 'trace.txt.zst');
  const whole = await open([trace]);
  const event = Math.floor(part * whole.events.length);
  const { text, blocks } = ownerText(whole, event);
  expect(blocks).toBeGreaterThan(1000);
  whole.close();
  const dump = join(folder, 'page_owner');
  writeFileSync(dump, text);
  const recording = await open([trace, dump]);
  const { time } = recording.snapshots.find(({ kind }) => kind === 'page_owner')!;
  expect(time.located).toBe(true);
  expect(time.beginEvent).toBeLessThanOrEqual(event);
  expect(time.endEvent).toBeGreaterThanOrEqual(event);
  // Narrow enough to be of use: most pages have no events while it may have been taken.
  expect(time.endEvent! - time.beginEvent!).toBeLessThan(0.1 * recording.events.length);
  recording.close();
});

it('mapped pages are in use from the start, though no event touches them', async () => {
  const files = readdirSync(COUNTS).filter((name) => !name.startsWith('kpageflags'));
  const inUse = async (names: readonly string[]): Promise<number> => {
    const recording = await open(names.map((name) => join(COUNTS, name)));
    const replay = reconstruct(recording);
    let pages = 0;
    replay.run([
      {
        start: (state) => {
          for (const bits of state.pages) if ((bits & 5) === 4) pages++;
        },
      },
    ]);
    replay.close();
    recording.close();
    return pages;
  };
  const without = await inUse(files.filter((name) => !name.startsWith('kpagecount')));
  const more = (await inUse(files)) - without;
  // 2975 pages are mapped in the earlier copy; some of them are touched by events.
  expect(more).toBeGreaterThan(500);
  expect(more).toBeLessThan(2975);
});

/** A few lines of ftrace text. */
function traceOf(lines: readonly (readonly [second: number, event: string])[]): string {
  const rows = lines.map(
    ([second, event]) => `            a-1     [000] ..... ${second.toFixed(6)}: ${event}`,
  );
  return `# tracer: nop\n#\n${rows.join('\n')}\n`;
}
const allocOf = (pfn: number, order: number): string =>
  `mm_page_alloc: page=00000000aabbccdd pfn=0x${pfn.toString(16)} order=${order} migratetype=1 gfp_flags=GFP_KERNEL`;
const freeOf = (pfn: number, order: number): string =>
  `mm_page_free: page=00000000aabbccdd pfn=0x${pfn.toString(16)} order=${order}`;

function dumpOf(blocks: readonly (readonly [pfn: number, order: number, ns?: number])[]): string {
  const records = blocks.map(([pfn, order, ns]) => {
    const stamp = ns === undefined ? '' : `, pid 1, tgid 1 (x), ts ${ns} ns`;
    return `Page allocated via order ${order}, mask 0xcc0(GFP_KERNEL)${stamp}\nPFN 0x${pfn.toString(16)} type Movable Block 0 type Movable Flags 0x0()\n f+0x1/0x2\n\n`;
  });
  return records.join('');
}

async function withDumps(trace: string, dumps: readonly string[]): Promise<Recording> {
  const place = mkdtempSync(join(folder, 'dumps-'));
  writeFileSync(join(place, 'trace'), trace);
  for (const [d, dump] of dumps.entries()) writeFileSync(join(place, `owners-${d}`), dump);
  return open([place]);
}

it('one page that is handed out and freed all the time does not end the time of a dump', async () => {
  const lines: [number, string][] = [
    [1, allocOf(64, 0)],
    [2, allocOf(65, 0)],
  ];
  for (let i = 0; i < 40; i++) {
    lines.push([3 + i / 10, freeOf(64, 0)], [3.05 + i / 10, allocOf(64, 0)]);
  }
  const recording = await withDumps(traceOf(lines), [
    dumpOf([
      [64, 0, 1e9],
      [65, 0, 2e9],
    ]),
  ]);
  const { time } = recording.snapshots[0]!;
  expect(time).toMatchObject({ located: true, beginEvent: 1, endEvent: lines.length });
  recording.close();
});

it('a dump is over when many of the pages it lists are freed', async () => {
  const lines: [number, string][] = [
    [1, allocOf(1024, 5)],
    [2, allocOf(64, 0)],
    [3, freeOf(1024, 5)],
    [4, allocOf(65, 0)],
  ];
  const dump = dumpOf([
    [64, 0, 2e9],
    [1024, 5, 1e9],
  ]);
  const recording = await withDumps(traceOf(lines), [dump]);
  expect(recording.snapshots[0]!.time).toMatchObject({ beginEvent: 1, endEvent: 2 });
  recording.close();
});

it('blocks of a GiB in events and dumps cost a budget that all copies share, and what it leaves out is said', async () => {
  const lines: [number, string][] = [];
  for (let i = 0; i < 3000; i++) {
    const pfn = ((i >> 1) % 200) << 18;
    lines.push([1 + i / 1e5, i % 2 === 0 ? allocOf(pfn, 18) : freeOf(pfn, 18)]);
  }
  const dumps = Array.from({ length: 3 }, () => dumpOf([[250 << 18, 18]]));
  const recording = await withDumps(traceOf(lines), dumps);
  expect(recording.snapshots.map(({ time }) => time.clock)).toEqual(['none', 'none', 'none']);
  expect(recording.diagnostics.count('snapshot-not-looked-at')).toBe(3);
  expect(recording.diagnostics.count('snapshot-undated')).toBe(0);
  recording.close();
});

it('a dump that names the same block of a GiB again and again has its place, and counts its pages once', async () => {
  const lines = Array.from({ length: 10 }, (_, i): [number, string] => [1 + i, allocOf(i, 0)]);
  const blocks = Array.from({ length: 500 }, () => [2 ** 20, 18, 5e9] as const);
  const recording = await withDumps(traceOf(lines), [dumpOf(blocks), dumpOf(blocks)]);
  expect(recording.snapshots.map(({ time }) => time.located)).toEqual([true, true]);
  const [located] = recording.diagnostics.all.filter(({ code }) => code === 'snapshot-located');
  expect(located!.message).toContain(`(${2 ** 18} of ${2 ** 18} pages`);
  recording.close();
});

it('more copies than are looked at are named, not forgotten', async () => {
  const lines = Array.from({ length: 10 }, (_, i): [number, string] => [1 + i, allocOf(i, 0)]);
  const dumps = Array.from({ length: 70 }, () => dumpOf([[4, 0]]));
  const recording = await withDumps(traceOf(lines), dumps);
  expect(recording.diagnostics.count('snapshot-not-looked-at')).toBe(6);
  expect(recording.diagnostics.count('snapshot-undated')).toBe(64);
  recording.close();
});

describe('without events', () => {
  const row = (free: number): string => `Node 0, zone   Normal ${free} 1 0 0 0 0 0 0 0 0 0\n`;
  const timesOf = async (text: string): Promise<(string | number)[][]> => {
    const file = join(folder, 'buddyinfo');
    writeFileSync(file, text);
    const recording = await open([file]);
    recording.close();
    const codes = recording.diagnostics.counts().map(([code]) => code);
    return [recording.snapshots.map(({ time }) => time.beginNs), codes];
  };

  it('copies of buddyinfo without a time follow one another by seconds, and that is said', async () => {
    expect(await timesOf([5, 6, 7].map(row).join('\n'))).toEqual([
      [0, 1e9, 2e9],
      ['copies-numbered'],
    ]);
  });

  it('a single one is the whole recording', async () => {
    expect(await timesOf(row(5))).toEqual([[0], []]);
  });

  it('copies with times keep them', async () => {
    const dated = `# mono=5.5-5.5 snap=1\n${row(5)}`;
    expect(await timesOf(dated)).toEqual([[5.5e9], []]);
  });
});
