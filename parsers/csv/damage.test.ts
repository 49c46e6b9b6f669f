/** Tables under damage: cut at every byte, flipped bits, stamps that cannot be read. */
import { beforeAll, describe, expect, test } from 'vitest';
import { collect } from '../event-format/testing.js';
import { cutEverywhere, damage } from '../event-format/testing-fuzz.js';
import { ndjson } from '../ndjson/index.js';
import { csv } from './index.js';

beforeAll(() => Promise.all([csv.load?.(), ndjson.load?.()]));

const TABLE = `t,event,cpu,pid,comm,pfn,order,migratetype,gfp_flags
1594.497452000,kmem:mm_page_alloc,1,2089,dd,2747875,3,1,GFP_KERNEL|__GFP_COMP
1594.497479000,kmem:mm_page_free,0,2089,"a, ""b""",2747875,3,,
1594.497480000,kmem:mm_page_alloc,0,7,sh,,9,0,GFP_ATOMIC
`;
const OBJECTS = [
  '{"t":1594.497452,"event":"mm_page_alloc","cpu":1,"pid":2089,"comm":"dd","pfn":2747875,"order":3}',
  '{"t":1594.497479,"event":"mm_page_free","cpu":0,"pid":7,"comm":"s\\u0068","pfn":2747875,"order":3}',
  '{"snapshot":"kpageflags","clock":"none","data":{"pages":9,"pfn":0,"buddyHeadsOnly":false,"runs":[4,1,5,0]}}',
  '',
].join('\n');

describe.each([
  ['CSV', csv, TABLE, 3],
  ['NDJSON', ndjson, OBJECTS, 2],
] as const)('%s', (_, format, text, events) => {
  const bytes = Buffer.from(text);

  test('undamaged: every row is an event, nothing is skipped', () => {
    const { rows, source } = collect(format, bytes);
    expect([rows.length, source.skippedLines]).toEqual([events, 0]);
  });

  test('survives cuts and flipped bits', () => {
    // Without its column of times a table is still one.
    cutEverywhere(format, bytes, 1, { timeless: true });
    damage(format, bytes, 400, 81, undefined, { timeless: true });
  });

  test('a stamp that cannot be read makes no event without a time', () => {
    const odd = Buffer.from(text.replace('1594.497479', '1594.49x479'));
    const { rows, source } = collect(format, odd);
    expect([rows.length, source.skippedLines]).toEqual([events - 1, 1]);
  });
});

test('a table without any times keeps its order', () => {
  const bare = 'event,pfn,order\nmm_page_alloc,16,0\nmm_page_free,16,0\n';
  const { rows } = collect(csv, Buffer.from(bare));
  expect(rows.map(({ name, timeNs }) => [name, timeNs])).toEqual([
    ['kmem:mm_page_alloc', Number.NaN],
    ['kmem:mm_page_free', Number.NaN],
  ]);
});

test('a long copy is given room as its pieces come, not as the first one promises', () => {
  const first = `{"snapshot":"kpagecount","clock":"none","data":{"pages":2000000000,"pfn":0,"runs":[3,1]}}\n`;
  const before = process.memoryUsage().arrayBuffers;
  const { snapshots } = collect(ndjson, Buffer.from(first.repeat(3)));
  expect(snapshots).toEqual([]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 << 20);
});

test('short lines that stand for long copies are refused beyond 1 TiB of memory in all', () => {
  const pages = 2 ** 27;
  const line = `{"snapshot":"kpagecount","clock":"none","data":{"pages":${pages},"pfn":0,"runs":[${pages},0]}}\n`;
  const { snapshots, source } = collect(ndjson, Buffer.from(line.repeat(4)));
  expect([snapshots.length, source.skippedLines]).toEqual([2, 2]);
});
