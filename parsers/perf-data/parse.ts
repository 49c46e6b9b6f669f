/**
 * perf.data files: tracepoint samples of perf record, in file and pipe mode.
 *
 * Any sample_type with RAW and TIME; several events; callchains; COMPRESSED records (zstd); LOST.
 * Events are put in time order by rounds within bounded memory. Fields come from the event formats
 * perf copied into the file.
 */

import { EventFormats } from '../event-format/formats.js';
import type { Detection, FileFormat, ParseContext, RandomAccess } from '../format.js';
import { latin1 } from '../trace-dat/cursor.js';
import { Reporter } from '../trace-dat/reporter.js';
import { noteRelease } from '../version/release.js';
import { MAGIC, MAGIC_SWAPPED, readHead } from './header.js';
import { walkFile } from './records.js';
import { PerfSession } from './session.js';

export const perfData: FileFormat = {
  id: 'perf-data',
  title: 'perf.data (perf record)',
  mode: 'file',
  detect,
  parse,
};

function detect(head: Uint8Array): Detection | null {
  const magic = latin1(head.subarray(0, 8));
  if (magic !== MAGIC && magic !== MAGIC_SWAPPED) return null;
  return { confidence: 1, why: "perf record's magic PERFILE2" };
}

function parse(file: RandomAccess, context: ParseContext): void {
  const reporter = new Reporter(context.diagnostics, context.source.name);
  const formats = new EventFormats();
  const head = readHead(file, formats, reporter);
  if (head === null) return;
  const session = new PerfSession(file, head, formats, context, reporter);
  const end = walkFile(file, head.dataAt, head.dataEnd, head.littleEndian, session.record);
  if (end.stoppedAt >= 0) reporter.damaged('the rest of the records', end.reason, end.stoppedAt);
  session.finish();
  noteFacts(head.facts, head.pipe, context);
}

function noteFacts(facts: Record<string, string>, pipe: boolean, context: ParseContext): void {
  const { source } = context;
  Object.assign(source.facts, facts);
  if (pipe) source.facts.mode = 'pipe';
  const { release } = facts;
  if (release !== undefined) noteRelease(context, release);
}
