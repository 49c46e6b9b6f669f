/** `trace-cmd report` text. */
import type { StreamFormat } from '../format.js';
import { detectTraceCmdReport } from './detect.js';
import { openTraceCmdReport } from './parse.js';

export const traceCmdReport: StreamFormat = {
  id: 'trace-cmd-report',
  title: 'trace-cmd report text',
  mode: 'stream',
  detect: detectTraceCmdReport,
  open: openTraceCmdReport,
};
