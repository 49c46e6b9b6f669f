/**
 * NDJSON of events and snapshots, as `convert` writes them and as other tools do. See README.md.
 */
import type { StreamFormat } from '../format.js';
import { detectNdjson } from './detect.js';
import { NdjsonParser } from './parse.js';

export const ndjson: StreamFormat = {
  id: 'ndjson',
  title: 'NDJSON (one JSON object a line)',
  mode: 'stream',
  detect: (head) => detectNdjson(head),
  open: (context) => new NdjsonParser(context),
};
