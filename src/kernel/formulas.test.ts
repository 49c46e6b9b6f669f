import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  blocksObtainable,
  formatFragmentationIndex,
  formatUnusableIndex,
  fragmentationIndex,
  freePagesOf,
  headroom,
  unusableIndex,
} from './fragmentation-index.js';
import { parseGfp } from './gfp.js';
import { highatomicCap, mayReserveHighatomic } from './highatomic.js';
import { computeLowmemReserve } from './lowmem-reserve.js';
import {
  canonicalMigratetype,
  MigrateType,
  migratetypeOfLabel,
  printedMigratetype,
} from './migratetype.js';
import {
  boostAfterFallback,
  bootMinFreeKbytes,
  computeZoneMarks,
  hugepageMinFreePages,
} from './min-free-kbytes.js';
import { pcpBatch, pcpHigh, pcpRefillBlocks } from './pcp.js';
import { type ProfileSwitches, profileOfText } from './profile.js';
import { firstServing, planRequest, planZone, requestServed } from './request-plan.js';
import { type ZoneCounts, zoneServes } from './watermark.js';
import { compiledZones, zoneIndexOfClass, zonelist } from './zonelist.js';

const switches = (version: string): ProfileSwitches => profileOfText(version)!.switches;

const SERVER = [
  { zone: 'DMA', managed: 3840 },
  { zone: 'DMA32', managed: 732854 },
  { zone: 'Normal', managed: 3300000 },
];

describe('watermarks from min_free_kbytes', () => {
  const rows = (scaleFactor: number, version = '6.12') =>
    computeZoneMarks({ minFreeKbytes: 67584, scaleFactor, zones: SERVER }, switches(version)).map(
      ({ min, low, high, promo }) => [min, low, high, promo],
    );

  test('a server with transparent huge pages', () => {
    expect(rows(10)).toEqual([
      [16, 20, 24, 28],
      [3067, 3833, 4599, 5365],
      [13812, 17265, 20718, 24171],
    ]);
  });

  test('the scale factor moves low and high, never min', () => {
    expect(rows(200)[2]).toEqual([13812, 79812, 145812, 211812]);
    expect(rows(200, '4.4')[2]!.slice(0, 3)).toEqual([13812, 17265, 20718]);
  });

  test('HighMem has a small fixed min; Movable too from 6.6', () => {
    const zones = [...SERVER, { zone: 'Movable', managed: 100000 }];
    const min = (version: string): number =>
      computeZoneMarks({ minFreeKbytes: 67584, zones }, switches(version))[3]!.min;
    expect(min('6.12')).toBe(97);
    expect(min('6.1')).toBe(408);
  });

  test('boot default and what huge pages raise it to', () => {
    expect(hugepageMinFreePages(512, 3, 4_000_000) * 4).toBe(67584);
    expect(bootMinFreeKbytes(16_000_000, switches('6.1'))).toBe(16000);
    expect(bootMinFreeKbytes(2 ** 40, switches('4.9'))).toBe(65536);
    expect(bootMinFreeKbytes(2 ** 40, switches('5.10'))).toBe(262144);
    expect(bootMinFreeKbytes(100, switches('5.10'))).toBe(128);
  });

  test('a boost grows by a pageblock up to one and a half times high, in zones of four or more', () => {
    expect(boostAfterFallback(0, 4000, 100000, 512)).toBe(512);
    expect(boostAfterFallback(5800, 4000, 100000, 512)).toBe(6000);
    expect(boostAfterFallback(0, 100, 100000, 512)).toBe(512);
    expect(boostAfterFallback(0, 4000, 2047, 512)).toBe(0);
    expect(boostAfterFallback(300, 4000, 100000, 512, 0)).toBe(300);
  });
});

describe('lowmem_reserve', () => {
  const managed = [3840, 732854, 3300000, 0, 0];
  const ratios = [256, 256, 32, 0, 0];
  test('as the kernel prints it', () => {
    expect(computeLowmemReserve(managed, ratios, switches('6.12'))).toEqual([
      [0, 2862, 15753, 15753, 15753],
      [0, 0, 12890, 12890, 12890],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
    ]);
  });

  test('a ratio of 0 is no reserve from 5.10, a ratio of 1 before', () => {
    const dma = (version: string): number =>
      computeLowmemReserve(managed, [0, 256, 32, 0, 0], switches(version))[0]![2]!;
    expect([dma('4.9'), dma('5.10')]).toEqual([4032854, 0]);
  });
});

