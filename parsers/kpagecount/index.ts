/** The format `kpagecount`: a binary copy of /proc/kpagecount. */
import type { StreamFormat } from '../format.js';
import { detectKpagecount } from './detect.js';
import { KpagecountParser } from './parse.js';

export const kpagecount: StreamFormat = {
  id: 'kpagecount',
  title: 'how often each page is mapped (/proc/kpagecount, binary)',
  mode: 'stream',
  detect: detectKpagecount,
  open: (context) => new KpagecountParser(context),
};
