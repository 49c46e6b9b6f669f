/**
 * Lines `MS COMM/TID kmem:EVENT(field: value, …)` (tools/perf/builtin-trace.c trace__event_handler, v6.1).
 *
 * Times are milliseconds since the first event, of no clock that anything else shares. Fields whose
 * value is 0 are left out by perf, so a missing order is order 0. Numbers are decimal; there is no cpu.
 */
import { EventKind, PFN_NONE } from '../../src/records/events.js';
import { kindOfName } from '../csv/event-names.js';
import { wholeNumber } from '../csv/values.js';
import { LineReader } from '../event-format/line-reader.js';
import type { Detection, ParseContext } from '../format.js';

/** Time, the duration column of system-wide runs, comm and tid, event, fields. */
const LINE =
  /^ *(\d{1,12})\.(\d{3}) (?:\( *[^)]{0,24}\): )?(.{1,64})\/(\d{1,10}) ([\w-]+:\w+)\((.{0,2000})\)$/;
const LOST = /^LOST (\d{1,15}) events/;
const KMEM = / kmem:mm_page_\w+\(/;
const FAILED = new Set(['18446744073709551615', '-1', '0xffffffffffffffff']);

export function detectPerfTrace(head: Uint8Array): Detection | null {
  const lines = Buffer.from(head.subarray(0, 1 << 14))
    .toString('latin1')
    .split('\n');
  const fits = lines.filter((line) => KMEM.test(line) && LINE.test(line)).length;
  if (fits === 0) return null;
  return { confidence: 0.9, why: `${fits} lines \`ms comm/tid kmem:event(field: value)\`` };
}

export class PerfTraceParser extends LineReader {
  #lastNs = 0;

  constructor(context: ParseContext) {
    super(context);
    if (context.clock.name === 'unknown') context.clock.name = 'since the first event';
  }

  protected override line(line: string): void {
    if (line.trim() === '') return;
    const lost = LOST.exec(line);
    if (lost !== null) {
      this.writer.lost(0, this.#lastNs, Number(lost[1]));
      return;
    }
    const match = LINE.exec(line);
    if (match === null) {
      this.lines.unparsed(line);
      return;
    }
    const [, ms, us, comm, tid, event, rest] = match as unknown as string[];
    const kind = kindOfName(event);
    if (kind === null || kind >= EventKind.extfrag) {
      this.writer.skip(event!);
      return;
    }
    const timeNs = this.context.clock.toNs(0, Number(ms) * 1e6 + Number(us) * 1e3);
    this.#lastNs = timeNs;
    const fields = fieldsOf(rest!);
    const pfn = FAILED.has(fields.pfn ?? '') ? PFN_NONE : wholeNumber(fields.pfn, 0, 2 ** 44 - 1);
    const order = wholeNumber(fields.order ?? '0', 0, 31);
    if (pfn === null || order === null) {
      this.lines.unparsed(line);
      return;
    }
    const migratetype = wholeNumber(fields.migratetype ?? '0', 0, 127) ?? -1;
    const typed = kind !== EventKind.free && kind !== EventKind.freeBatched;
    const common = { kind, timeNs, cpu: 0, pid: Number(tid), comm: comm!, pfn, order };
    const detail = this.#detail(kind, fields);
    this.writer.page({ ...common, migratetype: typed ? migratetype : -1, detail });
  }

  #detail(kind: number, fields: Readonly<Record<string, string>>): number {
    if (kind === EventKind.zoneLocked) return wholeNumber(fields.percpu_refill ?? '0', 0, 1) ?? 0;
    if (kind !== EventKind.alloc) return 0;
    const mask = wholeNumber(fields.gfp_flags ?? '0', 0, 2 ** 32 - 1) ?? 0;
    return this.context.strings.gfps.internText(`0x${mask.toString(16)}`) & 0xffff;
  }
}

/** `pfn: 1066373, gfp_flags: 4459968`. */
function fieldsOf(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/(\w{1,40}): ([^,\s]{1,60})/g))
    fields[name!] = value!;
  return fields;
}
