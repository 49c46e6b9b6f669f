/**
 * The container: lines of any snapshot files, in any mixture, with or without time headers.
 *
 * For each line: the grammars first, then the same without transport prefixes, then time headers
 * and headings; what is left is foreign and counted. Copies are handed to the sink one by one, so
 * memory does not grow with the input. Rows of several hosts (pdsh, syslog servers) are kept apart;
 * only one host's copies are used: the first, or the one of option `host`.
 */
import type { DiagnosticCode } from '../../src/records/diagnostics.js';
import type { Snapshot, SnapshotKind, SnapshotTime } from '../../src/records/snapshot.js';
import type { ParseContext, StreamParser } from '../format.js';
import { type Assumption, WallClock } from './dates.js';
import type { LineResult } from './grammar.js';
import { type LineHandler, LineSplitter, latin1Line } from './lines.js';
import { scanPrefix } from './prefixes.js';
import { parseSection } from './sections.js';
import { Session, type SessionOutput } from './session.js';
import { parseTimeHeader, type TimeHeader, timeOfName } from './stamps.js';

const MAX_PREFIXES = 4;
const ESCAPES = /\u001b(?:\[[0-9;?]*[ -/]*([@-~])|[()][A-Z0-9]|[=>78cM])/g;
/** CSI finals that move the cursor to another line. */
const MOVES = /[Hfd]/;

/** Files whose content moves, so that a time in the file's name is worth believing. */
const MOVING: ReadonlySet<SnapshotKind> = new Set([
  ...(['buddyinfo', 'pagetypeinfo', 'zoneinfo', 'vmstat'] as const),
  ...(['unusable_index', 'extfrag_index'] as const),
]);

interface Tally {
  rows: number;
  headers: number;
  sections: number;
  foreign: number;
}

export class SnapshotTextParser implements StreamParser, LineHandler, SessionOutput {
  readonly #context: ParseContext;
  readonly #splitter: LineSplitter;
  readonly #wall = new WallClock();
  readonly #assumed = new Set<Assumption>();
  readonly #session: Session;
  readonly #nameTime: SnapshotTime | null;
  #host: string | null;
  #foreignHost = 0;
  #firstForeign = { line: 0, text: '' };
  #line = 0;
  /** What the lines were, for detection. */
  readonly tally: Tally = { rows: 0, headers: 0, sections: 0, foreign: 0 };

  constructor(context: ParseContext) {
    this.#context = context;
    this.#splitter = new LineSplitter(context.limits.lineBytes, this);
    this.#nameTime = timeOfName(context.source.name);
    this.#session = new Session(this);
    this.#host = context.options.host ?? null;
  }

  get source(): string {
    return this.#context.source.name;
  }

  get lineNumber(): number {
    return this.#line;
  }

  nameTime(kind: SnapshotKind): SnapshotTime | null {
    return MOVING.has(kind) ? this.#nameTime : null;
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
  }

  end(): void {
    this.#splitter.end();
    this.#session.finish();
    const { line, text } = this.#firstForeign;
    if (this.tally.foreign > 0) {
      this.report('snapshot-foreign-lines', line, { count: this.tally.foreign, first: text });
    }
    if (this.#foreignHost > 0) {
      const data = { count: this.#foreignHost, host: this.#host ?? '' };
      this.report('snapshot-other-host', 0, data);
    }
    if (this.#session.stampsAfterCopies) this.report('stamps-after-copies', 0);
    if (this.#assumed.has('zone')) this.report('time-zone-assumed', 0);
    if (this.#assumed.has('year') || this.#assumed.has('date')) this.report('time-date-missing', 0);
  }

  tooLong(): void {
    this.#line++;
    this.#context.source.lines++;
    this.#context.source.skippedLines++;
    this.report('line-too-long', this.#line, { limit: this.#context.limits.lineBytes });
  }

  line(bytes: Uint8Array, start: number, end: number, terminated: boolean): void {
    this.#line++;
    this.#context.source.lines++;
    const text = latin1Line(bytes, start, end);
    if (text.includes('\u001b')) {
      for (const part of withoutEscapes(text)) this.#take(part, !terminated);
    } else this.#take(text, !terminated);
  }

  emit(snapshot: Snapshot): void {
    const { source, sink } = this.#context;
    source.snapshots[snapshot.kind] = (source.snapshots[snapshot.kind] ?? 0) + 1;
    const { clock, beginNs, endNs } = snapshot.time;
    if (clock !== 'none' && (source.clock === 'none' || source.clock === clock)) {
      source.clock = clock;
      if (!(source.firstNs <= beginNs)) source.firstNs = beginNs;
      if (!(source.lastNs >= endNs)) source.lastNs = endNs;
    }
    if (snapshot.time === this.#nameTime) this.report('time-from-name', 0);
    if (snapshot.kind === 'version') source.facts.release ??= snapshot.release;
    sink.snapshot(snapshot);
  }

  report(code: DiagnosticCode, line: number, data?: Readonly<Record<string, string | number>>) {
    const place = line > 0 ? { source: this.source, line } : { source: this.source };
    this.#context.diagnostics.report(code, place, data);
  }

  #take(text: string, cut: boolean): void {
    const result = this.#offer(text, cut);
    if (result === 'taken') {
      this.tally.rows++;
      return;
    }
    if (result !== 'no') {
      this.#context.source.skippedLines++;
      const code = result === 'cut' ? 'snapshot-cut' : 'snapshot-line-bad';
      const place = { source: this.source, line: this.#line, excerpt: text };
      this.#context.diagnostics.report(code, place, { what: 'the last line' });
      return;
    }
    if (text.trim() === '' || this.#heading(text)) return;
    this.#context.source.skippedLines++;
    if (this.tally.foreign++ === 0) this.#firstForeign = { line: this.#line, text };
  }

  /** The line as it stands, then without its prefixes, one after the other. */
  #offer(text: string, cut: boolean): LineResult {
    let result = this.#session.offer(text, cut, null);
    let rest = text;
    let stamp: SnapshotTime | null = null;
    let host: string | null = null;
    const assumed: Assumption[] = [];
    for (let depth = 0; result === 'no' && depth < MAX_PREFIXES; depth++) {
      const prefix = scanPrefix(rest, this.#wall);
      if (!prefix || prefix.rest >= rest.length) return 'no';
      rest = rest.slice(prefix.rest);
      stamp ??= prefix.time;
      host ??= prefix.host;
      assumed.push(...prefix.assumed);
      if (prefix.path !== null) this.#session.at(prefix.path);
      result = this.#offerRest(rest, cut, host, stamp);
    }
    if (result === 'taken') for (const assumption of assumed) this.#assumed.add(assumption);
    return result;
  }

  #offerRest(
    rest: string,
    cut: boolean,
    host: string | null,
    stamp: SnapshotTime | null,
  ): LineResult {
    if (host !== null && this.#host !== null && host !== this.#host) {
      // Another machine's row: recognised by a session of no consequence, then dropped.
      if (!looksLikeRow(rest)) return 'no';
      this.#foreignHost++;
      this.#context.source.skippedLines++;
      return 'taken';
    }
    const result = this.#session.offer(rest, cut, stamp);
    if (result === 'taken' && host !== null) {
      this.#host ??= host;
      this.#context.source.facts.host ??= host;
    }
    if (result === 'no' && host !== null && this.#timeHeader(rest)) return 'taken';
    return result;
  }

  /** Time headers and section headings. */
  #heading(text: string): boolean {
    const section = parseSection(text);
    if (section?.path) this.#session.section(section.path);
    else if (section) this.#session.finish();
    if (section) this.tally.sections++;
    const dated = this.#timeHeader(text);
    return dated || section !== null;
  }

  #timeHeader(text: string): boolean {
    const header = parseTimeHeader(asUtf8(text), this.#wall);
    if (!header) return false;
    this.tally.headers++;
    for (const assumption of header.assumed) this.#assumed.add(assumption);
    if (header.file !== null) this.#index(header, header.file);
    else this.#session.header(header.time);
    return true;
  }

  #index(header: TimeHeader, file: string): void {
    const { time, bytes } = header;
    this.emit({ kind: 'index', time, source: this.source, line: this.#line, file, bytes });
  }
}

function looksLikeRow(text: string): boolean {
  return /^(?:Node +\d+, +zone|[a-z_]+ \d+$| {2,}\S|Page|Free pages|Number of|Linux version)/.test(
    text,
  );
}

/** Characters above 127 came as one a byte; dates in other scripts need them joined. */
function asUtf8(text: string): string {
  return /[\u0080-\u00ff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}

/** Terminal output as lines: colours go, cursor movements to another row break the line. */
function withoutEscapes(text: string): string[] {
  const marked = text.replace(ESCAPES, (_, final: string | undefined) =>
    final !== undefined && MOVES.test(final) ? '\n' : '',
  );
  return marked.split(/[\n\r]/).filter((part) => part !== '');
}
