/**
 * Dense page indices against a plain map of every page of every zone.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PfnSpace, type ZoneRange } from './pfn-space.js';

/** Zones that do not overlap, with gaps, borders inside a section and, sometimes, far away. */
const machines = fc
  .record({
    maxOrder: fc.integer({ min: 1, max: 6 }),
    base: fc.constantFrom(0, 1, 4096, 2 ** 20, 2 ** 31 - 40, 2 ** 31 + 8, 2 ** 40 + 3),
    runs: fc.array(
      fc.record({ gap: fc.nat({ max: 70 }), spanned: fc.integer({ min: 1, max: 90 }) }),
      { minLength: 1, maxLength: 4 },
    ),
    far: fc.boolean(),
  })
  .map(({ maxOrder, base, runs, far }) => {
    let at = base;
    const zones = runs.map(({ gap, spanned }, index): ZoneRange => {
      const startPfn = at + gap;
      at = startPfn + spanned;
      return { node: index, zone: 'Normal', startPfn, spanned };
    });
    if (far) zones.push({ node: 9, zone: 'Device', startPfn: 2 ** 43 + 5, spanned: 40 });
    return { maxOrder, zones };
  });

describe('dense page indices', () => {
  test('every page of every zone has its own index, and back', () => {
    fc.assert(
      fc.property(machines, ({ maxOrder, zones }) => {
        const space = new PfnSpace(zones, maxOrder);
        const seen = new Map<number, number>();
        zones.forEach(({ startPfn, spanned }, z) => {
          for (let pfn = startPfn; pfn < startPfn + spanned; pfn++) {
            const page = space.pageOf(pfn);
            expect(page).toBeGreaterThanOrEqual(0);
            expect(page).toBeLessThan(space.size);
            expect(seen.has(page)).toBe(false);
            seen.set(page, pfn);
            expect(space.pfnOf(page)).toBe(pfn);
            expect(space.zoneOf(page)).toBe(z);
          }
        });
      }),
      { numRuns: 200 },
    );
  });

  test('buddy arithmetic on indices is buddy arithmetic on pfns', () => {
    fc.assert(
      fc.property(machines, ({ maxOrder, zones }) => {
        const space = new PfnSpace(zones, maxOrder);
        for (const { startPfn, spanned } of zones) {
          const page = space.pageOf(startPfn + spanned - 1);
          const pfn = startPfn + spanned - 1;
          for (let order = 0; order <= maxOrder; order++) {
            expect(page % 2 ** order).toBe(pfn % 2 ** order);
          }
        }
        for (const start of space.zoneStart) expect(start % 2 ** maxOrder).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test('pages of no zone have no index, unless they pad a section that one zone has alone', () => {
    fc.assert(
      fc.property(machines, ({ maxOrder, zones }) => {
        const space = new PfnSpace(zones, maxOrder);
        const section = 2 ** maxOrder;
        const holders = (pfn: number): number =>
          zones.filter(
            (z) =>
              pfn >= Math.floor(z.startPfn / section) * section &&
              pfn < Math.ceil((z.startPfn + z.spanned) / section) * section,
          ).length;
        const inside = (pfn: number): boolean =>
          zones.some((z) => pfn >= z.startPfn && pfn < z.startPfn + z.spanned);
        const last = zones[zones.length - 1]!;
        const first = zones[0]!;
        const probes = [-1, 0, first.startPfn - 1, first.startPfn - section, 2 ** 44 - 1];
        for (const z of zones) probes.push(z.startPfn - 1, z.startPfn + z.spanned);
        probes.push(last.startPfn + last.spanned + section);
        for (const pfn of probes) {
          if (pfn < 0) expect(space.pageOf(pfn)).toBe(-1);
          else if (inside(pfn)) expect(space.pageOf(pfn)).toBeGreaterThanOrEqual(0);
          else if (holders(pfn) !== 1) expect(space.pageOf(pfn)).toBe(-1);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('memory grows with the pages simulated, not with the highest pfn', () => {
    const space = new PfnSpace(
      [
        { node: 0, zone: 'Normal', startPfn: 0, spanned: 4096 },
        { node: 1, zone: 'Device', startPfn: 2 ** 40, spanned: 2048 },
      ],
      10,
    );
    expect(space.size).toBe(4096 + 2048);
    expect(space.pageOf(2 ** 40)).toBe(4096);
    expect(space.pageOf(2 ** 40 - 1)).toBe(-1);
  });
});
