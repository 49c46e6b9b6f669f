/**
 * The gfp bits by kernel era, and the composite names.
 *
 * buddyscope keeps flags as one bit mask of its own (`GfpFlag`); the tables here translate the
 * kernel's numbers into it. Kernel: include/linux/gfp.h (gfp_types.h since 6.0) of 2.6.24, 2.6.30,
 * 2.6.32, 3.10, 4.4, 4.9, 4.14, 4.19, 5.4, 6.1, 6.3, 6.8, 6.12, 7.2. The bits above ZEROTAGS (KASAN,
 * lockdep, object extensions) move with the configuration and are not translated from numbers.
 *
 * Before 4.4 one flag, __GFP_WAIT, stood for what are now DIRECT_RECLAIM and KSWAPD_RECLAIM; it is
 * kept as DIRECT_RECLAIM here, and kswapd was woken unless NO_KSWAPD was set.
 */

/** Flags, whatever number a kernel gives them. */
export const GfpFlag = {
  DMA: 1 << 0,
  HIGHMEM: 1 << 1,
  DMA32: 1 << 2,
  MOVABLE: 1 << 3,
  RECLAIMABLE: 1 << 4,
  HIGH: 1 << 5,
  IO: 1 << 6,
  FS: 1 << 7,
  COLD: 1 << 8,
  ZERO: 1 << 9,
  NOWARN: 1 << 10,
  /** __GFP_REPEAT up to 4.12. */
  RETRY_MAYFAIL: 1 << 11,
  NOFAIL: 1 << 12,
  NORETRY: 1 << 13,
  MEMALLOC: 1 << 14,
  COMP: 1 << 15,
  NOMEMALLOC: 1 << 16,
  HARDWALL: 1 << 17,
  THISNODE: 1 << 18,
  /** The lone __GFP_ATOMIC bit, 4.4-6.2. */
  ATOMIC: 1 << 19,
  ACCOUNT: 1 << 20,
  NOTRACK: 1 << 21,
  NO_KSWAPD: 1 << 22,
  /** __GFP_WAIT up to 4.3. */
  DIRECT_RECLAIM: 1 << 23,
  KSWAPD_RECLAIM: 1 << 24,
  OTHER_NODE: 1 << 25,
  WRITE: 1 << 26,
  ZEROTAGS: 1 << 27,
} as const;

export type GfpFlagName = keyof typeof GfpFlag;

/** Ranges of kernels that share one assignment of bits and composites; named by the first. */
export const GFP_ERAS = [
  'before-2.6.32',
  '2.6.32',
  '4.4',
  '4.10',
  '4.16',
  '5.1',
  '6.3',
  '6.8',
] as const;

export type GfpEra = (typeof GFP_ERAS)[number];

type BitTable = Readonly<Partial<Record<GfpFlagName, number>>>;

const COMMON: BitTable = { DMA: 0x1, HIGHMEM: 0x2, DMA32: 0x4, HIGH: 0x20, IO: 0x40, FS: 0x80 };

/** Numbers that stayed put from 2.6.24 to 5.0. */
const UNTIL_5_0: BitTable = {
  ...COMMON,
  NOWARN: 0x200,
  RETRY_MAYFAIL: 0x400,
  NOFAIL: 0x800,
  NORETRY: 0x1000,
  COMP: 0x4000,
  ZERO: 0x8000,
  NOMEMALLOC: 0x10000,
  HARDWALL: 0x20000,
  THISNODE: 0x40000,
};

const FROM_4_4: BitTable = {
  ...UNTIL_5_0,
  MOVABLE: 0x8,
  RECLAIMABLE: 0x10,
  MEMALLOC: 0x2000,
  ATOMIC: 0x80000,
  ACCOUNT: 0x100000,
};

const FROM_5_1: BitTable = {
  ...COMMON,
  MOVABLE: 0x8,
  RECLAIMABLE: 0x10,
  ZERO: 0x100,
  DIRECT_RECLAIM: 0x400,
  KSWAPD_RECLAIM: 0x800,
  WRITE: 0x1000,
  NOWARN: 0x2000,
  RETRY_MAYFAIL: 0x4000,
  NOFAIL: 0x8000,
  NORETRY: 0x10000,
  MEMALLOC: 0x20000,
  COMP: 0x40000,
  NOMEMALLOC: 0x80000,
  HARDWALL: 0x100000,
  THISNODE: 0x200000,
  ACCOUNT: 0x400000,
  ZEROTAGS: 0x800000,
};

