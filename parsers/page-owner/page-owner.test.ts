/**
 * page_owner dumps of each kernel generation, cut and damaged ones.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, ofKind, type Parsed, parseWith } from '../snapshot-text/testing.js';
import { pageOwner } from './index.js';

const V44 = `Page allocated via order 3, mask 0x24280c0
PFN 4096 Block 8 type 2 Fallback Flags UPTODATE|LRU
 [<ffffffff8118b8ee>] __alloc_pages_nodemask+0x14e/0x230
 [<ffffffff811d3f0c>] new_slab+0x2cc/0x3a0

`;
const V49 = `Page allocated via order 0, mask 0x24200ca(GFP_HIGHUSER_MOVABLE)
PFN 1048576 type Movable Block 2048 type Movable Flags 0x17fffc000080068(uptodate|lru|active)
 [<ffffffff8118b8ee>] __alloc_pages_nodemask+0x14e/0x230
Page has been migrated, last migrate reason: compaction

`;
const V61 = `Page allocated via order 2, mask 0x52a20(GFP_ATOMIC|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP), pid 1, tgid 1 (swapper/0), ts 5133124 ns, free_ts 0 ns
PFN 9184 type Unmovable Block 17 type Unmovable Flags 0xfffc0000010200(slab|head|node=0|zone=1|lastcpupid=0x3fff)
 post_alloc_hook+0x1e5/0x210
 get_page_from_freelist+0x3d2/0x4c0

`;
const V612 = `Page allocated via order 0, mask 0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), pid 77, tgid 77 (a (weird) comm), ts 15133124000 ns
PFN 0x23e1 type Movable Block 17 type Movable Flags 0xfffc000(node=0|zone=1)
 post_alloc_hook+0x1e5/0x210
Charged to memcg system.slice

`;
const ALL = V44 + V49 + V61 + V612;

function rows(parsed: Parsed) {
  const copy = ofKind(parsed, 'page_owner')[0];
  if (!copy) return [];
  const { gfps, comms, stacks, texts } = parsed.strings;
  return Array.from({ length: copy.length }, (_, i) => ({
    pfn: copy.pfn[i]!,
    order: copy.order[i]!,
    gfp: gfps.text(copy.gfp[i]!),
    comm: comms.text(copy.comm[i]!),
    stack: stacks.text(copy.stack[i]!).split('\n'),
    pid: copy.pid[i]!,
    allocNs: copy.allocNs[i]!,
    type: texts.text(copy.type[i]!),
  }));
}

describe('page_owner', () => {
  test('records of v4.4, v4.9, v6.1 and v6.12 in one file', () => {
    const parsed = parseWith(pageOwner, ALL);
    expect(parsed.codes).toEqual([]);
    expect(parsed.source.skippedLines).toBe(0);
    const [v44, v49, v61, v612] = rows(parsed);
    expect(v44).toMatchObject({
      pfn: 4096,
      order: 3,
      gfp: '0x24280c0',
      comm: '',
      pid: -1,
      type: '',
    });
    expect(v44?.allocNs).toBeNaN();
    expect(v44?.stack).toEqual(['__alloc_pages_nodemask+0x14e/0x230', 'new_slab+0x2cc/0x3a0']);
    expect(v49).toMatchObject({ pfn: 1048576, gfp: 'GFP_HIGHUSER_MOVABLE', type: 'Movable' });
    expect(v49?.stack).toHaveLength(1);
    expect(v61).toMatchObject({
      ...{ pfn: 9184, order: 2, pid: 1, comm: 'swapper/0', allocNs: 5133124, type: 'Unmovable' },
      gfp: 'GFP_ATOMIC|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP',
    });
    expect(v612).toMatchObject({ pfn: 0x23e1, comm: 'a (weird) comm', allocNs: 15133124000 });
  });

  test('detected by content', () => {
    expect(pageOwner.detect(bytesOf(ALL), 'x')?.confidence).toBeGreaterThan(0.9);
    expect(pageOwner.detect(bytesOf('Page block order: 9\n'), 'page_owner')).toBeNull();
  });

  test('one-byte chunks give the same', () => {
    expect(rows(parseWith(pageOwner, ALL, { chunk: 1 }))).toEqual(rows(parseWith(pageOwner, ALL)));
  });

  test('cut at any byte: never a record that is not in the whole file', () => {
    const whole = rows(parseWith(pageOwner, ALL));
    const bytes = bytesOf(ALL);
    for (let length = 0; length <= bytes.length; length++) {
      const cut = rows(parseWith(pageOwner, bytes.subarray(0, length)));
      cut.forEach((row, i) => {
        expect({ ...row, stack: [] }).toEqual({ ...whole[i], stack: [] });
        expect(whole[i]?.stack.slice(0, row.stack.length).join().startsWith(row.stack.join())).toBe(
          true,
        );
      });
    }
  });

  test('hostile values are counted and skipped', () => {
    const bad = ALL.replace('order 3', 'order 99').replace('PFN 9184', 'PFN 4503599627370496');
    const parsed = parseWith(pageOwner, bad);
    expect(rows(parsed).map((row) => row.pfn)).toEqual([1048576, 0x23e1]);
    expect(parsed.codes).toContain('page-owner-cut');
    expect(parsed.source.skippedLines).toBeGreaterThan(2);
  });

  test('random damage never throws', () => {
    const damage = fc.array(fc.tuple(fc.nat(ALL.length - 1), fc.nat(255)), { maxLength: 30 });
    fc.assert(
      fc.property(damage, (flips) => {
        const bytes = bytesOf(ALL);
        for (const [at, value] of flips) bytes[at] = value;
        expect(rows(parseWith(pageOwner, bytes)).length).toBeLessThanOrEqual(5);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test('no more records are kept than the limit', () => {
    const parsed = parseWith(pageOwner, ALL, { limits: { pages: 2 } });
    expect(rows(parsed)).toHaveLength(2);
    expect(parsed.codes).toContain('page-owner-limit');
  });
});
