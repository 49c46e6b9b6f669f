/** `perf script` text of kmem tracepoints. */
import type { StreamFormat } from '../format.js';
import { detectPerfScript } from './detect.js';
import { openPerfScript } from './parse.js';

export const perfScript: StreamFormat = {
  id: 'perf-script',
  title: 'perf script text',
  mode: 'stream',
  detect: detectPerfScript,
  open: openPerfScript,
};
