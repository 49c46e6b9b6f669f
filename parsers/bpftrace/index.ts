/**
 * bpftrace -f json: the printf lines of a script that prints page events.
 */
import type { StreamFormat } from '../format.js';
import { BpftraceParser, detectBpftrace } from './parse.js';

export const bpftrace: StreamFormat = {
  id: 'bpftrace',
  title: 'bpftrace output (-f json or plain)',
  mode: 'stream',
  detect: detectBpftrace,
  open: (context) => new BpftraceParser(context),
};
