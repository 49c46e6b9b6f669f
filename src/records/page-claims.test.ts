import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Claim, claimsEnd, eachClaim, type PageMapSnapshot } from './page-claims.js';
import { NO_TIME, PageClass, type PageOwnerSnapshot } from './snapshot.js';

const BASE = { time: NO_TIME, source: 'x', line: 1 };

function dumpOf(blocks: readonly (readonly [pfn: number, order: number])[]): PageOwnerSnapshot {
  const ids = new Uint32Array(blocks.length);
  return {
    ...BASE,
    kind: 'page_owner',
    length: blocks.length,
    pfn: Float64Array.from(blocks, ([pfn]) => pfn),
    order: Uint8Array.from(blocks, ([, order]) => order),
    ...{ gfp: ids, comm: ids, stack: ids, type: ids },
    pid: new Int32Array(blocks.length),
    allocNs: new Float64Array(blocks.length),
  };
}

function rangesOf(map: PageMapSnapshot): number[][] {
  const ranges: number[][] = [];
  eachClaim(map, (...range) => ranges.push(range));
  return ranges;
}

test('blocks named again and again, in any order, are claimed once', () => {
  const dump = dumpOf([
    [4096, 3],
    [0, 0],
    [4096, 3],
    [4100, 0],
    [4104, 1],
    [8192, 18],
  ]);
  expect(rangesOf(dump)).toEqual([
    [0, 1, Claim.taken],
    [4096, 4106, Claim.taken],
    [8192, 8192 + 2 ** 18, Claim.taken],
  ]);
});

test('a block larger than any is damage: neither followed nor counted', () => {
  const dump = dumpOf([
    [64, 1],
    [0, 31],
  ]);
  expect(rangesOf(dump)).toEqual([[64, 66, Claim.taken]]);
  expect(claimsEnd(dump)).toBe(66);
});

test('ranges cover exactly the pages that are listed, each once, ascending', () => {
  const block = fc.tuple(fc.nat(300), fc.nat(5));
  fc.assert(
    fc.property(fc.array(block, { maxLength: 60 }), (blocks) => {
      const listed = new Set<number>();
      for (const [pfn, order] of blocks) {
        for (let page = pfn; page < pfn + 2 ** order; page++) listed.add(page);
      }
      const claimed: number[] = [];
      eachClaim(dumpOf(blocks), (from, to) => {
        for (let page = from; page < to; page++) claimed.push(page);
      });
      expect(claimed).toEqual([...listed].sort((a, b) => a - b));
    }),
    { seed: 11 },
  );
});

test('maps of every page come as runs', () => {
  const classes = Uint8Array.of(
    PageClass.buddy | PageClass.lru,
    PageClass.buddy,
    0,
    PageClass.slab,
  );
  expect(rangesOf({ ...BASE, kind: 'kpageflags', classes, buddyHeadsOnly: false })).toEqual([
    [0, 2, Claim.free],
    [2, 4, Claim.taken],
  ]);
  const mapped = Uint8Array.of(0, 1, 1, 0, 1);
  expect(rangesOf({ ...BASE, kind: 'kpagecount', mapped })).toEqual([
    [1, 3, Claim.taken],
    [4, 5, Claim.taken],
  ]);
  expect(rangesOf({ ...BASE, kind: 'kpagecount', mapped: new Uint8Array() })).toEqual([]);
});
