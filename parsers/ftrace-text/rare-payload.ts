/**
 * The text of events that are rare (compaction, vmscan, oom, cma, isolation, watermarks): numbers,
 * names and gfp texts by the field names of RARE_FIELDS, wherever they stand.
 *
 * Field texts as in include/trace/events/{compaction,vmscan,oom,cma,page_isolation,kmem}.h, v3.x to
 * v7.2. Keys with a blank (`zone name=`, `watermark min=`) are known by their last word; ranges are
 * `range=(0x200 ~ 0x400)` since v3.20, absent before. A field that is not printed stays NaN.
 */
import {
  type EventBatch,
  type EventKind,
  RARE_FIELDS,
  RARE_WIDTH,
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
} from './bytes.js';
import type { GfpTexts } from './gfp-texts.js';
import type { TextKeeper } from './text-keeper.js';

const NUMBER = 0;
const TEXT = 1;
const GFP = 2;

interface Field {
  readonly key: Uint8Array;
  readonly form: number;
  readonly index: number;
}

/** Other names of a field: older kernels, the struct member that the `fields` option prints. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  classzone_idx: ['highest_zoneidx'],
  zone_name: ['name'],
  upper_zone_name: ['name', 'upper_name'],
  start: ['start_pfn'],
  end: ['end_pfn'],
  lowmem_reserve_pages: ['lowmem_reserve'],
  min: ['watermark_min'],
  low: ['watermark_low'],
  high: ['watermark_high'],
  promo: ['watermark_promo'],
  node: ['nid'],
  nid: ['node'],
  node_id: ['nid'],
  compaction_result: ['result'],
  consider: ['considered'],
  priority: ['prio'],
};

const COMMA = 44;
const RANGE = ascii('range');
const TABLES: readonly (readonly Field[] | undefined)[] = Array.from({ length: 128 }, (_, kind) =>
  fieldsOf(kind as EventKind),
);

function fieldsOf(kind: EventKind): readonly Field[] | undefined {
  return RARE_FIELDS[kind]?.flatMap((field, index) => {
    const form = field.startsWith('$') ? TEXT : field.startsWith('%') ? GFP : NUMBER;
    const name = form === NUMBER ? field : field.slice(1);
    return [name, ...(ALIASES[name] ?? [])].map((key) => ({ key: ascii(key), form, index }));
  });
}

export class RarePayload {
  readonly #gfps: GfpTexts;
  readonly #texts: TextKeeper;
  readonly #number = new NumberReader();

  constructor(gfps: GfpTexts, texts: TextKeeper) {
    this.#gfps = gfps;
    this.#texts = texts;
  }

  /** Fills a new row of the side table and stores it in `pfn[i]`; false if no field was found. */
  scan(
    bytes: Uint8Array,
    start: number,
    end: number,
    kind: EventKind,
    batch: EventBatch,
    i: number,
  ): boolean {
    const fields = TABLES[kind];
    if (fields === undefined) return false;
    const row = batch.addRareRow();
    batch.pfn[i] = row;
    let found = 0;
    let pos = start;
    while (pos < end) {
      pos = skipBlanks(bytes, pos, end);
      const key = pos;
      while (pos < end && bytes[pos] !== EQUALS && !isBlank(bytes[pos]!)) pos++;
      if (pos >= end || bytes[pos] !== EQUALS) continue;
      const value = pos + 1;
      pos = skipToken(bytes, value, end);
      if (sameBytes(bytes, key, value - 1, RANGE)) pos = this.#range(bytes, value, end, batch, row);
      found += this.#field(bytes, key, value, pos, fields, batch.rare, row * RARE_WIDTH);
    }
    if (found === 0 && Number.isNaN(batch.rare[row * RARE_WIDTH]!)) {
      batch.rareLength--;
      return false;
    }
    return true;
  }

  /** Stores one field in the first free place of that name; returns how many were stored. */
  #field(
    bytes: Uint8Array,
    key: number,
    value: number,
    tokenEnd: number,
    fields: readonly Field[],
    rare: Float64Array,
    base: number,
  ): number {
    let end = tokenEnd;
    if (end > value && bytes[end - 1] === COMMA) end--;
    for (const field of fields) {
      if (!Number.isNaN(rare[base + field.index]!)) continue;
      if (!sameBytes(bytes, key, value - 1, field.key)) continue;
      rare[base + field.index] = this.#value(bytes, value, end, field.form);
      return 1;
    }
    return 0;
  }

  #value(bytes: Uint8Array, start: number, end: number, form: number): number {
    if (form === TEXT) return this.#texts.keepText(bytes, start, end);
    if (form === GFP) {
      const id = this.#gfps.intern(bytes, start, end);
      return id < 0 ? Number.NaN : id;
    }
    return this.#number.read(bytes, start, end) ? this.#number.value : Number.NaN;
  }

  /** `(0x200 ~ 0x400)`: the first two fields of the kinds that have it. */
  #range(bytes: Uint8Array, pos: number, end: number, batch: EventBatch, row: number): number {
    if (bytes[pos] !== PAREN_OPEN || !this.#number.read(bytes, pos + 1, end)) return pos;
    batch.rare[row * RARE_WIDTH] = this.#number.value;
    pos = skipBlanks(bytes, this.#number.next, end) + 1;
    if (!this.#number.read(bytes, skipBlanks(bytes, pos, end), end)) return pos;
    batch.rare[row * RARE_WIDTH + 1] = this.#number.value;
    return this.#number.next;
  }
}
