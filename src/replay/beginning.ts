/**
 * Where a trace is whole: each CPU has a ring buffer of its own, and when they overflow the buffer of a busy CPU
 * begins later than that of an idle one (kernel/trace/ring_buffer.c).
 *
 * A reader that takes events out says so by a loss before the first event of a CPU. `trace` only tells where each buffer
 * begins, not which of them were overwritten. One that was is full, and all are equally large: so a CPU with far fewer events than
 * the one with most has all of its events, and was idle before.
 */
import { EventBatch, EventKind } from '../records/events.js';
import type { EventSource, Survey } from './survey.js';

/** Share of the events of the fullest buffer from which on a buffer counts as full too: events differ in size. */
const FULL = 1 / 3;

/** The first event from which on no CPU's events are missing. */
export interface Beginning {
  readonly index: number;
  readonly timeNs: number;
}

/** Where the last of the overwritten buffers begins; event 0 where none was. */
export function findBeginning({ kinds, rare, firstNs }: Survey, source: EventSource): Beginning {
  let beginning: Beginning = { index: 0, timeNs: firstNs };
  if (kinds[EventKind.bufferStarted]! + kinds[EventKind.lost]! === 0) return beginning;
  const buffers = new Buffers(source);
  for (let row = 0; row < rare.length; row++) {
    const kind = rare.kind[row]!;
    const cpu = rare.cpu[row]!;
    const index = rare.index[row]!;
    const begins =
      kind === EventKind.bufferStarted
        ? buffers.isFull(cpu)
        : kind === EventKind.lost && buffers.first.get(cpu) === index;
    if (begins) beginning = { index, timeNs: rare.timeNs[row]! };
  }
  return beginning;
}

/** How many events each CPU has, and which is the first. */
class Buffers {
  readonly first = new Map<number, number>();
  readonly #counts = new Float64Array(1 << 16);
  readonly #full: number;

  constructor(source: EventSource) {
    const batch = new EventBatch();
    for (let b = 0; b < source.batches; b++) {
      const { cpu, length } = source.read(b, batch, 'pages');
      for (let i = 0; i < length; i++) {
        const c = cpu[i]!;
        if (this.#counts[c]!++ === 0) this.first.set(c, source.offsetOf(b) + i);
      }
    }
    this.#full = FULL * this.#counts.reduce((most, count) => Math.max(most, count));
  }

  isFull(cpu: number): boolean {
    return this.#counts[cpu]! >= this.#full;
  }
}
