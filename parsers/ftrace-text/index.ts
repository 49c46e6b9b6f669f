/**
 * ftrace text: /sys/kernel/tracing/trace, trace_pipe, per_cpu/cpuN/trace, snapshots, and what people
 * make of them (grep, colours, CRLF, log prefixes).
 */
import type { StreamFormat } from '../format.js';
import { detectFtraceText } from './detect.js';
import { openFtraceText } from './parse.js';

export const ftraceText: StreamFormat = {
  id: 'ftrace-text',
  title: 'ftrace text (trace, trace_pipe)',
  mode: 'stream',
  detect: detectFtraceText,
  open: openFtraceText,
};
