/**
 * crash `kmem -f` and `kmem -F`: the free lists of a dump.
 */
import type { StreamFormat } from '../format.js';
import { CrashKmemParser, detectCrashKmem } from './parse.js';

export const crashKmem: StreamFormat = {
  id: 'crash-kmem',
  title: 'crash kmem -f / -F',
  mode: 'stream',
  detect: detectCrashKmem,
  open: (context) => new CrashKmemParser(context),
};
