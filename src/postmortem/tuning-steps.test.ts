/**
 * The steps that advice names, held against the kernel's own arithmetic: with the new value the same
 * burst passes, with a smaller one it fails.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GENERATIONS, type Generation } from '../../parsers/dmesg/testing/generate.js';
import type { PostmortemReport } from './findings.js';
import { explained, normalZone, specOf } from './testing/spec.js';
import { minFreeStep, reserveStep, scaleStep } from './tuning-steps.js';

/** min and low of one zone of that many pages that is the whole machine (__setup_per_zone_wmarks). */
function marksOf(minFreeKB: number, managed: number, scale: number | null) {
  const min = Math.floor(minFreeKB / 4);
  const quarter = Math.floor(min / 4);
  const share = scale === null ? 0 : Math.floor((managed * scale) / 10_000);
  return { min, low: min + Math.max(quarter, share), high: min + 2 * Math.max(quarter, share) };
}

/** What a request must leave of min: GFP_ATOMIC 3/8, GFP_NOWAIT all. */
function mustLeave(min: number, atomic: boolean): number {
  if (!atomic) return min;
  const half = min - Math.floor(min / 2);
  return half - Math.floor(half / 4);
}

const MODERN: readonly Generation[] = ['5.10.247', '6.1.40', '6.12.40', '7.2.3'];

