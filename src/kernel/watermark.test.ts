import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AllocFlag, allocFlags, reducedMin } from './alloc-flags.js';
import { freePagesOf, headroom } from './fragmentation-index.js';
import { parseGfp } from './gfp.js';
import { type KernelProfile, profileOfText } from './profile.js';
import { planZone } from './request-plan.js';
import {
  planServes,
  type TestMarks,
  watermarkOk,
  type ZoneCounts,
  type ZoneTest,
  zoneServes,
} from './watermark.js';
import { explainWatermark, judgeZone } from './zone-verdict.js';

const profiles = new Map<string, KernelProfile>();

function kernel(version: string): KernelProfile {
  const profile = profiles.get(version) ?? profileOfText(version);
  if (profile === null) throw new Error(`no version: ${version}`);
  profiles.set(version, profile);
  return profile;
}

function zone(free: number[], more: Partial<ZoneCounts> = {}): ZoneCounts {
  return {
    freePages: freePagesOf(free),
    free,
    freeCma: 0,
    reservedHighatomic: 0,
    freeHighatomic: 0,
    highatomic: null,
    cma: null,
    isolated: null,
    ...more,
  };
}

function slow(
  version: string,
  gfp: string,
  order: number,
  marks: Partial<TestMarks> = {},
): ZoneTest {
  const { switches } = kernel(version);
  const all = { min: 1000, low: 1250, boost: 0, protection: [], ...marks };
  return planZone(parseGfp(gfp, switches.gfpEra), switches, order, all, 2).slow;
}

const none = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const blocks = (free: Record<number, number>): number[] => none.map((_, q) => free[q] ?? 0);

describe('how much of the min watermark must remain', () => {
  test.each([
    ['GFP_ATOMIC', 1000, 375],
    ['GFP_ATOMIC', 1001, 376],
    ['GFP_ATOMIC', 45, 18],
    ['GFP_ATOMIC', 16896, 6336],
    ['GFP_ATOMIC|__GFP_NOMEMALLOC', 1000, 500],
    ['GFP_ATOMIC|__GFP_NOMEMALLOC', 1001, 501],
    ['GFP_ATOMIC|__GFP_NOMEMALLOC', 45, 23],
    ['GFP_KERNEL', 1000, 1000],
  ])('%s leaves of %i pages %i, on every kernel since 4.4', (gfp, min, left) => {
    for (const version of ['4.4', '4.14', '4.19', '5.10', '6.1.0-rc7', '6.1.192', '6.6', '7.2']) {
      expect(slow(version, gfp, 3, { min }).reduced, version).toBe(left);
    }
  });

  test('GFP_NOWAIT takes a quarter up to 4.3 and nothing since', () => {
    expect(slow('4.3', 'GFP_NOWAIT', 0).reduced).toBe(750);
    for (const version of ['4.4', '5.10', '6.1.192', '6.12']) {
      expect(slow(version, 'GFP_NOWAIT', 0).reduced, version).toBe(1000);
    }
  });

  test('up to 2.6.32 NOMEMALLOC does not hold an atomic request back', () => {
    expect(slow('2.6.32', 'GFP_ATOMIC|__GFP_NOMEMALLOC', 0).reduced).toBe(375);
    expect(slow('3.10', 'GFP_ATOMIC|__GFP_NOMEMALLOC', 0).reduced).toBe(500);
  });

  test('realtime tasks that may sleep: three quarters up to 6.2, half from 6.3', () => {
    const reduced = (version: string): number => {
      const { switches } = kernel(version);
      const request = parseGfp('GFP_KERNEL', switches.gfpEra);
      const flags = allocFlags(request, switches, 0, 'slow', { realtime: true });
      return reducedMin(1000, flags, switches);
    };
    expect([reduced('5.10'), reduced('6.3')]).toEqual([750, 500]);
  });

  test('OOM victims: no watermark up to 4.9, half from 4.14; __GFP_MEMALLOC: none', () => {
    const test1 = (version: string, gfp: string, oomVictim: boolean): number => {
      const { switches } = kernel(version);
      const flags = allocFlags(parseGfp(gfp, switches.gfpEra), switches, 0, 'slow', { oomVictim });
      return reducedMin(1000, flags, switches);
    };
    expect(test1('4.9', 'GFP_KERNEL', true)).toBe(0);
    expect(test1('4.14', 'GFP_KERNEL', true)).toBe(500);
    expect(test1('6.12', 'GFP_KERNEL', true)).toBe(500);
    expect(test1('6.12', 'GFP_KERNEL|__GFP_MEMALLOC', false)).toBe(0);
  });
});

