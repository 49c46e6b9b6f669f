/**
 * Machines too large to simulate whole: only what the recording touches is, and the free lists are the same.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openRecording } from '../recording/open.js';
import { PfnSpace } from './pfn-space.js';
import { reconstruct } from './reconstruct.js';
import { TouchedMemory } from './touched-memory.js';

const SECTION = 16;

const machines = fc.record({
  zones: fc
    .array(fc.record({ gap: fc.nat(40), spanned: fc.integer({ min: 1, max: 300 }) }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((runs) => {
      let at = 0;
      return runs.map(({ gap, spanned }, node) => {
        const startPfn = at + gap;
        at = startPfn + spanned;
        return { node: node >> 1, zone: 'Normal', startPfn, spanned };
      });
    }),
  kept: fc.uniqueArray(fc.nat(80), { maxLength: 30 }),
});

test('the pages of the sections kept have indices, and no others', () => {
  fc.assert(
    fc.property(machines, ({ zones, kept }) => {
      const only = [...kept].sort((a, b) => a - b);
      const space = new PfnSpace(zones, 4, only);
      const seen = new Set<number>();
      zones.forEach(({ startPfn, spanned }, z) => {
        const inside = space.pagesOf(z);
        for (let pfn = startPfn; pfn < startPfn + spanned; pfn++) {
          const page = space.pageOf(pfn);
          if (!only.includes(Math.floor(pfn / SECTION))) {
            expect(page).toBe(-1);
            continue;
          }
          expect(page % SECTION).toBe(pfn % SECTION);
          expect(space.pfnOf(page)).toBe(pfn);
          expect(space.zoneOf(page)).toBe(z);
          expect(page >= inside.from && page < inside.to).toBe(true);
          expect(seen.has(page)).toBe(false);
          seen.add(page);
        }
      });
      const padding = 2 * SECTION * zones.length;
      expect(space.size).toBeLessThanOrEqual(seen.size + padding);
    }),
    { numRuns: 300 },
  );
});

test('from a pfn without an index the search goes on at the next one of its zone that has one', () => {
  fc.assert(
    fc.property(machines, fc.nat(1200), ({ zones, kept }, pfn) => {
      const only = [...kept].sort((a, b) => a - b);
      const space = new PfnSpace(zones, 4, only);
      const zone = zones.find((z) => pfn >= z.startPfn && pfn < z.startPfn + z.spanned);
      const page = space.pageFrom(pfn);
      if (!zone || space.pageOf(pfn) >= 0) {
        expect(page).toBe(space.pageOf(pfn));
        return;
      }
      const alike = zones.filter((z) => z.node === zone.node);
      const end = Math.max(...alike.map((z) => z.startPfn + z.spanned));
      let next = pfn;
      while (next < end && space.pageOf(next) < 0) next++;
      if (next >= end) expect(page).toBe(-1);
      else expect(Math.floor(space.pfnOf(page) / SECTION)).toBe(Math.floor(next / SECTION));
    }),
    { numRuns: 300 },
  );
});

test('touched memory is remembered however far it lies', () => {
  const touched = new TouchedMemory();
  for (const pfn of [5, 1023, 1024, 2 ** 28, 2 ** 40 + 3]) touched.add(pfn, pfn + 1);
  touched.add(10 * 1024 - 2, 10 * 1024 + 2);
  expect(touched.chunks()).toEqual([0, 1024, 9 * 1024, 10 * 1024, 2 ** 28, 2 ** 40]);
  expect(touched.incomplete).toBe(false);
  for (let far = 0; far < 70_000; far++)
    touched.add(2 ** 45 + far * 1024, 2 ** 45 + far * 1024 + 1);
  expect(touched.incomplete).toBe(true);
});

test('a range of absurd length ends when there is no room for more', () => {
  const touched = new TouchedMemory();
  touched.addRange(2 ** 40, 2 ** 60);
  touched.addRange(2 ** 40, 2 ** 40 + 1);
  touched.addRange(0, 1);
  expect(touched.incomplete).toBe(true);
  expect(touched.chunks().slice(0, 3)).toEqual([0, 2 ** 40, 2 ** 40 + 1024]);
});

test('a CMA area that lies in no zone costs nothing', async () => {
  const recording = await openRecording(['samples/k61-tiny']);
  const replay = reconstruct(
    { ...recording, events: recording.events, strings: recording.strings },
    { densePages: 0, cma: [{ startPfn: 2 ** 20, pages: 2 ** 58 }] },
  );
  expect(replay.geometry.areas.filter(({ cma }) => cma)).toEqual([]);
  replay.close();
  recording.close();
});

test('a real recording replays the same, whether all of memory is simulated or what it touches', async () => {
  const recording = await openRecording(['samples/k61-checker']);
  // With a map of all pages all of them would be known.
  const snapshots = recording.snapshots.filter(({ kind }) => kind !== 'kpageflags');
  const replays = [undefined, 0].map((densePages) => {
    const replay = reconstruct(
      { ...recording, events: recording.events, snapshots, strings: recording.strings },
      densePages === undefined ? {} : { densePages },
    );
    const states: string[] = [];
    let n = 0;
    replay.run([
      {
        changed: ({ zones }) => {
          if (n++ % 20 !== 0) return;
          states.push(zones.map(({ free, low, high }) => `${free}/${low}/${high}`).join(' '));
        },
      },
    ]);
    const { size } = replay.geometry.space;
    const found = { states, residuals: replay.residuals, size };
    replay.close();
    return found;
  });
  recording.close();
  const [whole, touched] = replays;
  expect(whole!.states.length).toBeGreaterThan(1000);
  expect(touched!.states).toEqual(whole!.states);
  expect(touched!.residuals).toEqual(whole!.residuals);
  expect(touched!.size).toBeLessThan(whole!.size * 0.7);
}, 60_000);
