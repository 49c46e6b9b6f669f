/**
 * perf trace: tracepoints as `perf trace -e kmem:*` prints them.
 */
import type { StreamFormat } from '../format.js';
import { detectPerfTrace, PerfTraceParser } from './parse.js';

export const perfTrace: StreamFormat = {
  id: 'perf-trace',
  title: 'perf trace text',
  mode: 'stream',
  detect: detectPerfTrace,
  open: (context) => new PerfTraceParser(context),
};