describe('worked examples', () => {
  const e1 = zone(blocks({ 0: 900, 1: 300, 2: 20, 3: 3 }));

  test('E1: the old rule refuses order 3 although three such blocks are free', () => {
    expect(e1.freePages).toBe(1604);
    expect(watermarkOk(slow('4.3', 'GFP_ATOMIC', 2), e1)).toBe(true);
    expect(watermarkOk(slow('4.3', 'GFP_ATOMIC', 3), e1)).toBe(false);
    expect(judgeZone(slow('4.3', 'GFP_ATOMIC', 3), e1)).toMatchObject({
      ok: false,
      reason: 'fragmented',
      shortageOrder: 2,
      blocks: 3,
    });
    expect(watermarkOk(slow('4.3', 'GFP_KERNEL', 2), e1)).toBe(false);
  });

  test('E1: the modern rule serves order 3 and calls order 4 fragmented', () => {
    for (const version of ['4.4', '5.10', '6.1.192', '7.2']) {
      expect(zoneServes(slow(version, 'GFP_ATOMIC', 3), e1), version).toBe(true);
      expect(judgeZone(slow(version, 'GFP_ATOMIC', 4), e1).reason, version).toBe('fragmented');
    }
  });

  test('E2: the old rule accepts orders 1 to 5', () => {
    const e2 = zone(blocks({ 0: 200, 1: 150, 2: 60, 3: 30, 4: 10, 5: 3 }));
    expect(e2.freePages).toBe(1236);
    for (const order of [1, 2, 3, 4, 5]) {
      expect(zoneServes(slow('3.10', 'GFP_ATOMIC', order), e2)).toBe(true);
    }
  });

  test('E3: lowmem_reserve closes DMA32 to kernel requests long before it is empty', () => {
    const marks = { min: 3067, low: 3833, protection: [0, 0, 12890, 12890] };
    const refused = judgeZone(slow('6.12', 'GFP_ATOMIC', 0, marks), zone([12000]));
    expect(refused).toMatchObject({ ok: false, reason: 'lowmem-reserve', needPages: 14041 });
    expect(refused.pagesShort).toBe(2042);
    expect(zoneServes(slow('6.12', 'GFP_ATOMIC', 0, marks), zone([14042]))).toBe(true);
  });

  test('E4: ordinary requests may not count the highatomic reserve, atomic ones may', () => {
    const e4 = zone([2000], { reservedHighatomic: 1024 });
    expect(judgeZone(slow('5.10', 'GFP_KERNEL', 0), e4)).toMatchObject({
      reason: 'below-watermark',
      cause: 'highatomic',
    });
    expect(zoneServes(slow('5.10', 'GFP_ATOMIC', 0), e4)).toBe(true);
    expect(zoneServes(slow('6.12', 'GFP_KERNEL', 0), e4)).toBe(true);
  });

  test('E5: CMA pages are no use to atomic requests', () => {
    const cma = blocks({ 0: 500, 9: 57, 10: 0 });
    const e5 = zone(cma, { freePages: 30000, freeCma: 29500, cma: blocks({ 9: 57 }) });
    expect(watermarkOk(slow('5.10', 'GFP_ATOMIC', 0), e5)).toBe(true);
    expect(judgeZone(slow('5.10', 'GFP_ATOMIC', 3), e5)).toMatchObject({
      ok: false,
      reason: 'only-cma',
    });
    expect(zoneServes(slow('5.10', 'GFP_HIGHUSER_MOVABLE', 3), e5)).toBe(true);
  });

  test('E6: high orders pay the boost, order 0 is tested without it', () => {
    const marks = { min: 20077 - 7168, low: 25000, boost: 7168 };
    expect(slow('6.1.192', 'GFP_ATOMIC', 3, marks).needPages).toBe(7530);
    expect(slow('6.1.192', 'GFP_ATOMIC', 0, marks).boostPages).toBe(0);
    expect(slow('5.0', 'GFP_ATOMIC', 0, marks).boostPages).toBe(7168);
    const full = blocks({ 0: 19848 });
    expect(judgeZone(slow('6.1.192', 'GFP_ATOMIC', 3, marks), zone(full)).reason).toBe(
      'fragmented',
    );
    expect(
      judgeZone(slow('6.1.192', 'GFP_ATOMIC', 3, marks), zone(blocks({ 3: 900 }))),
    ).toMatchObject({ reason: 'below-watermark', cause: 'boost' });
  });
});

