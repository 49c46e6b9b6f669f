/**
 * Recognises perf script text by lines the parser would take and whose event has a subsystem.
 */
import type { Detection } from '../format.js';
import { countLines } from '../ftrace-text/detect.js';
import { PerfFront } from './front.js';

/** Frames of call graphs: they belong to the line above. */
const FRAME = /^\s+[0-9a-f]{6,16} .+ \(.*\)$/;
const EVENT = /\s\d+\.\d+:\s+(?:\d+ )?[a-z][\w-]*:\w+:/;

export function detectPerfScript(head: Uint8Array): Detection | null {
  const counts = countLines(head, (stamps) => new PerfFront(stamps));
  if (counts.header || counts.events === 0) return null;
  const text = new TextDecoder('latin1').decode(head.subarray(0, 1 << 15));
  const lines = text.split('\n');
  if (!lines.some((line) => EVENT.test(line))) return null;
  const frames = lines.filter((line) => FRAME.test(line)).length;
  const others = Math.max(counts.events, counts.lines - frames);
  return {
    confidence: 0.95 * (counts.events / others),
    why: `${counts.events} lines \`comm tid [cpu] time: subsystem:event:\``,
  };
}
