import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PageBit, type ReplayState } from '../replay/observer.js';
import type { HoldersObserver } from './holders.js';
import { type PackedBlock, packBlocks, unpackBlocks } from './page-pack.js';
import { PageRuns } from './page-runs.js';
import { PageVersions } from './page-versions.js';

const ORDER = 4;
const SIZE = 2 ** ORDER;
const BLOCKS = 6;

/** Pages without owners, all of order 0. */
function machine() {
  const state = {
    timeNs: 0,
    pageblockOrder: ORDER,
    pages: new Uint8Array(SIZE * BLOCKS).fill(PageBit.allocated),
    headOrder: new Int8Array(SIZE * BLOCKS).fill(-1),
    pageblockType: new Int8Array(BLOCKS).fill(1),
  };
  return state as typeof state & ReplayState;
}

const nobody = { owners: null } as unknown as HoldersObserver;

/** Free pages of a block in the version that stands for an instant. */
function freePages(versions: PageVersions, block: number, instant: number): number[] {
  const newest = versions.versions.findLast((v) => v.block === block && v.instant <= instant)!;
  const free: number[] = [];
  let page = 0;
  for (let r = newest.from; r < newest.to; r++) {
    for (let i = 0; i < versions.runs.pages[r]!; i++, page++) {
      if (versions.runs.state[r] === 1) free.push(page);
    }
  }
  expect(page).toBe(SIZE);
  return free;
}

test('at each sample that is not forgotten every block is as it was then', () => {
  const flips = fc.array(fc.nat(SIZE * BLOCKS - 1), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(flips, { minLength: 1, maxLength: 40 }), (steps) => {
      const state = machine();
      const versions = new PageVersions(nobody, 60);
      versions.start(BLOCKS);
      const truth = new Map<number, Uint8Array>();
      steps.forEach((pages, step) => {
        for (const page of pages) {
          const free = (state.pages[page]! & PageBit.free) !== 0;
          state.pages[page] = free ? PageBit.allocated : PageBit.free;
          state.headOrder[page] = free ? -1 : 0;
          versions.touch(page >> ORDER);
        }
        state.timeNs = step;
        if (step % 5 === 3) versions.pin(state, step % BLOCKS);
        versions.sample(state, step, 1, step === steps.length - 1);
        truth.set(step, state.pages.slice());
      });
      expect(versions.samples.length).toBeGreaterThan(0);
      expect(versions.instants[versions.samples.at(-1)!]).toBe(steps.length - 1);
      for (const sample of versions.samples) {
        const then = truth.get(versions.instants[sample]!)!;
        for (let block = 0; block < BLOCKS; block++) {
          const free = [...then.subarray(block * SIZE, (block + 1) * SIZE)].flatMap((bits, p) =>
            bits & PageBit.free ? [p] : [],
          );
          expect(freePages(versions, block, sample)).toEqual(free);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('memory stays bounded, and pinned versions are not forgotten', () => {
  const state = machine();
  const versions = new PageVersions(nobody, 200);
  versions.start(BLOCKS);
  for (let step = 0; step < 400; step++) {
    for (let p = 0; p < SIZE; p += 2) {
      state.pages[p] = step % 2 ? PageBit.free : PageBit.allocated;
      state.headOrder[p] = step % 2 ? 0 : -1;
    }
    versions.touch(0);
    state.timeNs = step;
    versions.sample(state, step, 1);
    if (step === 7) versions.pin(state, 0);
    expect(versions.runs.length).toBeLessThanOrEqual(200 + SIZE);
  }
  const pinned = versions.versions.filter((version) => version.pinned);
  expect(pinned.map((version) => versions.instants[version.instant])).toEqual([7]);
});

/** The bytes of blocks, whose runs are laid into columns first; owners keep their numbers. */
function packed(blocks: readonly PackedBlock[]): Uint8Array {
  const runs = new PageRuns();
  const laid = blocks.map((block) => ({
    ...block,
    versions: block.versions.map(({ instant, type, runs: list }) => {
      const from = runs.length;
      for (const r of list) runs.push(r.pages, r.state, r.order, r.owner, r.sinceS);
      return { instant, type, from, to: runs.length };
    }),
  }));
  return packBlocks(laid, runs, (owner) => owner);
}

test('blocks come back from bytes as they were', () => {
  const run = fc.record({
    pages: fc.integer({ min: 1, max: 1 << 14 }),
    state: fc.integer({ min: 0, max: 4 }),
    order: fc.integer({ min: -1, max: 18 }),
    owner: fc.integer({ min: -1, max: 70_000 }),
    sinceS: fc.integer({ min: 0, max: 1e8 }).map((tick) => Math.fround(tick * 1e-4)),
  });
  const known = run.map((r) => {
    const owned = r.order >= 0 && r.state !== 1 ? r.owner : -1;
    return { ...r, owner: owned, sinceS: owned < 0 ? 0 : r.sinceS };
  });
  const version = fc.record({
    instant: fc.nat(500),
    type: fc.integer({ min: -1, max: 6 }),
    runs: fc.array(known, { maxLength: 20 }),
  });
  const block = fc.record({
    zone: fc.nat(40),
    pfn: fc.integer({ min: 0, max: 2 ** 44 }),
    followed: fc.boolean(),
    versions: fc.array(version, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(block, { maxLength: 5 }), (blocks: PackedBlock[]) => {
      const back = unpackBlocks(packed(blocks));
      const plain = (list: readonly PackedBlock[]) =>
        list.map((b) => ({
          ...b,
          versions: b.versions.map((v) => ({
            ...v,
            runs: v.runs.map((r) => ({
              ...r,
              sinceS: r.owner < 0 ? 0 : Math.round(r.sinceS / 1e-4),
            })),
          })),
        }));
      expect(plain(back)).toEqual(plain(blocks));
    }),
    { numRuns: 100 },
  );
});

test('a machine too large is followed where events are, within bounds', () => {
  const blocks = (1 << 15) + 100;
  const state = {
    ...machine(),
    pages: new Uint8Array(SIZE * blocks).fill(PageBit.allocated),
    headOrder: new Int8Array(SIZE * blocks).fill(-1),
    pageblockType: new Int8Array(blocks).fill(1),
  } as ReturnType<typeof machine>;
  const versions = new PageVersions(nobody, 400);
  versions.start(blocks);
  versions.sample(state, 0, 0);
  expect(versions.versions).toHaveLength(0);
  for (let step = 1; step < 60; step++) {
    for (let n = 0; n < 40; n++) {
      const block = step * 40 + n;
      state.pages[block * SIZE + (step % SIZE)] = PageBit.free;
      versions.touch(block);
    }
    state.timeNs = step;
    versions.pin(state, blocks - step);
    versions.sample(state, step, 1);
  }
  expect(versions.isFollowed(40)).toBe(true);
  expect(versions.isFollowed(blocks - 1)).toBe(false);
  const pinned = versions.versions.filter((version) => version.pinned);
  expect(pinned).toHaveLength(59);
  expect(versions.runs.length).toBeLessThan(2 * 400 + 59 + 40 * 3);
});