describe('per-cpu lists', () => {
  test.each([
    [3840, 0, 0, 1],
    [60000, 15, 15, 15],
    [262144, 31, 63, 63],
    [3300000, 31, 63, 63],
  ])('batch of a zone of %i pages', (managed, old, middle, recent) => {
    expect(['4.14', '6.12', '6.19'].map((v) => pcpBatch(managed, switches(v).pcpBatch))).toEqual([
      old,
      middle,
      recent,
    ]);
  });

  test('high mark', () => {
    expect(pcpHigh(3300000, 17265, 8, switches('4.14'))).toEqual({ min: 186, max: 186 });
    expect(pcpHigh(3300000, 17265, 8, switches('5.10'))).toEqual({ min: 378, max: 378 });
    expect(pcpHigh(3300000, 17265, 8, switches('6.1'))).toEqual({ min: 2158, max: 2158 });
    expect(pcpHigh(3300000, 17265, 8, switches('6.12'))).toEqual({ min: 2158, max: 51562 });
    expect(pcpHigh(3840, 20, 8, switches('5.10'))).toEqual({ min: 0, max: 0 });
  });

  test('a refill takes less of higher orders, and more after refills in a row', () => {
    expect(pcpRefillBlocks(0, 63, switches('5.10'))).toBe(63);
    expect([0, 1, 3, 9].map((order) => pcpRefillBlocks(order, 63, switches('6.1')))).toEqual([
      63, 31, 7, 2,
    ]);
    expect(pcpRefillBlocks(0, 63, switches('6.12'), 2)).toBe(252);
  });
});

describe('highatomic reserve', () => {
  test.each([
    [40000, 912, 0],
    [60000, 1112, 1024],
    [262144, 3133, 3072],
    [3300000, 33512, 33280],
  ])('cap of a zone of %i pages', (managed, old, recent) => {
    expect(highatomicCap(managed, 512, switches('6.6').highatomicCap)).toBe(old);
    expect(highatomicCap(managed, 512, switches('6.8').highatomicCap)).toBe(recent);
  });

  test('a zone of 40000 pages may own two pageblocks up to 6.6, none from 6.8', () => {
    const may = (reserved: number, version: string): boolean =>
      mayReserveHighatomic(reserved, 40000, 512, switches(version).highatomicCap);
    expect([may(0, '6.6'), may(512, '6.6'), may(1024, '6.6')]).toEqual([true, true, false]);
    expect(may(0, '6.8')).toBe(false);
    expect(may(0, '4.3')).toBe(false);
  });
});

describe('fragmentation indices', () => {
  const a = [900, 300, 20, 3, 0, 0, 0, 0, 0, 0, 0];
  const b = [5, 4, 2, 0, 0, 0, 0, 0, 0, 0, 0];
  test('as debugfs prints them', () => {
    const u = (order: number): string => formatUnusableIndex(unusableIndex(a, order));
    expect([u(0), u(2), u(3), u(4)]).toEqual(['0.000', '0.935', '0.985', '1.000']);
    const e = (free: number[], order: number): string =>
      formatFragmentationIndex(fragmentationIndex(free, order));
    expect([e(a, 3), e(a, 4), e(a, 9)]).toEqual(['-1.000', ' 0.918', ' 0.997']);
    expect([e(b, 3), e(b, 4)]).toEqual([' 0.671', ' 0.790']);
    expect(e([0, 0, 1], 3)).toBe(' 0.-500');
    expect(fragmentationIndex([0, 0], 1)).toBe(0);
    expect(unusableIndex([0, 0], 1)).toBe(1000);
  });

  test('headroom is how many requests in a row succeed, counted one by one', () => {
    const free = fc.array(fc.nat(6), { minLength: 9, maxLength: 9 });
    const versions = fc.constantFrom('3.10', '4.4', '5.10', '6.12');
    fc.assert(
      fc.property(free, versions, fc.integer({ min: 0, max: 8 }), (blocks, version, order) => {
        const marks = { min: 600, low: 1100, boost: 0, protection: [] };
        const request = parseGfp('GFP_ATOMIC', switches(version).gfpEra);
        const { slow } = planZone(request, switches(version), order, marks, 2);
        const zone = countsOf(blocks);
        expect(headroom(slow, zone)).toBe(oneByOne(blocks, slow));
      }),
    );
  });
});

function countsOf(free: number[]): ZoneCounts {
  return {
    free,
    freePages: freePagesOf(free),
    freeCma: 0,
    reservedHighatomic: 0,
    freeHighatomic: 0,
    highatomic: null,
    cma: null,
    isolated: null,
  };
}

/** Serves requests until one fails, splitting blocks as the buddy system does. */
function oneByOne(blocks: number[], test: Parameters<typeof headroom>[0]): number {
  const free = [...blocks];
  let served = 0;
  while (zoneServes(test, countsOf(free))) {
    let q = test.order;
    while (free[q] === 0) q++;
    free[q]!--;
    while (q > test.order) free[--q]!++;
    served++;
  }
  return served;
}

