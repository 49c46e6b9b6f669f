/**
 * Migratetypes: the integers of trace text by kernel generation, and the names and letters that
 * snapshots and splats print.
 *
 * Kernel: include/linux/mmzone.h enum migratetype. 2.6.24-4.3 count Reclaimable 1, Movable 2,
 * Reserve 3; 4.4 and later count Movable 1, Reclaimable 2, HighAtomic 3. CMA, where configured,
 * takes the next number and pushes Isolate up by one.
 *
 * Inside buddyscope only the canonical numbers below are used.
 */

/** Canonical migratetypes, whatever the kernel's own numbering. */
export const MigrateType = {
  unmovable: 0,
  movable: 1,
  reclaimable: 2,
  highatomic: 3,
  cma: 4,
  isolate: 5,
  /** MIGRATE_RESERVE, up to 4.3. */
  reserve: 6,
} as const;

export type MigrateType = (typeof MigrateType)[keyof typeof MigrateType];

export const MIGRATETYPE_COUNT = 7;
export const MIGRATETYPE_UNKNOWN = -1;

/** Names as /proc/pagetypeinfo prints them, by canonical number. */
export const MIGRATETYPE_NAMES: readonly string[] = [
  'Unmovable',
  'Movable',
  'Reclaimable',
  'HighAtomic',
  'CMA',
  'Isolate',
  'Reserve',
];

/** Letters of the free lists in a splat, by canonical number. */
export const MIGRATETYPE_LETTERS: readonly string[] = ['U', 'M', 'E', 'H', 'C', 'I', 'R'];

/** Which integers a kernel prints; a profile switch. */
export type MigratetypeNumbering = 'reserve' | 'reserve-cma' | 'highatomic' | 'highatomic-cma';

const T = MigrateType;

const CANONICAL: Readonly<Record<MigratetypeNumbering, Int8Array>> = {
  reserve: Int8Array.of(T.unmovable, T.reclaimable, T.movable, T.reserve, T.isolate),
  'reserve-cma': Int8Array.of(T.unmovable, T.reclaimable, T.movable, T.reserve, T.cma, T.isolate),
  highatomic: Int8Array.of(T.unmovable, T.movable, T.reclaimable, T.highatomic, T.isolate),
  'highatomic-cma': Int8Array.of(
    T.unmovable,
    T.movable,
    T.reclaimable,
    T.highatomic,
    T.cma,
    T.isolate,
  ),
};

/** Canonical type by printed integer, for hot loops (index it, mind the length). */
export function canonicalTypes(numbering: MigratetypeNumbering): Int8Array {
  return CANONICAL[numbering];
}

/** Canonical type of a printed integer; MIGRATETYPE_UNKNOWN if that kernel has no such type. */
export function canonicalMigratetype(raw: number, numbering: MigratetypeNumbering): number {
  return CANONICAL[numbering][raw] ?? MIGRATETYPE_UNKNOWN;
}

/** The integer a kernel prints for a canonical type, or -1 if it has none. */
export function printedMigratetype(type: number, numbering: MigratetypeNumbering): number {
  return CANONICAL[numbering].indexOf(type);
}

/** Canonical type of a pagetypeinfo label or a splat's letter, MIGRATETYPE_UNKNOWN if neither. */
export function migratetypeOfLabel(label: string): number {
  const byName = MIGRATETYPE_NAMES.indexOf(label);
  return byName >= 0 ? byName : MIGRATETYPE_LETTERS.indexOf(label);
}

/** U, M or E: the types that serve any request by fallback and merge with each other. */
export function isOrdinaryType(type: number): boolean {
  return type === T.unmovable || type === T.movable || type === T.reclaimable;
}