/** The kernel's number of each flag, by era. */
export const GFP_BITS: Readonly<Record<GfpEra, BitTable>> = {
  'before-2.6.32': {
    ...UNTIL_5_0,
    DIRECT_RECLAIM: 0x10,
    COLD: 0x100,
    RECLAIMABLE: 0x80000,
    MOVABLE: 0x100000,
  },
  '2.6.32': {
    ...UNTIL_5_0,
    MOVABLE: 0x8,
    DIRECT_RECLAIM: 0x10,
    COLD: 0x100,
    MEMALLOC: 0x2000,
    RECLAIMABLE: 0x80000,
    ACCOUNT: 0x100000,
    NOTRACK: 0x200000,
    NO_KSWAPD: 0x400000,
    OTHER_NODE: 0x800000,
    WRITE: 0x1000000,
  },
  '4.4': {
    ...FROM_4_4,
    COLD: 0x100,
    NOTRACK: 0x200000,
    DIRECT_RECLAIM: 0x400000,
    OTHER_NODE: 0x800000,
    WRITE: 0x1000000,
    KSWAPD_RECLAIM: 0x2000000,
  },
  '4.10': {
    ...FROM_4_4,
    COLD: 0x100,
    NOTRACK: 0x200000,
    DIRECT_RECLAIM: 0x400000,
    WRITE: 0x800000,
    KSWAPD_RECLAIM: 0x1000000,
  },
  '4.16': { ...FROM_4_4, WRITE: 0x100, DIRECT_RECLAIM: 0x200000, KSWAPD_RECLAIM: 0x400000 },
  '5.1': { ...FROM_5_1, ATOMIC: 0x200 },
  '6.3': FROM_5_1,
  '6.8': FROM_5_1,
};

const F = GfpFlag;
const WAIT_OLD = F.DIRECT_RECLAIM;
const RECLAIM = F.DIRECT_RECLAIM | F.KSWAPD_RECLAIM;

/** GFP_ATOMIC of an era, in GfpFlag bits. */
function atomicOf(era: GfpEra): number {
  if (era === 'before-2.6.32' || era === '2.6.32') return F.HIGH;
  if (era === '6.3' || era === '6.8') return F.HIGH | F.KSWAPD_RECLAIM;
  return F.HIGH | F.ATOMIC | F.KSWAPD_RECLAIM;
}

function nowaitOf(era: GfpEra): number {
  if (era === 'before-2.6.32' || era === '2.6.32') return 0;
  return era === '6.8' ? F.KSWAPD_RECLAIM | F.NOWARN : F.KSWAPD_RECLAIM;
}

function transhugeOf(era: GfpEra, movable: number): [string, number][] {
  const base = movable | F.COMP | F.NOMEMALLOC | F.NOWARN;
  if (era === '2.6.32') return [['GFP_TRANSHUGE', base | F.NORETRY | F.NO_KSWAPD]];
  const light = base & ~RECLAIM;
  return [
    ['GFP_TRANSHUGE', light | F.DIRECT_RECLAIM],
    ['GFP_TRANSHUGE_LIGHT', light],
  ];
}

/**
 * Composite names of an era with their flags, in the order in which the kernel prints them: the
 * first whose flags all remain is printed and its flags are cleared.
 */
function compositesOf(era: GfpEra): readonly [string, number][] {
  const old = era === 'before-2.6.32' || era === '2.6.32';
  const wait = old ? WAIT_OLD : RECLAIM;
  const kernel = wait | F.IO | F.FS;
  const user = kernel | F.HARDWALL;
  const movable = user | F.HIGHMEM | F.MOVABLE;
  const temporary: [string, number][] =
    old || era === '4.4' || era === '4.10' ? [['GFP_TEMPORARY', kernel | F.RECLAIMABLE]] : [];
  const account: [string, number][] = old ? [] : [['GFP_KERNEL_ACCOUNT', kernel | F.ACCOUNT]];
  const nowait: [string, number][] = old ? [] : [['GFP_NOWAIT', nowaitOf(era)]];
  return [
    ...(era === 'before-2.6.32' ? [] : transhugeOf(era, movable)),
    ['GFP_HIGHUSER_MOVABLE', movable],
    ['GFP_HIGHUSER', user | F.HIGHMEM],
    ['GFP_USER', user],
    ...temporary,
    ...account,
    ['GFP_KERNEL', kernel],
    ['GFP_NOFS', wait | F.IO],
    ['GFP_ATOMIC', atomicOf(era)],
    ['GFP_NOIO', wait],
    ...nowait,
  ];
}

/** Composites by era, in printing order. */
export const GFP_COMPOSITES: Readonly<Record<GfpEra, readonly (readonly [string, number])[]>> =
  Object.fromEntries(GFP_ERAS.map((era) => [era, compositesOf(era)])) as unknown as Record<
    GfpEra,
    readonly (readonly [string, number])[]
  >;

/** What a composite name means in an era; null if that era has no such name. */
export function compositeFlags(name: string, era: GfpEra): number | null {
  if (name === 'GFP_NOWAIT') return nowaitOf(era);
  for (const [composite, flags] of GFP_COMPOSITES[era]) if (composite === name) return flags;
  // A name of another era still says what it asks for.
  const wait = era === 'before-2.6.32' || era === '2.6.32' ? WAIT_OLD : RECLAIM;
  switch (name) {
    case 'GFP_KERNEL_ACCOUNT':
      return wait | F.IO | F.FS | F.ACCOUNT;
    case 'GFP_TEMPORARY':
      return wait | F.IO | F.FS | F.RECLAIMABLE;
    case 'GFP_IOFS':
      return F.IO | F.FS;
    default:
      return null;
  }
}
