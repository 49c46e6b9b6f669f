/**
 * babeltrace2 text of LTTng kernel traces (and of perf data converted to CTF).
 */
import type { StreamFormat } from '../format.js';
import { BabeltraceParser, detectBabeltrace } from './parse.js';

export const babeltrace: StreamFormat = {
  id: 'babeltrace',
  title: 'babeltrace2 text (LTTng)',
  mode: 'stream',
  detect: detectBabeltrace,
  open: (context) => new BabeltraceParser(context),
};
