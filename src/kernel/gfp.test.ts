import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  attemptClassOf,
  decodeGfp,
  encodeGfp,
  erasMatching,
  flagsOfEra,
  formatGfp,
  GFP_ERAS,
  type GfpEra,
  GfpFlag,
  parseGfp,
  parseGfpSet,
} from './gfp.js';
import { GFP_BITS } from './gfp-flags.js';
import { MigrateType } from './migratetype.js';

/** Numbers kernels print, the era that printed them, and the names a reader expects. */
const MASKS: readonly [number, GfpEra, string][] = [
  [0x20, '2.6.32', 'GFP_ATOMIC'],
  [0x4020, '2.6.32', 'GFP_ATOMIC|__GFP_COMP'],
  [0xd0, '2.6.32', 'GFP_KERNEL'],
  [0x40d0, '2.6.32', 'GFP_KERNEL|__GFP_COMP'],
  [0x10d0, '2.6.32', 'GFP_KERNEL|__GFP_NORETRY'],
  [0x204010, '2.6.32', 'GFP_NOIO|__GFP_COMP|__GFP_NOTRACK'],
  [0x2040d0, '2.6.32', 'GFP_KERNEL|__GFP_COMP|__GFP_NOTRACK'],
  [0x1200d2, 'before-2.6.32', 'GFP_HIGHUSER_MOVABLE'],
  [0x200da, '2.6.32', 'GFP_HIGHUSER_MOVABLE'],
  [0x2080020, '4.4', 'GFP_ATOMIC'],
  [0x2084120, '4.4', 'GFP_ATOMIC|__GFP_COLD|__GFP_COMP'],
  [0x24000c0, '4.4', 'GFP_KERNEL'],
  [0x342ca, '4.4', 'GFP_TRANSHUGE_LIGHT'],
  [0x1080020, '4.10', 'GFP_ATOMIC'],
  [0x14000c0, '4.10', 'GFP_KERNEL'],
  [0x480020, '4.16', 'GFP_ATOMIC'],
  [0x484020, '4.16', 'GFP_ATOMIC|__GFP_COMP'],
  [0x60c0c0, '4.16', 'GFP_KERNEL|__GFP_ZERO|__GFP_COMP'],
  [0xa20, '5.1', 'GFP_ATOMIC'],
  [0x40a20, '5.1', 'GFP_ATOMIC|__GFP_COMP'],
  [0xc2a20, '5.1', 'GFP_ATOMIC|__GFP_NOWARN|__GFP_COMP|__GFP_NOMEMALLOC'],
  [0x820, '6.3', 'GFP_ATOMIC'],
  [0x40820, '6.8', 'GFP_ATOMIC|__GFP_COMP'],
  [0x800, '6.3', 'GFP_NOWAIT'],
  [0x2800, '6.8', 'GFP_NOWAIT'],
  [0x800, '6.8', '__GFP_KSWAPD_RECLAIM'],
  [0x100820, '6.8', 'GFP_ATOMIC|__GFP_HARDWALL'],
  [0xcc4, '5.1', 'GFP_KERNEL|GFP_DMA32'],
  [0x100cca, '6.8', 'GFP_HIGHUSER_MOVABLE'],
  [0x1c20ca, '6.8', 'GFP_TRANSHUGE_LIGHT'],
];

