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
import { FastLines, LineMemory, MAX_FAST_LINE } from './fast-lines.js';
import { GfpTexts } from './gfp-texts.js';
import { withSlack } from './lines.js';
import { packLook, ROWS, RUN_WIDTH, type ScannedChunk } from './scanned-rows.js';
import { Stamps } from './stamp.js';
import { TextKeeper } from './text-keeper.js';

const NO_SINK = { events: () => {}, snapshot: () => {} };
/** Longer lines teach nothing: no page event is as long. */
const MAX_LEARNT = 2 * MAX_FAST_LINE;

export class LineScanner {
  readonly rooms: readonly Uint8Array<SharedArrayBuffer>[];
  readonly #memory: LineMemory;
  readonly #clock = new RecordingClock();
  readonly #strings = new RecordingStrings();
  readonly #stamps: Stamps;
  readonly #front: LineFront;
  readonly #fast: FastLines;
  /** Takes the lines learnt from; its rows are thrown away. */
  readonly #learner: BatchWriter;
  readonly #body: EventBody;
  /** The chunk before did not end with a line, or there was none that was seen. */
  #cut = true;
  #runs = new Int32Array(64 * RUN_WIDTH);
  #commsSent = 0;
  #gfpsSent = 0;

  /** @param timeUnit the option of that name. */
  constructor(front: (stamps: Stamps) => LineFront, timeUnit: string | undefined, rooms: number) {
    this.#memory = new LineMemory(rooms);
    this.rooms = this.#memory.rooms;
    this.#stamps = new Stamps(this.#clock, timeUnit);
    this.#front = front(this.#stamps);
    this.#fast = new FastLines(this.#stamps, this.#memory);
    const gfps = new GfpTexts(this.#strings.gfps, this.#fast);
    this.#learner = new BatchWriter(NO_SINK);
    const texts = new TextKeeper(this.#strings, new Diagnostics(), '');
    this.#body = new EventBody(this.#learner, this.#strings, gfps, texts);
  }

  /** @param chunk begins with a line, or with the end of one that the chunk before did not end. */
  scan(chunk: Uint8Array): ScannedChunk {
    const runs = this.#findRuns(withSlack(chunk, MAX_FAST_LINE), chunk.length);
    this.#cut = chunk.at(-1) !== NEWLINE;
    const result = {
      memory: this.#memory.buffer,
      rowsAt: this.#fast.rows.at,
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
    let rows = 0;
    let pos = this.#cut ? bytes.indexOf(NEWLINE) + 1 : 0;
    if (this.#cut && pos === 0) return 0;
    const fast = this.#fast;
    fast.use(bytes);
    while (pos <= last && rows < ROWS) {
      const start = pos;
      pos = fast.take(start, last, rows);
      if (fast.count > 0) {
        rows += fast.count;
        this.#addRun(runs++, start, pos, fast.count);
        continue;
      }
      const newline = bytes.indexOf(NEWLINE, pos);
      if (newline < 0 || newline >= length) break;
      this.#learn(bytes, pos, newline);
      pos = newline + 1;
    }
    return runs;
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
    this.#runs[at + 3] = packLook(form, digits);
  }

  #learn(bytes: Uint8Array, start: number, newline: number): void {
    if (newline - start > MAX_LEARNT) return;
    const end = newline > start && bytes[newline - 1] === RETURN ? newline - 1 : newline;
    const front = this.#front;
    if (!front.parse(bytes, start, end) || !this.#body.isPageEvent(bytes, front.body, end)) return;
    if (this.#body.take(bytes, end, front) !== Taken.event) return;
    this.#learner.batch.clear();
    this.#fast.learnFront(bytes, start, front, this.#body.comm);
  }
}

function bytesFrom(table: StringTable, from: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let id = from; id < table.size; id++) found.push(table.bytes(id));
  return found;
}
