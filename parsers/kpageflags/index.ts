/** The format `kpageflags`: a binary copy of /proc/kpageflags. */
import type { StreamFormat } from '../format.js';
import { detectKpageflags } from './detect.js';
import { KpageflagsParser } from './parse.js';

export { pageTypes } from './page-types.js';

export const kpageflags: StreamFormat = {
  id: 'kpageflags',
  title: 'page flags by pfn (/proc/kpageflags, binary)',
  mode: 'stream',
  detect: detectKpageflags,
  open: (context) => new KpageflagsParser(context),
};