const BOOSTED = { min: 2029, low: 4000, boost: 343, protection: [0, 0, 700] };
const AT_BOOSTED_MARK = zone(blocks({ 10: 3 }), {
  reservedHighatomic: 3172,
  freeHighatomic: 3072,
  highatomic: blocks({ 10: 3 }),
});

test('5.4: order 0 is let through early by the boosted mark; the retry without boost is a full test', () => {
  const held = slow('5.4', 'GFP_ATOMIC|__GFP_NOMEMALLOC', 0, BOOSTED);
  // 3072 free, 2029 + 343 + 700 = 3072 is not passed; the full test takes the reserve off.
  expect(watermarkOk(held, AT_BOOSTED_MARK)).toBe(false);
  expect(watermarkOk(held, { ...AT_BOOSTED_MARK, freePages: 3073 })).toBe(true);
});

describe('who may take highatomic blocks', () => {
  const reserve = blocks({ 9: 1 });
  const counts = zone(blocks({ 0: 0, 9: 1 }), {
    reservedHighatomic: 512,
    freeHighatomic: 512,
    highatomic: reserve,
  });
  const marks = { min: 100, low: 125 };
  const served = (version: string, gfp: string, order: number): boolean =>
    zoneServes(slow(version, gfp, order, marks), counts);

  test('5.10: multi-page atomics may, order-0 atomics fail beside a free reserve', () => {
    expect(served('5.10', 'GFP_ATOMIC', 1)).toBe(true);
    expect(served('5.10', 'GFP_ATOMIC', 0)).toBe(false);
    expect(judgeZone(slow('5.10', 'GFP_ATOMIC', 0, marks), counts).reason).toBe('only-highatomic');
  });

  test('5.14-5.19: orders that come only from per-cpu lists pass the test and still fail', () => {
    const test3 = slow('5.15', 'GFP_ATOMIC', 3, marks);
    expect(watermarkOk(test3, counts)).toBe(true);
    expect(judgeZone(test3, counts)).toMatchObject({ ok: false, reason: 'only-highatomic' });
    expect(served('5.15', 'GFP_ATOMIC', 4)).toBe(true);
    expect(served('6.0', 'GFP_ATOMIC', 3)).toBe(true);
  });

  test('6.12 and 6.1.192: order-0 atomics take it as a last resort', () => {
    expect(served('6.10', 'GFP_ATOMIC', 0)).toBe(false);
    expect(served('6.12', 'GFP_ATOMIC', 0)).toBe(true);
    expect(served('6.1.192', 'GFP_ATOMIC', 0)).toBe(true);
  });

  test('requests without reserve rights never do', () => {
    for (const version of ['4.14', '5.10', '6.1.192', '6.12', '7.2']) {
      expect(served(version, 'GFP_KERNEL', 2), version).toBe(false);
      expect(served(version, 'GFP_ATOMIC|__GFP_NOMEMALLOC', 2), version).toBe(false);
    }
  });

  test('GFP_NOWAIT could from 6.3 until __GFP_HIGH was asked for', () => {
    const high = (version: string): boolean =>
      (slow(version, 'GFP_NOWAIT', 2).allocFlags & AllocFlag.HIGHATOMIC) !== 0;
    expect(['6.2', '6.3', '6.12.20', '6.12.107', '6.18', '6.1.192'].map(high)).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('4.4 accepts any block for atomics, but cannot take an isolated one', () => {
    const isolated = zone(blocks({ 0: 900, 5: 1 }), { isolated: blocks({ 5: 1 }) });
    const test3 = slow('4.4', 'GFP_ATOMIC', 3, marks);
    expect(watermarkOk(test3, isolated)).toBe(true);
    expect(judgeZone(test3, isolated)).toMatchObject({ ok: false, reason: 'isolated' });
    expect(watermarkOk(slow('4.14', 'GFP_ATOMIC', 3, marks), isolated)).toBe(false);
  });
});

/** The rules of the four generations once more, written as the text of docs/model says them. */
function reference(version: string, t: ZoneTest, z: ZoneCounts, marks: TestMarks): boolean {
  const { switches } = kernel(version);
  const nonBlock = (t.allocFlags & AllocFlag.NON_BLOCK) !== 0;
  const high = (t.allocFlags & AllocFlag.MIN_RESERVE) !== 0;
  const cma = (t.allocFlags & AllocFlag.CMA) !== 0;
  const o = t.order;
  let m = t.mark;
  let f = z.freePages - (2 ** o - 1);
  if (high) m -= Math.floor(m / 2);
  const list = (blocks: ArrayLike<number> | null, q: number): number => blocks?.[q] ?? 0;
  const any = (pick: (q: number) => boolean): boolean =>
    z.free.length > o && Array.from(z.free).some((_, q) => q >= o && pick(q));
  const ordinary = (q: number): boolean =>
    z.free[q]! - list(z.highatomic, q) - list(z.cma, q) - list(z.isolated, q) > 0;
  if (switches.watermarkRule === 'halving') {
    if (nonBlock) m -= Math.floor(m / 4);
    if (f - (switches.watermarkCma && !cma ? z.freeCma : 0) <= m + t.reserve) return false;
    for (let q = 0; q < o; q++) {
      f -= z.free[q]! * 2 ** q;
      m = Math.floor(m / 2);
      if (f <= m) return false;
    }
    return true;
  }
  const modern = switches.watermarkRule === 'modern-6.3';
  if (nonBlock && (!modern || high)) m -= Math.floor(m / 4);
  const held = switches.highatomicSubtracts === 'free' ? z.freeHighatomic : z.reservedHighatomic;
  if (!nonBlock && !(modern && high)) f -= held;
  if (!cma) f -= z.freeCma;
  // The shortcut knows the boosted mark only: the retry without boost runs the full test alone.
  const boosted = (t.path === 'fast' ? marks.low : marks.min) + (switches.boost ? marks.boost : 0);
  const early = z.freePages - (cma ? 0 : z.freeCma) > boosted + t.reserve;
  if (o === 0 && switches.orderZeroShortcut === 'cma-only' && early) return true;
  if (f <= m + t.reserve) return false;
  if (o === 0) return true;
  if (switches.watermarkRule === 'modern-4.4' && nonBlock) return any((q) => z.free[q]! > 0);
  const useReserve = modern ? (t.allocFlags & AllocFlag.HIGHATOMIC) !== 0 : nonBlock;
  return any((q) => {
    if (ordinary(q)) return true;
    return (cma && list(z.cma, q) > 0) || (useReserve && list(z.highatomic, q) > 0);
  });
}

const counts = fc
  .record({
    plain: fc.array(fc.nat(300), { minLength: 11, maxLength: 11 }),
    cma: fc.array(fc.nat(3), { minLength: 11, maxLength: 11 }),
    high: fc.array(fc.nat(3), { minLength: 11, maxLength: 11 }),
    isolated: fc.array(fc.nat(2), { minLength: 11, maxLength: 11 }),
    topPlain: fc.nat(10),
  })
  .map(({ plain, cma, high, isolated, topPlain }) => {
    const ordinary = plain.map((n, q) => (q > topPlain ? 0 : n));
    const free = ordinary.map((n, q) => n + cma[q]! + high[q]! + isolated[q]!);
    const freeHighatomic = freePagesOf(high);
    return zone(free, {
      freePages: freePagesOf(free) - freePagesOf(isolated),
      freeCma: freePagesOf(cma),
      freeHighatomic,
      reservedHighatomic: freeHighatomic + 100,
      highatomic: high,
      cma,
      isolated,
    });
  });

const VERSIONS = [
  '2.6.32',
  '3.10',
  '4.3',
  '4.4',
  '4.9',
  '4.14',
  '5.4',
  '5.10',
  '5.15',
  '6.1.192',
  '6.8',
  '6.12',
  '7.2',
];
const GFPS = [
  'GFP_ATOMIC',
  'GFP_NOWAIT',
  'GFP_KERNEL',
  'GFP_HIGHUSER_MOVABLE',
  'GFP_ATOMIC|__GFP_NOMEMALLOC',
];

describe('the fast form, the readable form and the rule in words agree', () => {
  const marksArb = fc.record({
    min: fc.nat(4000),
    low: fc.integer({ min: 4000, max: 6000 }),
    boost: fc.nat(1000),
    protection: fc.constant<number[]>([0, 0, 700]),
  });
  test('on any zone, request and kernel', () => {
    fc.assert(
      fc.property(
        counts,
        marksArb,
        fc.constantFrom(...VERSIONS),
        fc.constantFrom(...GFPS),
        fc.nat(10),
        (z, marks, version, gfp, order) => {
          const { switches } = kernel(version);
          const request = parseGfp(gfp, switches.gfpEra);
          const plan = planZone(request, switches, order, marks, 2);
          for (const t of [plan.fast, plan.slow]) {
            expect(watermarkOk(t, z)).toBe(reference(version, t, z, marks));
            const judged = judgeZone(t, z);
            expect(judged.ok).toBe(zoneServes(t, z));
            expect(judged.watermarkOk).toBe(watermarkOk(t, z));
            expect(judged.reason === 'none').toBe(judged.ok);
            expect(explainWatermark(t, z).length).toBeGreaterThan(1);
            expect(headroom(t, z) > 0).toBe(judged.ok);
          }
          expect(planServes(plan, z) || !zoneServes(plan.fast, z)).toBe(true);
        },
      ),
      {
        numRuns: 2000,
        // Just at the boosted mark, where the shortcut and the retry without boost part.
        examples: [[AT_BOOSTED_MARK, BOOSTED, '5.4', 'GFP_ATOMIC|__GFP_NOMEMALLOC', 0]],
      },
    );
  });

  test('pagesShort is exactly what has to become free', () => {
    fc.assert(
      fc.property(
        counts,
        marksArb,
        fc.constantFrom(...VERSIONS),
        fc.nat(10),
        (z, marks, v, order) => {
          const { switches } = kernel(v);
          const t = planZone(
            parseGfp('GFP_ATOMIC', switches.gfpEra),
            switches,
            order,
            marks,
            2,
          ).slow;
          const { pagesShort } = judgeZone(t, z);
          fc.pre(pagesShort > 0);
          const more = (pages: number): boolean =>
            !['below-watermark', 'lowmem-reserve'].includes(
              judgeZone(t, { ...z, freePages: z.freePages + pages }).reason,
            );
          expect(more(pagesShort)).toBe(true);
          expect(more(pagesShort - 1)).toBe(false);
        },
      ),
    );
  });
});

describe('explanations', () => {
  test('name the mark, the rights, the reserve and the result', () => {
    const marks = { min: 3067, low: 3833, protection: [0, 0, 12890, 12890] };
    expect(explainWatermark(slow('6.12', 'GFP_ATOMIC', 0, marks), zone([12000]))).toEqual([
      'the min watermark is 3067 pages',
      '__GFP_HIGH and no sleep lower it to 1151',
      'lowmem_reserve adds 12890: 14041 must remain',
      '12000 pages are free',
      '12000 would remain, not more than 14041',
      'the zone refuses: lowmem-reserve',
    ]);
  });

  test('unknown marks are unknown, not a pass', () => {
    const t = slow('6.12', 'GFP_ATOMIC', 3, { min: Number.NaN, low: Number.NaN });
    expect(judgeZone(t, zone(blocks({ 3: 5 })))).toMatchObject({ ok: false, reason: 'unknown' });
    expect(judgeZone(t, zone(blocks({ 0: 5 }))).reason).toBe('fragmented');
  });
});
