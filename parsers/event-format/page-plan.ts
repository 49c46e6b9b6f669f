/**
 * Where the numbers of a page event stand in its record: offsets and sizes, checked once.
 *
 * Generations (include/trace/events/kmem.h): up to 3.x records hold `struct page *page` and no pfn;
 * then pfn is (page - vmemmap) / sizeof(struct page), with the base from the print format's own
 * constant and 64 bytes a struct unless the user says otherwise. gfp_flags is u32 or unsigned long.
 */
import { EventKind, PFN_LIMIT, PFN_NONE } from '../../src/records/events.js';
import { evaluate, NO_FIELDS } from './c-evaluate.js';
import type { Expression } from './c-expression.js';
import type { EventFormat, FormatField } from './parse.js';

/** Offset of a field, or -1 where the event has none; size 1, 2, 4 or 8. */
export interface Place {
  readonly at: number;
  readonly size: number;
}

export interface PagePlan {
  readonly kind: EventKind;
  readonly pidAt: number;
  readonly pfnAt: number;
  readonly pfnSize: number;
  /** True where `pfn` is the place of a struct page pointer. */
  readonly pointer: boolean;
  readonly baseLow: number;
  readonly baseHigh: number;
  readonly orderAt: number;
  readonly orderSize: number;
  readonly typeAt: number;
  readonly typeSize: number;
  /** gfp_flags, percpu_refill or fallback_order. */
  readonly detailAt: number;
  readonly detailSize: number;
  readonly fallbackMigratetype: Place;
  readonly changeOwnership: Place;
  /** extfrag: what the kernel of the format text has; -1 where the text does not say. */
  readonly pageblockOrder: number;
  /** Bytes a record must have. */
  readonly need: number;
  /** pfn of 8 bytes, the rest of 4 (gfp of 4 or 8), and no pointer: the usual 64-bit kernel. */
  readonly usual: boolean;
}

const NOWHERE: Place = { at: -1, size: 0 };
const VMEMMAP_X86_64 = 0xffffea0000000000n;

/** Null when the format lacks what the kind cannot do without. */
export function planPageEvent(format: EventFormat, kind: EventKind): PagePlan | null {
  const extfrag = kind === EventKind.extfrag;
  const pid = placeOf(format, ['common_pid'], [4]);
  const direct = placeOf(format, ['pfn'], [4, 8]);
  const pfn = direct.at >= 0 ? direct : placeOf(format, ['page'], [4, 8]);
  const order = placeOf(format, extfrag ? ['alloc_order'] : ['order'], [1, 2, 4, 8]);
  const orderless = kind === EventKind.freeBatched;
  if (pid.at < 0 || pfn.at < 0 || (order.at < 0 && !orderless)) return null;
  const migratetype = placeOf(
    format,
    extfrag ? ['alloc_migratetype'] : ['migratetype'],
    [1, 2, 4, 8],
  );
  const detail = placeOf(format, detailNames(kind), [1, 2, 4, 8]);
  const fallbackMigratetype = placeOf(format, ['fallback_migratetype'], [1, 2, 4, 8]);
  const changeOwnership = placeOf(format, ['change_ownership'], [1, 2, 4, 8]);
  const base = BigInt.asUintN(64, vmemmapBase(format) ?? VMEMMAP_X86_64);
  const places = [pid, pfn, order, migratetype, detail, fallbackMigratetype, changeOwnership];
  return {
    kind,
    pidAt: pid.at,
    pfnAt: pfn.at,
    pfnSize: pfn.size,
    pointer: direct.at < 0,
    baseLow: Number(base & 0xffffffffn),
    baseHigh: Number(base >> 32n),
    orderAt: order.at,
    orderSize: order.size,
    typeAt: migratetype.at,
    typeSize: migratetype.size,
    detailAt: detail.at,
    detailSize: detail.size,
    fallbackMigratetype,
    changeOwnership,
    pageblockOrder: extfrag ? constantOf(format.print.byKey.get('pageblock_order')) : -1,
    need: Math.max(...places.map((place) => place.at + place.size)),
    usual:
      direct.size === 8 &&
      [pid, order, migratetype].every(isFour) &&
      !extfrag &&
      isUsualDetail(kind, detail),
  };
}

function isFour(place: Place): boolean {
  return place.at < 0 || place.size === 4;
}

function isUsualDetail(kind: EventKind, place: Place): boolean {
  return isFour(place) || (kind === EventKind.alloc && place.size === 8);
}

function detailNames(kind: EventKind): readonly string[] {
  if (kind === EventKind.alloc) return ['gfp_flags', 'gfp_mask'];
  if (kind === EventKind.zoneLocked) return ['percpu_refill'];
  return kind === EventKind.extfrag ? ['fallback_order'] : [];
}

function placeOf(format: EventFormat, names: readonly string[], sizes: readonly number[]): Place {
  for (const name of names) {
    const field = format.fields.find((candidate) => candidate.name === name);
    if (field !== undefined && isNumber(field) && sizes.includes(field.size)) {
      return { at: field.offset, size: field.size };
    }
  }
  return NOWHERE;
}

function isNumber(field: FormatField): boolean {
  return field.text === 'none' && field.element === 0;
}

function constantOf(expression: Expression | undefined): number {
  const value = expression === undefined ? null : evaluate(expression, NO_FIELDS);
  return typeof value === 'bigint' && value >= 0n && value < 32n ? Number(value) : -1;
}

/** The constant that `page` is counted from in the print format, or null. */
function vmemmapBase(format: EventFormat): bigint | null {
  const found: bigint[] = [];
  const visit = (expression: Expression | undefined): void => {
    if (expression === undefined) return;
    if (expression.kind === 'number' && expression.value >= 1n << 47n) found.push(expression.value);
    if (expression.kind === 'binary') {
      visit(expression.left);
      visit(expression.right);
    }
    if (expression.kind === 'choice') {
      visit(expression.yes);
      visit(expression.no);
    }
  };
  visit(format.print.byKey.get('pfn'));
  return found[0] ?? null;
}

/** What readPfn gives for a number that cannot be a page frame. */
export const PFN_BAD = -2;

/**
 * The pfn of a record; PFN_NONE for a failed allocation (pfn all ones, or page NULL), PFN_BAD for a
 * number no machine has.
 */
export function readPfn(
  view: DataView,
  offset: number,
  plan: PagePlan,
  littleEndian: boolean,
  structPageBytes: number,
): number {
  const at = offset + plan.pfnAt;
  let low = view.getUint32(at, littleEndian);
  let high = 0;
  if (plan.pfnSize === 8) {
    const other = view.getUint32(at + 4, littleEndian);
    high = littleEndian ? other : low;
    if (!littleEndian) low = other;
    if (low === 0xffffffff && high === 0xffffffff) return PFN_NONE;
  } else if (low === 0xffffffff) return PFN_NONE;
  if (plan.pointer) {
    if (low === 0 && high === 0) return PFN_NONE;
    const bytes = (high - plan.baseHigh) * 4294967296 + (low - plan.baseLow);
    const pfn = Math.floor(bytes / structPageBytes);
    return pfn >= 0 && pfn < PFN_LIMIT ? pfn : PFN_BAD;
  }
  const pfn = high * 4294967296 + low;
  return pfn < PFN_LIMIT ? pfn : PFN_BAD;
}
