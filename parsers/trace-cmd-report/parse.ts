/**
 * trace-cmd report text. Its lines have the fronts of ftrace text (trace-cmd pads less, prints no
 * blank before a cycle count, and may put a file name in front); CommonPart knows them all.
 */
import type { ParseContext, StreamParser } from '../format.js';
import { CommonPart } from '../ftrace-text/common-part.js';
import { TraceReader } from '../ftrace-text/trace-reader.js';

export function openTraceCmdReport(context: ParseContext): StreamParser {
  return new TraceReader(context, {
    front: (stamps) => new CommonPart(stamps),
    tabbedStacks: false,
  });
}
