/**
 * Lines `[time] (+delta) [host] event: { context }, { fields }` as babeltrace2's text printer and
 * babeltrace 1 write them.
 *
 * Event names are LTTng's (`kmem_mm_page_alloc`) or perf's (`kmem:mm_page_alloc`). Times are of the
 * day (a step back of half a day is midnight), full dates (UTC), seconds (--clock-seconds) or plain
 * counts (--clock-cycles, taken as nanoseconds). Masks are numbers; they are kept as `0x…`.
 */
import { EventKind, LAST_PAGE_KIND, packExtfrag } from '../../src/records/events.js';
import { clockNs, pfnOf, wholeNumber } from '../csv/values.js';
import { kindOfEvent } from '../event-format/kinds.js';
import { LineReader } from '../event-format/line-reader.js';
import type { Detection } from '../format.js';

const LINE =
  /^\[([^\]]{1,40})\] (?:\(\+[\d.?]{1,40}\) )?(?:(?!\{)(\S{1,255}) )?([\w:]{1,100}): (\{.*)$/;
const MEMBER = /([A-Za-z_]\w{0,63}) = (?:"((?:[^"\\]|\\.)*)"|(-?[\w.]+))/g;
const DISCARDED = /discarded (\d{1,15}) events/;
const CLOCK = /^(?:(\d{4}-\d\d-\d\d) )?(\d\d):(\d\d):(\d\d)\.(\d{9})$/;
const SECONDS = /^(\d{1,15})\.(\d{9})$/;
const DAY_S = 86_400;

export function detectBabeltrace(head: Uint8Array): Detection | null {
  const lines = Buffer.from(head).toString('latin1').split('\n').slice(0, 50);
  const fits = lines.filter((line) => LINE.test(line)).length;
  if (fits === 0 || fits * 2 < lines.length - 1) return null;
  const why = `${fits} of the first ${lines.length} lines have the form [time] (+delta) event: { … }`;
  return { confidence: 0.9, why };
}

export class BabeltraceParser extends LineReader {
  #lastNs = Number.NaN;
  #lastSecond = -1;
  #days = 0;

  protected override line(line: string): void {
    const match = LINE.exec(line);
    if (match === null) {
      const discarded = DISCARDED.exec(line);
      if (discarded !== null) {
        const timeNs = Number.isNaN(this.#lastNs) ? 0 : this.#lastNs;
        this.writer.lost(0, timeNs, Number(discarded[1]));
      } else if (line.trim() !== '') this.lines.unparsed(line);
      return;
    }
    const timeNs = this.#time(match[1]!);
    if (Number.isNaN(timeNs)) {
      this.lines.unparsed(line);
      return;
    }
    this.#lastNs = timeNs;
    const name = match[3]!.replace(/^.*:|^kmem_(?=mm_)/, '');
    const kind = kindOfEvent(name);
    if (kind === undefined || kind > LAST_PAGE_KIND) this.writer.skip(match[3]!);
    else if (!this.#page(kind, timeNs, match[4]!)) this.lines.unparsed(line);
  }

  #time(text: string): number {
    const { clock } = this.context;
    const seconds = SECONDS.exec(text);
    if (seconds !== null) return clock.toNs(Number(seconds[1]), Number(seconds[2]));
    if (/^\d{1,19}$/.test(text)) return clockNs(BigInt(text), clock);
    const parts = CLOCK.exec(text);
    if (parts === null) return Number.NaN;
    const ofDay = Number(parts[2]) * 3600 + Number(parts[3]) * 60 + Number(parts[4]);
    const nanoseconds = Number(parts[5]);
    if (parts[1] !== undefined) {
      const day = Date.parse(`${parts[1]}T00:00:00Z`) / 1000;
      return Number.isFinite(day) ? clock.toNs(day + ofDay, nanoseconds) : Number.NaN;
    }
    if (this.#lastSecond - ofDay > DAY_S / 2) this.#days++;
    this.#lastSecond = ofDay;
    return clock.toNs(ofDay + this.#days * DAY_S, nanoseconds);
  }

  #page(kind: EventKind, timeNs: number, members: string): boolean {
    const values: Record<string, string> = {};
    for (const member of members.matchAll(MEMBER)) values[member[1]!] = member[2] ?? member[3]!;
    const number = (...names: string[]): number | null => {
      for (const name of names) {
        const value = wholeNumber(values[name], -1, 2 ** 48);
        if (value !== null) return value;
      }
      return null;
    };
    const extfrag = kind === EventKind.extfrag;
    const pfn = values.pfn === undefined ? null : pfnOf(values.pfn);
    const order = extfrag ? number('alloc_order') : number('order');
    if (pfn === null || (order === null && kind !== EventKind.freeBatched)) return false;
    return this.writer.page({
      kind,
      timeNs,
      cpu: (number('cpu_id') ?? 0) & 0xffff,
      pid: number('tid', 'perf_tid', 'common_pid', 'pid', 'vtid') ?? -1,
      comm: values.procname ?? '',
      pfn,
      order: order ?? 0,
      migratetype: (extfrag ? number('alloc_migratetype') : number('migratetype')) ?? -1,
      detail: this.#detail(kind, number, order ?? 0),
    });
  }

  #detail(kind: EventKind, number: (...names: string[]) => number | null, order: number): number {
    if (kind === EventKind.alloc) {
      const mask = number('gfp_flags') ?? 0;
      return this.context.strings.gfps.internText(`0x${mask.toString(16)}`) & 0xffff;
    }
    if (kind === EventKind.zoneLocked)
      return (number('percpu_refill') ?? (order === 0 ? 1 : 0)) & 1;
    if (kind !== EventKind.extfrag) return 0;
    const fallback = number('fallback_order') ?? 0;
    const block = number('pageblock_order') ?? 9;
    return packExtfrag(
      fallback,
      block,
      number('fallback_migratetype') ?? 0,
      fallback < block ? 1 : 0,
      number('change_ownership') ?? 0,
    );
  }
}