describe('numbers and names', () => {
  test.each(MASKS)('%s of era %s is %s', (mask, era, text) => {
    const set = decodeGfp(mask, era);
    expect(formatGfp(set.flags, era, set.unknownBits)).toBe(text);
    expect(encodeGfp(parseGfpSet(text, era).flags, era)).toBe(mask);
  });

  const atomic: [GfpEra, number][] = [
    ['before-2.6.32', 0x20],
    ['2.6.32', 0x20],
    ['4.4', 0x2080020],
    ['4.10', 0x1080020],
    ['4.16', 0x480020],
    ['5.1', 0xa20],
    ['6.3', 0x820],
    ['6.8', 0x820],
  ];
  test.each(atomic)('GFP_ATOMIC given by a user means that of era %s', (era, mask) => {
    expect(encodeGfp(parseGfp('GFP_ATOMIC', era).flags, era)).toBe(mask);
    expect(parseGfp('gfp_atomic', era).text).toBe('GFP_ATOMIC');
  });

  test('no two flags share a bit in any era', () => {
    for (const era of GFP_ERAS) {
      const bits = Object.values(GFP_BITS[era]);
      expect(new Set(bits).size).toBe(bits.length);
      expect(bits.every((bit) => (bit & (bit - 1)) === 0)).toBe(true);
    }
  });

  test('text of any flag set reads back as the same set, in every era', () => {
    for (const era of GFP_ERAS) {
      const all = flagsOfEra(era);
      fc.assert(
        fc.property(fc.nat(2 ** 28 - 1), (random) => {
          const flags = random & all;
          expect(parseGfpSet(formatGfp(flags, era), era).flags).toBe(flags);
          expect(decodeGfp(encodeGfp(flags, era), era)).toEqual({
            flags,
            unknownBits: 0,
            otherNames: [],
          });
        }),
      );
    }
  });

  test('old kernels print single flags without underscores', () => {
    expect(parseGfpSet('GFP_NOWARN|GFP_WAIT|GFP_COMP', '2.6.32').flags).toBe(
      GfpFlag.NOWARN | GfpFlag.DIRECT_RECLAIM | GfpFlag.COMP,
    );
    expect(parseGfpSet('GFP_HIGH|GFP_ATOMIC', '4.4').flags).toBe(GfpFlag.HIGH | GfpFlag.ATOMIC);
  });

  test('bits and names without meaning are kept, not guessed', () => {
    const set = parseGfpSet('GFP_ATOMIC|__GFP_NOLOCKDEP|0x8000000', '6.8');
    expect(set.flags).toBe(GfpFlag.HIGH | GfpFlag.KSWAPD_RECLAIM);
    expect(set.unknownBits).toBe(0x8000000);
    expect(set.otherNames).toEqual(['__GFP_NOLOCKDEP']);
  });

  test('the pair of a failure report is read by its names; a raw decimal by its number', () => {
    expect(parseGfp('0xa20(GFP_ATOMIC)', '6.8').text).toBe('GFP_ATOMIC');
    expect(parseGfp('0x0()', '6.8').flags).toBe(0);
    expect(parseGfp('24150208', '4.10').text).toContain('GFP_KERNEL_ACCOUNT');
  });

  test('hostile text neither throws nor hangs', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.constantFrom(...GFP_ERAS), (text, era) => {
        expect(typeof parseGfp(text, era).text).toBe('string');
      }),
    );
    expect(parseGfp('|'.repeat(1e6), '6.8').flags).toBe(0);
    expect(parseGfp('X|'.repeat(1e5), '6.8').otherNames.length).toBeLessThanOrEqual(16);
  });

  test('a mask with its names tells the era', () => {
    expect(erasMatching(0xa20, 'GFP_ATOMIC')).toEqual(['5.1']);
    expect(erasMatching(0x820, 'GFP_ATOMIC')).toEqual(['6.3', '6.8']);
    expect(erasMatching(0x40dc0, 'GFP_KERNEL|__GFP_COMP|__GFP_ZERO')).toEqual([
      '5.1',
      '6.3',
      '6.8',
    ]);
  });
});

describe('what a request asks', () => {
  test('__GFP_HARDWALL, an artefact of cpusets, does not change the request', () => {
    const plain = parseGfp('GFP_ATOMIC', '6.8');
    const traced = parseGfp('GFP_ATOMIC|__GFP_HARDWALL', '6.8');
    expect(traced.hardwall).toBe(true);
    expect({ ...traced, hardwall: false }).toEqual(plain);
    expect(parseGfp('GFP_USER', '6.8').text).toBe('GFP_KERNEL');
  });

  test.each([
    ['GFP_ATOMIC', 'Normal', MigrateType.unmovable],
    ['GFP_KERNEL|GFP_DMA32', 'DMA32', MigrateType.unmovable],
    ['GFP_KERNEL|GFP_DMA', 'DMA', MigrateType.unmovable],
    ['GFP_HIGHUSER', 'HighMem', MigrateType.unmovable],
    ['GFP_HIGHUSER_MOVABLE', 'Movable', MigrateType.movable],
    ['GFP_USER|__GFP_MOVABLE', 'Normal', MigrateType.movable],
    ['GFP_NOFS|__GFP_RECLAIMABLE', 'Normal', MigrateType.reclaimable],
  ])('%s goes to zone %s', (text, zoneClass, migratetype) => {
    expect(parseGfp(text, '6.8')).toMatchObject({ zoneClass, migratetype });
  });

  test.each([
    ['GFP_ATOMIC', 3, 'atomic'],
    ['GFP_ATOMIC|__GFP_NOWARN', 3, 'atomic'],
    ['GFP_ATOMIC|__GFP_NOWARN|__GFP_COMP|__GFP_NOMEMALLOC', 1, 'atomic'],
    ['GFP_ATOMIC|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP|__GFP_NOMEMALLOC', 3, 'opportunistic'],
    ['GFP_ATOMIC|__GFP_NOWARN|__GFP_NORETRY', 0, 'atomic'],
    ['GFP_NOWAIT', 0, 'nowait'],
    ['GFP_TRANSHUGE_LIGHT', 9, 'opportunistic'],
    ['GFP_KERNEL', 2, 'blocking'],
    ['GFP_KERNEL|__GFP_NOWARN|__GFP_NORETRY', 3, 'opportunistic'],
  ] as const)('%s at order %i is %s', (text, order, expected) => {
    expect(attemptClassOf(parseGfp(text, '6.3'), order)).toBe(expected);
  });

  test('before 4.4 kswapd is woken unless NO_KSWAPD is set', () => {
    expect(parseGfp('0x20', '2.6.32').kswapdReclaim).toBe(true);
    expect(parseGfp('0x400020', '2.6.32').kswapdReclaim).toBe(false);
  });
});
