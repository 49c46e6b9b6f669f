/**
 * Writes a recording as a replay trace of the LLFree project (parsers/llfree), to compare the two
 * allocators on it. Only allocations and frees have a place there; gfp names become the mask of the
 * kernel that was recorded. The header counts the pages behind it, so the events are walked twice.
 */
import { LlfreeWriter } from '../../parsers/llfree/write.js';
import { encodeGfp, type GfpEra, parseGfpSet } from '../kernel/gfp.js';
import { EventBatch } from '../records/events.js';
import type { Convertible } from './convert.js';
import type { EventSpool } from './spool.js';

export interface LlfreeTrace {
  /** Events that the layout cannot hold: failed allocations, pfns of more than 24 bits. */
  readonly leftOut: number;
  /** The file, 4 KiB at a time. */
  readonly pages: Iterable<Uint8Array>;
}

export function convertLlfree(recording: Convertible, era: GfpEra): LlfreeTrace {
  const { gfps } = recording.strings;
  const masks = new Map<number, number>();
  const maskOf = (id: number): number => {
    let mask = masks.get(id);
    if (mask === undefined) {
      const { flags, unknownBits } = parseGfpSet(gfps.text(id), era);
      mask = (encodeGfp(flags, era) | unknownBits) >>> 0;
      masks.set(id, mask);
    }
    return mask;
  };
  const counting = new LlfreeWriter(maskOf, () => {});
  for (const batch of batchesOf(recording.events)) counting.push(batch);
  const header = counting.finish();
  return { leftOut: counting.leftOut, pages: pagesOf(recording.events, header, maskOf) };
}

function* pagesOf(
  events: EventSpool,
  header: Uint8Array,
  maskOf: (id: number) => number,
): Generator<Uint8Array> {
  yield header;
  let full: Uint8Array[] = [];
  const writer = new LlfreeWriter(maskOf, (page) => full.push(page));
  for (const batch of batchesOf(events)) {
    writer.push(batch);
    yield* full;
    full = [];
  }
  writer.finish();
  yield* full;
}

function* batchesOf(events: EventSpool): Generator<EventBatch> {
  const batch = new EventBatch();
  for (let b = 0; b < events.batches; b++) yield events.read(b, batch);
}
