/**
 * One JSON object a line: {"type": "printf", "data": "TEXT\n"}; other types hold no events, except
 * lost_events. Without -f json the TEXTs stand alone behind `Attaching N probes...`. What a TEXT may say is in README.md: `NSECS CPU [PID] COMM key=value …`.
 *
 * bpftrace prints numbers as the script asks: gfp is taken as hex (`%x`) with or without 0x, pfn as
 * decimal unless it has 0x or letters. Input option gfp-base=10 says that masks are decimal.
 */
import { EventKind, PFN_NONE } from '../../src/records/events.js';
import { kindOfName } from '../csv/event-names.js';
import { clockNs, exactNs, guessUnit, wholeNumber } from '../csv/values.js';
import { LineReader } from '../event-format/line-reader.js';
import type { Detection, ParseContext } from '../format.js';

const ENVELOPE =
  /^\{"type": ?"(attached_probes|printf|map|hist|lhist|lost_events|time|stats|value|join|cat|syscall|strftime|skboutput|helper_error)", ?"data":/;

export function detectBpftrace(head: Uint8Array): Detection | null {
  const lines = Buffer.from(head).toString('latin1').split('\n').slice(0, 20);
  const fits = lines.filter((line) => ENVELOPE.test(line)).length;
  if (fits > 0) return { confidence: 0.95, why: `${fits} lines in bpftrace's JSON envelope` };
  if (ATTACHING.test(lines[0]!)) return { confidence: 0.95, why: 'bpftrace says what it attaches' };
  const printed = lines.filter((line) => PRINTED.test(line)).length;
  if (printed === 0) return null;
  return { confidence: 0.6, why: `${printed} lines \`NSECS CPU COMM pfn=… order=…\`` };
}

/** The first line of plain output. */
const ATTACHING = /^Attaching \d{1,6} probes?\.\.\.$/;
/** A line as the script of the README prints it. */
const PRINTED = /^\d{6,20} \d{1,5} \S.{0,60} pfn=[0-9a-fx]+ order=\d+/;
/** Maps, stacks and histograms of plain output. */
const OTHER_OUTPUT = /^(?:@|\]|\s|\[)/;

const ALIASES: Readonly<Record<string, string>> = {
  t: 'time',
  ts: 'time',
  ns: 'time',
  nsecs: 'time',
  tid: 'pid',
  gfp_flags: 'gfp',
  flags: 'gfp',
  migratetype: 'mt',
  ev: 'event',
  probe: 'event',
};

export class BpftraceParser extends LineReader {
  readonly #gfpBase: number;
  #lastNs = 0;

  constructor(context: ParseContext) {
    super(context);
    this.#gfpBase = context.options['gfp-base'] === '10' ? 10 : 16;
  }

  protected override line(line: string): void {
    if (line.trim() === '') return;
    if (!line.startsWith('{')) {
      this.#plain(line);
      return;
    }
    const object = parseObject(Buffer.from(line, 'latin1').toString('utf8'));
    if (object === null) {
      this.lines.unparsed(line);
      return;
    }
    const { type, data } = object;
    if (type === 'printf' && typeof data === 'string') {
      for (const text of data.split('\n')) {
        if (text.trim() !== '' && !this.#event(text)) this.lines.unparsed(text);
      }
    } else if (type === 'lost_events') this.#lost(data);
    else this.writer.skip(`bpftrace ${String(type).slice(0, 40)}`);
  }

  #lost(data: unknown): void {
    const events = typeof data === 'object' && data !== null ? Object.values(data)[0] : data;
    const count = wholeNumber(events, 0, 2 ** 40);
    this.writer.lost(0, this.#lastNs, count ?? Number.NaN);
  }

  #plain(line: string): void {
    if (ATTACHING.test(line) || this.#event(line)) return;
    if (OTHER_OUTPUT.test(line)) this.writer.skip('bpftrace map');
    else this.lines.unparsed(line);
  }

  #event(text: string): boolean {
    const fields = fieldsOf(text);
    const time = exactNs(fields.time, guessUnit(fields.time ?? ''));
    const pfn = pfnIn(fields.pfn);
    const order = wholeNumber(fields.order ?? '0', 0, 31);
    if (time === null || pfn === null || order === null) return false;
    const timeNs = clockNs(time, this.context.clock);
    this.#lastNs = timeNs;
    const kind = kindOfName(fields.event) ?? (fields.gfp === undefined ? 2 : 1);
    return this.writer.page({
      kind,
      timeNs,
      cpu: (wholeNumber(fields.cpu, 0, 65_535) ?? 0) & 0xffff,
      pid: wholeNumber(fields.pid, -1, 2 ** 31 - 1) ?? -1,
      comm: fields.comm ?? '',
      pfn,
      order,
      migratetype: wholeNumber(fields.mt, 0, 127) ?? -1,
      detail: kind === EventKind.alloc ? this.#gfp(fields.gfp ?? '0') : 0,
    });
  }

  /** A mask becomes `0x…`; names stay as they are. */
  #gfp(text: string): number {
    const { gfps } = this.context.strings;
    const number = /^(0x)?[0-9a-f]{1,8}$/i.test(text)
      ? Number.parseInt(text, text.startsWith('0x') ? 16 : this.#gfpBase)
      : Number.NaN;
    const word = Number.isNaN(number) ? text.slice(0, 400) : `0x${number.toString(16)}`;
    return gfps.internText(word) & 0xffff;
  }
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** `key=value` words by name; bare words in front: time, cpu, pid if two numbers follow, comm. */
function fieldsOf(text: string): Record<string, string | undefined> {
  const fields: Record<string, string | undefined> = {};
  const bare: string[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const pair = /^([A-Za-z_]\w{0,30})=(.*)$/.exec(word);
    if (pair === null) bare.push(word);
    else fields[ALIASES[pair[1]!] ?? pair[1]!] ??= pair[2]!;
  }
  const event = bare.findIndex((word) => /mm_page_/.test(word));
  if (event >= 0) fields.event ??= bare.splice(event, 1)[0]!.replace(/:$/, '');
  if (bare.length > 0) fields.time ??= bare.shift();
  if (bare.length > 0 && /^\d+$/.test(bare[0]!)) fields.cpu ??= bare.shift();
  if (bare.length > 1 && /^\d+$/.test(bare[0]!)) fields.pid ??= bare.shift();
  if (bare.length > 0) fields.comm ??= bare.join(' ').slice(0, 64);
  return fields;
}

/** Decimal, or hex with 0x or letters; all ones or -1 is a failed allocation. */
function pfnIn(text: string | undefined): number | null {
  if (text === undefined || text.length > 20) return null;
  if (/^(-1|(0x)?f{16}|18446744073709551615)$/i.test(text)) return PFN_NONE;
  const hex = /^(0x)?[0-9a-f]*[a-f][0-9a-f]*$/i.test(text) && !text.startsWith('0x');
  return wholeNumber(hex ? `0x${text}` : text, 0, 2 ** 44 - 1);
}
