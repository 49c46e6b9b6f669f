/**
 * ftrace text: the trace-reader with the kernel's own line fronts.
 */
import type { ParseContext, StreamParser } from '../format.js';
import { CommonPart } from './common-part.js';
import { TraceReader } from './trace-reader.js';

export function openFtraceText(context: ParseContext): StreamParser {
  return new TraceReader(context, {
    front: (stamps) => new CommonPart(stamps),
    tabbedStacks: false,
  });
}
