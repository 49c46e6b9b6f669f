/**
 * LLFree's replay traces (import; export is in write.ts), for comparison with that allocator.
 */
import type { FileFormat } from '../format.js';
import { detectLlfree, parseLlfree } from './parse.js';

export const llfree: FileFormat = {
  id: 'llfree',
  title: 'LLFree replay trace',
  mode: 'file',
  detect: detectLlfree,
  parse: parseLlfree,
};
