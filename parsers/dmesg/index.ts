/**
 * Format `dmesg`: kernel logs in any wrapping, for their memory reports. See README.md.
 */
import type { StreamFormat } from '../format.js';
import { detect } from './detect.js';
import { DmesgParser } from './parse.js';

export const dmesgFormat: StreamFormat = {
  id: 'dmesg',
  title: 'kernel log (dmesg, journald, syslog, console, netconsole, pstore)',
  mode: 'stream',
  detect,
  open: (context) => new DmesgParser(context),
};
