/**
 * Recognises ftrace text by its header or by lines that the parser itself would take.
 *
 * The kernel's header is proof; without one (trace_pipe, cut files) the share of lines that have a
 * common part decides. trace-cmd report has the same lines but pads event names and begins with
 * `cpus=`, so those signs leave the input to it. Looks at the first lines only, never at the name.
 */
import { RecordingClock } from '../../src/records/time.js';
import type { Detection } from '../format.js';
import { latin1Line } from '../snapshot-text/lines.js';
import { EQUALS, ESCAPE, HASH, isDigit, NEWLINE, RETURN, skipBlanks } from './bytes.js';
import { CommonPart } from './common-part.js';
import type { LineFront } from './event-body.js';
import { Stamps } from './stamp.js';
import { stripEscapes } from './unusable.js';

const MAX_LINES = 400;
const BARE_LINE = /^mm_page_\w+: page=.* pfn=/;
const RAW_LINE = /^\d+ \d+ \d+ type: \d+$/;
const HEADER_LINE = /^#\s+(?:tracer: |entries-in-buffer\/entries-written: |\S+ latency trace v)/;
const REPORT_LINE = /^(?:cpus=\d+|version = \d+|CPU \d+ is empty)$/;
const PADDED_NAME = /^[\w:]+: {2,}\S/;
const FRAME_LINE = /^\s*=> /;
/** First bytes of lines that they fit: `#`, `c`, `v`, `C`, `m`, a byte order mark; frames have an `=`. */
const TELLING = Uint8Array.of(HASH, 99, 118, 67, 109, 0xef);
const BOM = /^\u00ef\u00bb\u00bf/;

/** What the first lines of an input look like. */
export interface LineCounts {
  /** Lines that are neither blank, comment nor stack frame. */
  lines: number;
  /** Lines with a front the given reader knows. */
  events: number;
  /** Of those, how many pad the event's name as trace-cmd does. */
  padded: number;
  /** Lines of option context-info off, and of option raw. */
  bare: number;
  raw: number;
  header: boolean;
  report: boolean;
}

/** Counts what the lines of `head` are. A last line without end is left out unless it is alone. */
export function countLines(head: Uint8Array, makeFront: (stamps: Stamps) => LineFront): LineCounts {
  const counts = { lines: 0, events: 0, padded: 0, bare: 0, raw: 0, header: false, report: false };
  const front = makeFront(new Stamps(new RecordingClock(), undefined));
  let start = 0;
  for (let n = 0; n < MAX_LINES && start < head.length; n++) {
    const newline = head.indexOf(NEWLINE, start);
    if (newline < 0 && n > 0) break;
    let end = newline < 0 ? head.length : newline;
    if (end > start && head[end - 1] === RETURN) end--;
    const cut = Math.min(end, start + 4096);
    const line = head.subarray(start, cut);
    countLine(line.includes(ESCAPE) ? stripEscapes(head, start, cut) : line, front, counts);
    start = (newline < 0 ? end : newline) + 1;
  }
  return counts;
}

function countLine(bytes: Uint8Array, front: LineFront, counts: LineCounts): void {
  if (skipBlanks(bytes, 0, bytes.length) === bytes.length) return;
  const text = mayTell(bytes)
    ? latin1Line(bytes, 0, Math.min(400, bytes.length)).replace(BOM, '')
    : '';
  if (text.startsWith('#')) {
    counts.header ||= HEADER_LINE.test(text);
    return;
  }
  if (FRAME_LINE.test(text)) return;
  if (REPORT_LINE.test(text)) {
    counts.report = true;
    return;
  }
  counts.lines++;
  if (front.parse(bytes, 0, bytes.length)) {
    counts.events++;
    const body = latin1Line(bytes, front.body, Math.min(front.body + 100, bytes.length));
    if (PADDED_NAME.test(body)) counts.padded++;
  } else if (BARE_LINE.test(text)) counts.bare++;
  else if (RAW_LINE.test(text)) counts.raw++;
}

/** Whether one of the patterns above may fit: a string is dear, and few lines need one. */
function mayTell(bytes: Uint8Array): boolean {
  const first = bytes[0]!;
  return isDigit(first) || TELLING.includes(first) || bytes.includes(EQUALS);
}

export function detectFtraceText(head: Uint8Array): Detection | null {
  const counts = countLines(head, (stamps) => new CommonPart(stamps));
  if (counts.header) {
    const why =
      counts.events > 0
        ? `ftrace header and ${counts.events} lines \`comm-pid [cpu] time: event:\``
        : 'ftrace header';
    return { confidence: 0.98, why };
  }
  if (counts.lines === 0 || isReport(counts)) return null;
  const share = (counts.events + counts.bare + counts.raw) / counts.lines;
  if (counts.events === 0 && counts.bare + counts.raw === 0) return null;
  const form =
    counts.events > 0
      ? `${counts.events} of ${counts.lines} lines \`comm-pid [cpu] time: event:\``
      : 'lines of ftrace events without context';
  return { confidence: 0.9 * share, why: form };
}

export function isReport(counts: LineCounts): boolean {
  return counts.report || counts.padded > 0;
}
