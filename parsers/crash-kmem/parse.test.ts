import { describe, expect, it } from 'vitest';
import { collect } from '../event-format/testing.js';
import { damage } from '../event-format/testing-fuzz.js';
import { crashKmem } from './index.js';

const COUNTS = `crash> kmem -f
NODE
  0
ZONE  NAME        SIZE    FREE  MEM_MAP   START_PADDR  START_MAPNR
  0   DMA         4096    3372  c4000040       0            0
AREA  SIZE  FREE_AREA_STRUCT  BLOCKS  PAGES
  0     4k      c02eb004           2      2
  1     8k      c02eb010           3      6
 10  4096k      c02eb078           3   3072

ZONE  NAME        SIZE    FREE  MEM_MAP   START_PADDR  START_MAPNR
  1   Normal    126960     471  c4044040    1000000        4096
AREA  SIZE  FREE_AREA_STRUCT  BLOCKS  PAGES
  0     4k      c02eb304          39     39
  0     4k      c02eb30c           1      1
  1     8k      c02eb310          99    198

nr_free_pages: 3843  (verified)
`;

const LISTED = `NODE
  0
ZONE  NAME        SIZE    FREE      MEM_MAP       START_PADDR  START_MAPNR
  0   DMA         4096       5  ffffea0000000000       0            0
AREA    SIZE  FREE_AREA_STRUCT  BLOCKS  PAGES
  0       4k  ffff88003ffd9068       1      1
ffffea0000000040
  2      16k  ffff88003ffd9098       1      4
ffffea0000000200
`;

describe('crash kmem', () => {
  const read = (text: string, chunk?: number): ReturnType<typeof collect> =>
    collect(crashKmem, Buffer.from(text), chunk === undefined ? {} : { chunk });

  it.each([undefined, 3])('-f gives the counts of each zone, chunks of %s', (chunk) => {
    expect(crashKmem.detect(Buffer.from(COUNTS), '')?.confidence).toBeGreaterThan(0.9);
    const { snapshots, source } = read(COUNTS, chunk);
    expect(snapshots).toMatchObject([
      {
        kind: 'buddyinfo',
        zones: [
          { node: 0, zone: 'DMA', free: [2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 3] },
          { node: 0, zone: 'Normal', free: [40, 99] },
        ],
      },
    ]);
    expect(source.skippedLines).toBe(0);
  });

  it('-F gives the free pages themselves', () => {
    const { snapshots } = read(LISTED);
    const map = snapshots.find((snapshot) => snapshot.kind === 'kpageflags');
    const free = [...(map?.kind === 'kpageflags' ? map.classes : [])].flatMap((c, pfn) =>
      c === 0 ? [] : [pfn],
    );
    expect(free).toEqual([1, 8, 9, 10, 11]);
  });

  it('does not make a big map for a short list', () => {
    const huge = LISTED.replace('4096 ', '4294967296 ');
    const { snapshots, diagnostics } = read(huge);
    expect(snapshots.map((snapshot) => snapshot.kind)).toEqual(['buddyinfo']);
    expect(diagnostics.count('section-limit')).toBe(1);
  });

  it('survives damage', () => {
    damage(crashKmem, Buffer.from(COUNTS), 200, 61);
    damage(crashKmem, Buffer.from(LISTED), 200, 62);
  });
});
