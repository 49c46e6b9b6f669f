/**
 * The formats that can be read, and the choice between them by content.
 *
 * The formats look at the same head of the input, until one is certain; the most confident wins, and of equals the one
 * listed first. The name is only a hint that a format may weigh; it never decides alone.
 */
import { babeltrace } from './babeltrace/index.js';
import { bpftrace } from './bpftrace/index.js';
import { collectd } from './collectd/index.js';
import { crashKmem } from './crash-kmem/index.js';
import { csv } from './csv/index.js';
import { dmesgFormat } from './dmesg/index.js';
import { eventFormat } from './event-format/index.js';
import { CERTAIN, type Detection, type Format, MIN_CONFIDENCE } from './format.js';
import { ftraceText } from './ftrace-text/index.js';
import { kpagecount } from './kpagecount/index.js';
import { kpageflags } from './kpageflags/index.js';
import { llfree } from './llfree/index.js';
import { ndjson } from './ndjson/index.js';
import { noEvents } from './no-events/index.js';
import { pageOwner } from './page-owner/index.js';
import { perfData } from './perf-data/index.js';
import { perfScript } from './perf-script/index.js';
import { perfTrace } from './perf-trace/index.js';
import { perfetto } from './perfetto/index.js';
import { promql } from './promql/index.js';
import { snapshotText } from './snapshot-text/index.js';
import { systrace } from './systrace/index.js';
import { traceCmdReport } from './trace-cmd-report/index.js';
import { traceDat } from './trace-dat/index.js';
import { tracePipeRaw } from './trace-pipe-raw/index.js';

/** In the order in which ties are broken: the more specific first. */
export const FORMATS: readonly Format[] = [
  traceDat,
  perfData,
  perfetto,
  eventFormat,
  llfree,
  tracePipeRaw,
  kpageflags,
  kpagecount,
  systrace,
  ftraceText,
  traceCmdReport,
  perfScript,
  perfTrace,
  babeltrace,
  bpftrace,
  crashKmem,
  promql,
  collectd,
  ndjson,
  csv,
  pageOwner,
  snapshotText,
  dmesgFormat,
  noEvents,
];

/** A format and why it was chosen. */
export interface Detected {
  readonly format: Format;
  readonly detection: Detection;
}

/** The best format for an input that begins with `head`, or null when none fits. */
export function detect(
  head: Uint8Array,
  name: string,
  formats: readonly Format[] = FORMATS,
  options: Readonly<Record<string, string>> = {},
): Detected | null {
  let best: Detected | null = null;
  for (const format of formats) {
    const detection = format.detect(head, name, options);
    if (detection === null || !(detection.confidence >= MIN_CONFIDENCE)) continue;
    if (best === null || detection.confidence > best.detection.confidence) {
      best = { format, detection };
      if (detection.confidence >= CERTAIN) break;
    }
  }
  return best;
}

/** The format with this id, or null. */
export function formatById(id: string, formats: readonly Format[] = FORMATS): Format | null {
  return formats.find((format) => format.id === id) ?? null;
}
