/**
 * The format `snapshot-text`: copies of /proc/buddyinfo and its relatives, as text.
 *
 * Detection runs the parser itself over the head of the input and looks at what it took, so that
 * what is detected is exactly what can be read.
 */
import { Diagnostics } from '../../src/records/diagnostics.js';
import { DEFAULT_LIMITS } from '../../src/records/limits.js';
import { newSourceSummary } from '../../src/records/source.js';
import { RecordingStrings } from '../../src/records/strings.js';
import { RecordingClock } from '../../src/records/time.js';
import { DETECT_BYTES, type Detection, type ParseContext, type StreamFormat } from '../format.js';
import { SnapshotTextParser } from './parse.js';

function probe(head: Uint8Array, name: string): { parser: SnapshotTextParser; kinds: string[] } {
  const source = newSourceSummary(name);
  const context: ParseContext = {
    source,
    sink: { events: () => {}, snapshot: () => {} },
    diagnostics: new Diagnostics(0),
    limits: { ...DEFAULT_LIMITS, lineBytes: 1 << 12 },
    strings: new RecordingStrings(),
    clock: new RecordingClock(),
    options: {},
  };
  const parser = new SnapshotTextParser(context);
  parser.push(head);
  parser.end();
  return { parser, kinds: Object.keys(source.snapshots).sort() };
}

/** The head as far as whole lines go, if the input goes on behind it. */
function wholeLines(head: Uint8Array): Uint8Array {
  if (head.length < DETECT_BYTES) return head;
  const last = head.lastIndexOf(10);
  return last < 0 ? head.subarray(0, 0) : head.subarray(0, last + 1);
}

function detect(head: Uint8Array, name: string): Detection | null {
  const text = wholeLines(head);
  if (text.length === 0 || text.subarray(0, 512).includes(0)) return null;
  const { parser, kinds } = probe(text, name);
  if (kinds.length === 0) return null;
  const { rows, headers, sections, foreign } = parser.tally;
  const share = (rows + headers + sections) / (rows + headers + sections + foreign);
  const confidence = Math.min(0.95, 0.3 + 0.65 * share);
  const lines = `${rows} ${rows === 1 ? 'line' : 'lines'}`;
  const stamped = headers > 0 ? `, ${headers} time headers` : '';
  return { confidence, why: `${lines} of ${kinds.join(', ')}${stamped}` };
}

export const snapshotText: StreamFormat = {
  id: 'snapshot-text',
  title: 'copies of /proc/buddyinfo, zoneinfo, pagetypeinfo, vmstat, /proc/sys/vm … (text)',
  mode: 'stream',
  detect,
  open: (context) => new SnapshotTextParser(context),
};