function reportOf(
  generation: Generation,
  atomic: boolean,
  { min, low, free, managed }: { min: number; low: number; free: number; managed: number },
): PostmortemReport {
  const blocks = [free, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const zone = normalZone({ min, blocks, managed });
  const spec = specOf(
    generation,
    'atomic',
    0,
    [zone],
    atomic ? {} : { mode: 0x800, names: 'GFP_NOWAIT' },
  );
  const report = explained(spec, generation);
  const [line] = report.splat.memory.zones;
  const zones = [{ ...line!, lowKB: low * 4 }];
  return {
    ...report,
    splat: { ...report.splat, memory: { ...report.splat.memory, zones, ramPages: null } },
  };
}

const machine = fc.record({
  generation: fc.constantFrom(...MODERN),
  atomic: fc.boolean(),
  minFreeKB: fc.integer({ min: 512, max: 262_144 }),
  managed: fc.integer({ min: 50_000, max: 60_000_000 }),
  shortBy: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('vm.min_free_kbytes', () => {
  test('the step lets the same burst pass; a smaller one, by more than its rounding, does not', () => {
    let told = 0;
    fc.assert(
      fc.property(machine, ({ generation, atomic, minFreeKB, managed, shortBy }) => {
        const { min, low } = marksOf(minFreeKB, managed, 10);
        const free = Math.floor(mustLeave(min, atomic) * shortBy);
        const report = reportOf(generation, atomic, { min, low, free, managed });
        expect(report.cause).toBe('below-watermark');
        const step = minFreeStep(report.splat, report.decisive!, 4);
        if (step === null) return;
        told++;
        const passes = (kB: number): boolean => {
          const then = marksOf(kB, managed, 10);
          return then.low - (low - free) > mustLeave(then.min, atomic);
        };
        expect(passes(step.wantedKB)).toBe(true);
        // the value is rounded up to a MiB, the kernel's own rounding costs some pages
        const slackKB = 1024 + 64;
        if (step.wantedKB - slackKB > minFreeKB)
          expect(passes(step.wantedKB - slackKB)).toBe(false);
      }),
      { numRuns: 400 },
    );
    expect(told).toBeGreaterThan(200);
  });

  test('on a large machine low lies a thousandth of the zone above min: the step is smaller', () => {
    // 64 GiB: 67,584 kB of min, 16,777 pages from min to low where a quarter of min would be 4,224
    const managed = 16_777_216;
    const { min, low } = marksOf(67_584, managed, 10);
    const free = mustLeave(min, true) - 400;
    const { splat, decisive } = reportOf('6.1.40', true, { min, low, free, managed });
    const step = minFreeStep(splat, decisive!, 4)!;
    expect(step.wantedKB).toBeLessThan(72_000);
    expect(step.extraKB).toBe(step.wantedKB - step.nowKB);
  });
});

describe('vm.watermark_scale_factor', () => {
  test('for a request that stops at min the factor is enough, and one less is not', () => {
    fc.assert(
      fc.property(machine, ({ generation, minFreeKB, managed, shortBy }) => {
        const { min, low } = marksOf(minFreeKB, managed, 10);
        const free = Math.floor(min * shortBy);
        const { splat, decisive } = reportOf(generation, false, { min, low, free, managed });
        const step = scaleStep(splat, decisive!, 4);
        if (step === null) return;
        const passes = (scale: number): boolean =>
          marksOf(minFreeKB, managed, scale).low - (low - free) > min;
        expect(passes(step.wanted)).toBe(true);
        const pagesOfOne = managed / 10_000;
        if (pagesOfOne > 8) expect(passes(step.wanted - 2)).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  test('is advised for GFP_NOWAIT, and called useless for GFP_ATOMIC', () => {
    const marks = { ...marksOf(40_000, 4_000_000, 10), free: 100, managed: 4_000_000 };
    const nowait = reportOf('6.1.40', false, marks);
    expect(nowait.advice[0]?.id).toBe('watermark-scale-factor');
    expect(nowait.useless.map(({ what }) => what)).not.toContain('vm.watermark_scale_factor');
    const atomic = reportOf('6.1.40', true, marks);
    expect(atomic.advice[0]?.id).toBe('min-free-kbytes');
    expect(atomic.useless.map(({ what }) => what)).toContain('vm.watermark_scale_factor');
  });
});

describe('vm.lowmem_reserve_ratio', () => {
  const report = (generation: Generation, dma32Free: number, ratio: number): PostmortemReport => {
    const normal = 3_300_000;
    const reserve = Math.floor(normal / ratio);
    const below = Math.floor((normal + 732_854) / 256);
    const lists = (free: number) => [free, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const zones = [
      {
        node: 0,
        zone: 'DMA',
        min: 16,
        managed: 3840,
        reserve: [0, Math.floor(732_854 / 256), below, below],
        blocks: lists(3800),
      },
      {
        node: 0,
        zone: 'DMA32',
        min: 3067,
        managed: 732_854,
        reserve: [0, 0, reserve, reserve],
        blocks: lists(dma32Free),
      },
      {
        node: 0,
        zone: 'Normal',
        min: 13_812,
        managed: normal,
        reserve: [0, 0, 0, 0],
        blocks: lists(2000),
      },
    ];
    return explained(specOf(generation, 'atomic', 0, zones), generation);
  };

  test.each([256, 200, 300])('now %d: the reserve after the step lets the request in', (ratio) => {
    const told = report('6.1.40', 9000, ratio);
    expect(told.cause).toBe('lowmem-reserve');
    const step = reserveStep(told.decisive!, told.zones)!;
    expect(step).toMatchObject({ nowRatio: ratio, lowerRatios: [256] });
    const { freePages, reducedPages } = told.decisive!;
    const enters = (to: number) => freePages! > reducedPages! + Math.floor(3_300_000 / to);
    expect(enters(step.wantedRatio)).toBe(true);
    expect(enters(step.wantedRatio - 1)).toBe(false);
    const advice = told.advice.find(({ id }) => id === 'lowmem-reserve-ratio')!;
    expect(advice.command).toBe(`sysctl -w vm.lowmem_reserve_ratio="256 ${step.wantedRatio}"`);
  });
});

test('every generation names a step for a burst of atomic requests', () => {
  for (const generation of GENERATIONS) {
    const zone = normalZone({ min: 4000, blocks: [900, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] });
    const { cause, advice } = explained(specOf(generation, 'atomic', 0, [zone]), generation);
    expect([cause, advice[0]?.id]).toEqual(['below-watermark', 'min-free-kbytes']);
  }
});
