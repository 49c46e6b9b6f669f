/**
 * The formats whose lines can be scanned on another thread, ahead of the parser.
 *
 * Apart from the registry, so that the thread loads no other format.
 */
import type { ChunkScanner } from './format.js';
import { CommonPart } from './ftrace-text/common-part.js';
import type { LineFront } from './ftrace-text/event-body.js';
import { LineScanner } from './ftrace-text/line-scanner.js';
import type { Stamps } from './ftrace-text/stamp.js';
import { PerfFront } from './perf-script/front.js';

type OpenFront = (stamps: Stamps) => LineFront;

const FRONTS: ReadonlyMap<string, OpenFront> = new Map<string, OpenFront>([
  ['ftrace-text', (stamps) => new CommonPart(stamps)],
  ['trace-cmd-report', (stamps) => new CommonPart(stamps)],
  ['perf-script', (stamps) => new PerfFront(stamps)],
]);

/** Whether there is a scanner for a format, by its id. */
export function hasScanner(format: string): boolean {
  return FRONTS.has(format);
}

/**
 * A scanner for a format, by its id; null if it has none.
 * @param rooms that it is to have for chunks.
 */
export function openScanner(
  format: string,
  options: Readonly<Record<string, string>>,
  rooms = 1,
): ChunkScanner | null {
  const front = FRONTS.get(format);
  return front === undefined ? null : new LineScanner(front, options['time-unit'], rooms);
}
