/**
 * perf script text: the trace-reader with perf's line fronts and its tabbed call graphs.
 */
import type { ParseContext, StreamParser } from '../format.js';
import { TraceReader } from '../ftrace-text/trace-reader.js';
import { PerfFront } from './front.js';

export function openPerfScript(context: ParseContext): StreamParser {
  return new TraceReader(context, {
    front: (stamps) => new PerfFront(stamps),
    tabbedStacks: true,
  });
}
