/**
 * NDJSON of events and snapshots, as `convert` writes them and as other tools do. See README.md.
 */
import type { StreamFormat } from '../format.js';
import { detectNdjson } from './detect.js';

/** With its packages, which take as long to load as all else that a command needs. */
let parsing: typeof import('./parse.js') | null = null;

export const ndjson: StreamFormat = {
  id: 'ndjson',
  title: 'NDJSON (one JSON object a line)',
  mode: 'stream',
  detect: (head, _name, options) => detectNdjson(head, options?.map),
  load: async () => {
    parsing ??= await import('./parse.js');
  },
  open: (context) => new parsing!.NdjsonParser(context),
};
