/**
 * The text of a page event, in any field order: `page=… pfn=… order=… …`.
 *
 * Covers every release and tool (include/trace/events/kmem.h from v2.6.32 to v7.2): decimal and
 * hexadecimal pfn, pointer, hashed, `(null)`, `(____ptrval____)` and absent page, `cold=`, the
 * `fields` option's `0x1f (31)`, trace-cmd's raw values. `page=` itself is never used but for one
 * thing: a null page says that the allocation failed. Other fields and their order do not matter.
 *
 * `scan` fills one row of a batch; call it after the event's name was recognised.
 */
import {
  type EventBatch,
  EventKind,
  MIGRATETYPE_NONE,
  ORDER_LIMIT,
  PFN_LIMIT,
  PFN_NONE,
  packExtfrag,
} from '../../src/records/events.js';
import {
  ascii,
  EQUALS,
  isBlank,
  NumberReader,
  PAREN_OPEN,
  sameBytes,
  skipBlanks,
  skipToken,
  ZERO,
} from './bytes.js';
import type { GfpTexts } from './gfp-texts.js';

/** What became of a payload. */
export const Outcome = {
  /** The row is filled. */
  filled: 0,
  /** A field is missing or no number stands where one must. */
  malformed: 1,
  /** pfn, order or migratetype cannot be true; see `badField`, `badValue`. */
  outOfRange: 2,
  /** A zone_locked, drain or free of no page: a failed attempt of old kernels. Nothing happened. */
  noPage: 3,
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

const FIELD_NAMES = [
  'pfn',
  'order',
  'migratetype',
  'percpu_refill',
  'alloc_order',
  'fallback_order',
  'pageblock_order',
  'alloc_migratetype',
  'fallback_migratetype',
  'fragmenting',
  'change_ownership',
] as const;
const FIELDS = FIELD_NAMES.map(ascii);
const PFN = 0;
const ORDER = 1;
const MIGRATETYPE = 2;
const REFILL = 3;
const ALLOC_ORDER = 4;
const FALLBACK_ORDER = 5;
const PAGEBLOCK_ORDER = 6;
const ALLOC_TYPE = 7;
const FALLBACK_TYPE = 8;
const FRAGMENTING = 9;
const OWNERSHIP = 10;

const PAGE = ascii('page');
const GFP_FLAGS = ascii('gfp_flags');
const NULL_TEXTS = ['(null)', '(nil)'].map(ascii);
/** What stands after `page=`. */
const NO_TEXT = 0;
const NULL_PAGE = 1;
const ZEROS = 2;
const SOME_PAGE = 3;
const LOWER_X = 120;
/** Migratetypes end below 8 in every release; -1 stands for none. */
const MIGRATETYPE_LIMIT = 16;
/** Largest 64-bit numbers, as doubles: a pfn of all ones. */
const ALL_ONES = 2 ** 64 - 2048;

export class PagePayload {
  badField = '';
  badValue = 0;
  /** Whether the pfn was printed with 0x. */
  hexadecimal = false;
  readonly #gfps: GfpTexts;
  readonly #values = new Float64Array(FIELDS.length);
  readonly #number = new NumberReader();
  #page = NO_TEXT;
  #gfp = -1;

  constructor(gfps: GfpTexts) {
    this.#gfps = gfps;
  }

  /** Reads [start, end), the text after `name:`, and fills row i of the batch. */
  scan(
    bytes: Uint8Array,
    start: number,
    end: number,
    kind: EventKind,
    batch: EventBatch,
    i: number,
  ): Outcome {
    this.#readFields(bytes, start, end);
    return this.#fill(kind, batch, i);
  }

  #readFields(bytes: Uint8Array, start: number, end: number): void {
    this.#values.fill(Number.NaN);
    this.#page = NO_TEXT;
    this.#gfp = -1;
    let pos = start;
    while (pos < end) {
      pos = skipBlanks(bytes, pos, end);
      const key = pos;
      while (pos < end && bytes[pos] !== EQUALS && !isBlank(bytes[pos]!)) pos++;
      if (pos >= end || bytes[pos] !== EQUALS) continue;
      pos = this.#readField(bytes, key, pos, end);
    }
  }

  /** Reads the value after the `=` at `equals`; returns where it ends. */
  #readField(bytes: Uint8Array, key: number, equals: number, end: number): number {
    if (sameBytes(bytes, key, equals, PAGE)) return this.#readPage(bytes, equals + 1, end);
    const tokenEnd = skipToken(bytes, equals + 1, end);
    if (sameBytes(bytes, key, equals, GFP_FLAGS)) {
      this.#gfp = this.#gfps.intern(bytes, equals + 1, tokenEnd);
      return tokenEnd;
    }
    for (let field = 0; field < FIELDS.length; field++) {
      if (!sameBytes(bytes, key, equals, FIELDS[field]!)) continue;
      if (this.#number.read(bytes, equals + 1, tokenEnd) && this.#number.next === tokenEnd) {
        this.#values[field] = this.#number.value;
        if (field === PFN) this.hexadecimal = this.#number.hexadecimal;
      }
      break;
    }
    return tokenEnd;
  }

  /** `page=` may be padded: `page=          (null)`. */
  #readPage(bytes: Uint8Array, pos: number, end: number): number {
    const start = skipBlanks(bytes, pos, end);
    if (start > pos && bytes[start] !== PAREN_OPEN) return pos;
    const tokenEnd = skipToken(bytes, start, end);
    this.#page = pageTextOf(bytes, start, tokenEnd);
    return tokenEnd;
  }

  #fill(kind: EventKind, batch: EventBatch, i: number): Outcome {
    const values = this.#values;
    const extfrag = kind === EventKind.extfrag;
    const pfn = values[PFN]!;
    let order = values[extfrag ? ALLOC_ORDER : ORDER]!;
    // The struct behind the text has no order: the fields option and raw values lack it.
    if (Number.isNaN(order) && kind === EventKind.freeBatched && this.#page === NO_TEXT) order = 0;
    if (Number.isNaN(pfn) || Number.isNaN(order)) return Outcome.malformed;
    if (!(order >= 0 && order < ORDER_LIMIT)) return this.#refuse('order', order);
    const type = values[extfrag ? ALLOC_TYPE : MIGRATETYPE]!;
    if (type < MIGRATETYPE_NONE || type >= MIGRATETYPE_LIMIT) {
      return this.#refuse('migratetype', type);
    }
    const none =
      this.#page === NULL_PAGE ||
      (pfn >= ALL_ONES && pfn <= 2 ** 64) ||
      (pfn === 0 && this.#page !== SOME_PAGE);
    if (none && kind !== EventKind.alloc) return Outcome.noPage;
    if (!none && !(pfn >= 0 && pfn < PFN_LIMIT)) return this.#refuse('pfn', pfn);
    batch.pfn[i] = none ? PFN_NONE : pfn;
    batch.order[i] = order;
    batch.migratetype[i] = Number.isNaN(type) ? MIGRATETYPE_NONE : type;
    return this.#fillDetail(kind, batch, i);
  }

  #fillDetail(kind: EventKind, batch: EventBatch, i: number): Outcome {
    const values = this.#values;
    if (kind === EventKind.alloc) {
      if (this.#gfp < 0) return Outcome.malformed;
      batch.detail[i] = this.#gfp;
      return Outcome.filled;
    }
    if (kind === EventKind.zoneLocked) {
      batch.detail[i] = values[REFILL] === 1 ? 1 : 0;
      return Outcome.filled;
    }
    if (kind !== EventKind.extfrag) {
      batch.detail[i] = 0;
      return Outcome.filled;
    }
    for (let field = FALLBACK_ORDER; field <= FALLBACK_TYPE; field++) {
      const value = values[field]!;
      if (field === ALLOC_TYPE) continue;
      if (Number.isNaN(value)) return Outcome.malformed;
      const limit = field === FALLBACK_TYPE ? 8 : ORDER_LIMIT;
      if (!(value >= 0 && value < limit)) return this.#refuse(FIELD_NAMES[field]!, value);
    }
    batch.detail[i] = packExtfrag(
      values[FALLBACK_ORDER]!,
      values[PAGEBLOCK_ORDER]!,
      values[FALLBACK_TYPE]!,
      values[FRAGMENTING]!,
      values[OWNERSHIP]!,
    );
    return Outcome.filled;
  }

  #refuse(field: string, value: number): Outcome {
    this.badField = field;
    this.badValue = value;
    return Outcome.outOfRange;
  }
}

/**
 * What the text says of the page. `(null)` is a failure whatever the pfn (kernels to v3.0 compute one
 * from the null pointer); zeros are one only with pfn 0.
 */
function pageTextOf(bytes: Uint8Array, start: number, end: number): number {
  for (const text of NULL_TEXTS) if (sameBytes(bytes, start, end, text)) return NULL_PAGE;
  let pos = start;
  if (bytes[pos] === ZERO && bytes[pos + 1] === LOWER_X && pos + 2 < end) pos += 2;
  while (pos < end && bytes[pos] === ZERO) pos++;
  return pos === end && end > start ? ZEROS : SOME_PAGE;
}
