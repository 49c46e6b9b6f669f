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
  detect: (head, _name, options) => detectNdjson(head, options?.map),
  open: (context) => new NdjsonParser(context),
};
