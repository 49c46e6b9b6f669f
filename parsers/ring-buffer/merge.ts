/**
 * Several cpus' streams merged by time into a decoder: a heap of the streams' next events.
 *
 * Equal times go by cpu number, as the kernel's own merge does (kernel/trace/trace.c
 * __find_next_entry, v6.1: the first cpu with the smallest stamp). A run of events of one cpu is
 * decoded without touching the heap.
 */
import type { RecordDecoder } from '../event-format/decode.js';
import type { CpuStream } from './cpu-stream.js';

export function mergeStreams(streams: readonly CpuStream[], decoder: RecordDecoder): void {
  const heap = streams.filter((stream) => stream.advance());
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) siftDown(heap, i);
  while (heap.length > 0) {
    const top = heap[0]!;
    const left = heap[1];
    const right = heap[2];
    const rival = left !== undefined && right !== undefined && isBefore(right, left) ? right : left;
    if (runUntil(top, rival, decoder)) siftDown(heap, 0);
    else {
      const last = heap.pop()!;
      if (heap.length > 0) {
        heap[0] = last;
        siftDown(heap, 0);
      }
    }
  }
}

function isBefore(a: CpuStream, b: CpuStream): boolean {
  return a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.cpu < b.cpu);
}

/** Decodes events of one stream while they come before the rival's; false at the stream's end. */
function runUntil(
  stream: CpuStream,
  rival: CpuStream | undefined,
  decoder: RecordDecoder,
): boolean {
  const { cursor, cpu } = stream;
  const limit = rival === undefined ? Number.POSITIVE_INFINITY : rival.timeNs;
  const tie = rival !== undefined && cpu < rival.cpu;
  do {
    if (stream.missed !== -1) {
      decoder.lost(cpu, stream.timeNs, stream.missed);
      stream.missed = -1;
    }
    const made = decoder.decode(
      cursor.view,
      cursor.eventOffset,
      cursor.eventLength,
      cpu,
      stream.timeNs,
    );
    if (!stream.advance()) return false;
    while (decoder.isStack(cursor.view, cursor.eventOffset, cursor.eventLength)) {
      if (made) decoder.attachStack(cursor.view, cursor.eventOffset, cursor.eventLength);
      if (!stream.advance()) return false;
    }
  } while (stream.timeNs < limit || (tie && stream.timeNs === limit));
  return true;
}

function siftDown(heap: CpuStream[], start: number): void {
  let at = start;
  for (;;) {
    let least = at;
    const left = 2 * at + 1;
    if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left;
    if (left + 1 < heap.length && isBefore(heap[left + 1]!, heap[least]!)) least = left + 1;
    if (least === at) return;
    const kept = heap[at]!;
    heap[at] = heap[least]!;
    heap[least] = kept;
    at = least;
  }
}
