/**
 * Perfetto traces: page events recorded through ftrace, buddyinfo polled by sys_stats.
 */
import type { StreamFormat } from '../format.js';
import { detectPerfetto, PerfettoParser } from './parse.js';

export const perfetto: StreamFormat = {
  id: 'perfetto',
  title: 'Perfetto trace (protobuf)',
  mode: 'stream',
  detect: detectPerfetto,
  open: (context) => new PerfettoParser(context),
};
