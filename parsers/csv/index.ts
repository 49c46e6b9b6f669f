/**
 * CSV of events and snapshots, as `convert` writes them and as other tools do. See README.md.
 */
import type { StreamFormat } from '../format.js';
import { detectCsv } from './detect.js';
import { CsvParser } from './parse.js';

export const csv: StreamFormat = {
  id: 'csv',
  title: 'CSV with a header line',
  mode: 'stream',
  detect: (head, _name, options) => detectCsv(head, options?.map),
  open: (context) => new CsvParser(context),
};