describe('zones of a request', () => {
  const x86 = ['DMA', 'DMA32', 'Normal', 'Movable', 'Device'];
  test('zones compiled in follow from names and the length of lowmem_reserve', () => {
    expect(compiledZones(['DMA', 'DMA32'], 5)).toEqual(x86);
    expect(compiledZones(['DMA', 'DMA32', 'Normal'], 4)).toEqual(x86.slice(0, 4));
    expect(compiledZones(['DMA', 'Normal', 'HighMem'], 4)).toEqual([
      'DMA',
      'Normal',
      'HighMem',
      'Movable',
    ]);
    expect(compiledZones(['Normal', 'HighMem'], 3)).toEqual(['Normal', 'HighMem', 'Movable']);
    expect(compiledZones(['DMA32', 'Normal'], null)).toEqual(['DMA32', 'Normal', 'Movable']);
    expect(compiledZones(['DMA32', 'evil'], 3)).toEqual(['DMA32', 'Normal', 'Movable']);
  });

  test('a class without a zone of its own degrades to Normal', () => {
    expect(zoneIndexOfClass('Normal', x86)).toBe(2);
    expect(zoneIndexOfClass('HighMem', x86)).toBe(2);
    expect(zoneIndexOfClass('Movable', x86)).toBe(3);
    expect(zoneIndexOfClass('DMA', ['Normal', 'Movable'])).toBe(0);
  });

  const zones = [
    { node: 0, zone: 'DMA' },
    { node: 0, zone: 'DMA32' },
    { node: 0, zone: 'Normal' },
    { node: 1, zone: 'Normal' },
    { node: 1, zone: 'Movable' },
  ];
  test('local node first, highest zone first, nothing above the class', () => {
    const list = (node: number, gfp: string): number[] =>
      zonelist(node, zones, parseGfp(gfp, '6.8'), x86);
    expect(list(0, 'GFP_ATOMIC')).toEqual([2, 1, 0, 3]);
    expect(list(1, 'GFP_ATOMIC')).toEqual([3, 2, 1, 0]);
    expect(list(1, 'GFP_ATOMIC|__GFP_THISNODE')).toEqual([3]);
    expect(list(1, 'GFP_HIGHUSER_MOVABLE')).toEqual([4, 3, 2, 1, 0]);
    expect(list(0, 'GFP_KERNEL|GFP_DMA32')).toEqual([1, 0]);
  });

  test('the fast pass goes over all zones before the slow one', () => {
    const marks = { min: 100, low: 200, boost: 0, protection: [0, 0, 0, 0, 0] };
    const plan = planRequest({
      request: parseGfp('GFP_ATOMIC', '6.8'),
      order: 0,
      node: 0,
      switches: switches('6.12'),
      zones,
      marks: zones.map(() => marks),
      compiled: x86,
    });
    const counts = (pages: number[]): ZoneCounts[] => pages.map((n) => countsOf([n]));
    expect(firstServing(plan, counts([0, 150, 150, 300, 0]))).toBe(3);
    expect(firstServing(plan, counts([0, 150, 30, 30, 999]))).toBe(1);
    expect(firstServing(plan, counts([0, 30, 30, 30, 999]))).toBe(-1);
    expect(requestServed(plan, counts([0, 150, 30, 30, 0]))).toBe(true);
    expect(requestServed(plan, counts([0, 30, 30, 30, 999]))).toBe(false);
  });
});

describe('migratetypes', () => {
  test('1 is Reclaimable up to 4.3 and Movable since; CMA pushes Isolate up', () => {
    const type = (raw: number, version: string): number =>
      canonicalMigratetype(raw, switches(version).migratetypes);
    expect(type(1, '4.3')).toBe(MigrateType.reclaimable);
    expect(type(1, '4.4')).toBe(MigrateType.movable);
    expect(type(3, '3.10')).toBe(MigrateType.reserve);
    expect(canonicalMigratetype(4, 'highatomic')).toBe(MigrateType.isolate);
    expect(canonicalMigratetype(4, 'highatomic-cma')).toBe(MigrateType.cma);
    expect([-1, 6, 255, Number.NaN].map((raw) => canonicalMigratetype(raw, 'highatomic'))).toEqual([
      -1, -1, -1, -1,
    ]);
  });

  test('printed number, label and letter agree', () => {
    expect(printedMigratetype(MigrateType.movable, 'reserve')).toBe(2);
    expect(migratetypeOfLabel('HighAtomic')).toBe(MigrateType.highatomic);
    expect(migratetypeOfLabel('E')).toBe(MigrateType.reclaimable);
    expect(migratetypeOfLabel('constructor')).toBe(-1);
  });
});

test('blocks obtainable counts what larger blocks can be cut into', () => {
  expect(blocksObtainable([0, 0, 1, 2], 1)).toBe(10);
});
