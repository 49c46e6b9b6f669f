/**
 * Finds the lines of frequent page events ahead of the parser, on another thread.
 *
 * It decides nothing: a run it reports holds what the parser's own fast path would have taken from the
 * same bytes, and every other line is left to the parser, which alone knows of marks, stacks and
 * headers. Fronts and gfp texts are learnt from the lines the fast path refuses, as the parser does.
 * Lines that chunks cut are the parser's as well.
 */

import { Diagnostics } from '../../src/records/diagnostics.js';
import { RecordingStrings, type StringTable } from '../../src/records/strings.js';
import { RecordingClock } from '../../src/records/time.js';
import { BatchWriter } from './batch-writer.js';
import { NEWLINE, RETURN } from './bytes.js';
import { EventBody, type LineFront, Taken } from './event-body.js';
import { FastLine, MAX_FAST_LINE, type RowWriter } from './fast-line.js';
import { GfpCache } from './gfp-cache.js';
import { withSlack } from './lines.js';
import { PrefixCache } from './prefix-cache.js';
import { packLook, RUN_WIDTH, type ScannedChunk, ScannedRows } from './scanned-rows.js';
import { Stamps } from './stamp.js';
import { TextKeeper } from './text-keeper.js';

const NO_SINK = { events: () => {}, snapshot: () => {} };
/** Longer lines teach nothing: no page event is as long. */
const MAX_LEARNT = 2 * MAX_FAST_LINE;

export class LineScanner {
  readonly #clock = new RecordingClock();
  readonly #strings = new RecordingStrings();
  readonly #stamps: Stamps;
  readonly #prefixes = new PrefixCache();
  readonly #front: LineFront;
  readonly #fast: FastLine;
  readonly #target = new ChunkRows();
  /** Takes the lines learnt from; its rows are thrown away. */
  readonly #learner: BatchWriter;
  readonly #body: EventBody;
  /** The chunk before did not end with a line, or there was none that was seen. */
  #cut = true;
  #runs = new Int32Array(64 * RUN_WIDTH);
  #commsSent = 0;
  #gfpsSent = 0;

  /** @param timeUnit the option of that name. */
  constructor(front: (stamps: Stamps) => LineFront, timeUnit: string | undefined) {
    this.#stamps = new Stamps(this.#clock, timeUnit);
    this.#front = front(this.#stamps);
    const gfps = new GfpCache(this.#strings.gfps);
    this.#fast = new FastLine(this.#target, this.#prefixes, gfps, this.#stamps);
    this.#learner = new BatchWriter(NO_SINK);
    const texts = new TextKeeper(this.#strings, new Diagnostics(), '');
    this.#body = new EventBody(this.#learner, this.#strings, gfps, texts);
  }

  /**
   * @param chunk begins with a line, or with the end of one that the chunk before did not end.
   * @param buffer of an earlier result that is not needed any more, or null.
   */
  scan(chunk: Uint8Array, buffer: SharedArrayBuffer | null): ScannedChunk {
    const rows = new ScannedRows(buffer);
    this.#target.batch = rows;
    const runs = this.#findRuns(withSlack(chunk, MAX_FAST_LINE), chunk.length);
    this.#cut = chunk.at(-1) !== NEWLINE;
    const result = {
      buffer: rows.buffer,
      rows: rows.length,
      runs: this.#runs.slice(0, runs * RUN_WIDTH),
      epochS: this.#clock.epochS,
      comms: bytesFrom(this.#strings.comms, this.#commsSent),
      gfps: bytesFrom(this.#strings.gfps, this.#gfpsSent),
    };
    this.#commsSent += result.comms.length;
    this.#gfpsSent += result.gfps.length;
    return result;
  }

  #findRuns(bytes: Uint8Array, length: number): number {
    const slack = bytes.length > length;
    const last = slack ? bytes.lastIndexOf(NEWLINE, length - 1) : length - MAX_FAST_LINE;
    let runs = 0;
    let pos = this.#cut ? bytes.indexOf(NEWLINE) + 1 : 0;
    if (this.#cut && pos === 0) return 0;
    this.#fast.use(bytes);
    const { batch: rows } = this.#target;
    while (pos <= last && rows.length < rows.capacity) {
      const start = pos;
      const before = rows.length;
      pos = this.#run(pos, last, rows.capacity - before);
      if (pos > start) this.#addRun(runs++, start, pos, rows.length - before);
      if (pos > last || rows.length === rows.capacity) break;
      const newline = bytes.indexOf(NEWLINE, pos);
      if (newline < 0 || newline >= length) break;
      this.#learn(bytes, pos, newline);
      pos = newline + 1;
    }
    return runs;
  }

  /** Takes up to `most` lines from `start` on; returns where the first not taken begins. */
  #run(start: number, last: number, most: number): number {
    const fast = this.#fast;
    let pos = start;
    for (let lines = 0; pos <= last && lines < most; lines++) {
      const next = fast.take(pos);
      if (next < 0) break;
      pos = next;
    }
    return pos;
  }

  #addRun(run: number, start: number, end: number, rows: number): void {
    const at = run * RUN_WIDTH;
    if (at === this.#runs.length) {
      const bigger = new Int32Array(this.#runs.length * 2);
      bigger.set(this.#runs);
      this.#runs = bigger;
    }
    const { form, digits } = this.#stamps;
    this.#runs[at] = start;
    this.#runs[at + 1] = end;
    this.#runs[at + 2] = rows;
    this.#runs[at + 3] = packLook(form, digits, this.#fast.hexadecimal);
  }

  #learn(bytes: Uint8Array, start: number, newline: number): void {
    if (newline - start > MAX_LEARNT) return;
    const end = newline > start && bytes[newline - 1] === RETURN ? newline - 1 : newline;
    const front = this.#front;
    if (!front.parse(bytes, start, end) || !this.#body.isPageEvent(bytes, front.body, end)) return;
    if (this.#body.take(bytes, end, front) !== Taken.event) return;
    this.#learner.batch.clear();
    this.#prefixes.learn(bytes, start, front, this.#body.comm);
  }
}

/** Takes rows straight into the columns that travel. */
class ChunkRows implements RowWriter {
  batch = new ScannedRows(null);

  handOver(): void {
    throw new Error('more lines were taken than there is room for');
  }
}

function bytesFrom(table: StringTable, from: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let id = from; id < table.size; id++) found.push(table.bytes(id));
  return found;
}
