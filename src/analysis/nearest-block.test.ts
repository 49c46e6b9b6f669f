import { expect, it } from 'vitest';
import type { RecordingStrings } from '../records/strings.js';
import { PageBit, type ReplayState } from '../replay/observer.js';
import type { HoldersObserver } from './holders.js';
import { NearestBlocks } from './nearest-block.js';

const MOVABLE = 1;
const F = PageBit.free;
const A = PageBit.allocated;

/** One zone of 16 pages; row 1 is movable, row 2 is not. */
function machine(pages: readonly number[], owners: Readonly<Record<number, number>>) {
  const state = {
    timeNs: 0,
    pages: Uint8Array.from(pages),
    zones: [{ index: 0, runs: [{ from: 0, to: pages.length }] }],
    pfnOf: (page: number) => page + 0x100,
  } as unknown as ReplayState;
  const holders = {
    owners: {
      ownerAt: (page: number) => owners[page] ?? -1,
      orderAt: () => 0,
    },
    table: {
      migratetype: (row: number) => (row === 1 ? MOVABLE : 0),
      comm: (row: number) => row,
      gfp: (row: number) => row,
    },
  } as unknown as HoldersObserver;
  const strings = {
    comms: { text: (id: number) => `task${id}` },
    gfps: { text: (id: number) => `gfp${id}` },
  } as unknown as RecordingStrings;
  const nearest = new NearestBlocks({
    fromNs: 0,
    toNs: 1e9,
    strings,
    holders,
    movableType: MOVABLE,
  });
  return { state, nearest };
}

it('finds the block with fewest pages in the way, and the cheapest without immovable ones', () => {
  const pages = [A, F, F, F, A, A, F, F, A, A, A, A, 0, 0, 0, 0];
  const { state, nearest } = machine(pages, { 0: 2, 4: 1, 5: 1, 8: 1, 9: 1, 10: 1, 11: 1 });
  expect(nearest.look(state, 2)).toEqual([
    {
      zone: 0,
      order: 2,
      kind: 'fewest',
      pfn: 0x100,
      taken: 1,
      movable: 0,
      immovable: 1,
      unknown: 0,
      holders: [{ comm: 'task2', gfp: 'gfp2', pages: 1 }],
    },
    {
      zone: 0,
      order: 2,
      kind: 'movable',
      pfn: 0x104,
      taken: 2,
      movable: 2,
      immovable: 0,
      unknown: 0,
      holders: [{ comm: 'task1', gfp: 'gfp1', pages: 2 }],
    },
  ]);
});

it('counts pages without a recorded allocation as unknown, and names one block if it is both', () => {
  const { state, nearest } = machine([A, A, A, F], {});
  expect(nearest.look(state, 1)).toMatchObject([
    { kind: 'fewest', pfn: 0x102, taken: 1, unknown: 1, holders: [] },
  ]);
});

it('looks at one order only now and then', () => {
  const { state, nearest } = machine([A, F, F, F], {});
  expect(nearest.look(state, 1)).not.toBeNull();
  expect(nearest.look(state, 1)).toBeNull();
  expect(nearest.look(state, 2)).not.toBeNull();
  expect(nearest.look({ ...state, timeNs: 7e7 }, 1)).not.toBeNull();
});
