/**
 * From log lines to reports: folds lines back together, then gives every record to the report it
 * belongs to.
 *
 * Folding: a line without any stamp, in a log that has them, or one that has the shape of the rest
 * of the record before it, continues that record. Belonging: where the log has caller ids they
 * decide. Where it has none, two reports may be mixed line by line; a second header before the first
 * one's call trace is over means exactly that, and Mem-Info blocks then go to the oldest report that
 * has none, zones to the report that lacks them. Such reports are marked `interleaved`.
 */
import type { LogFact, Splat, SplatTime } from '../../src/records/splat.js';
import { Draft, type LogRecord } from './draft.js';
import { continues, kindOf, numberIn, parseHeader, type RecordKind } from './grammar.js';
import type { LogLine } from './prefix.js';

/** Reports open at once; more CPUs than this never fail in one instant of a rate-limited log. */
const MAX_OPEN = 8;
/** Lines without anything of the report before it is taken for ended: before and after its zones. */
const PATIENCE_EARLY = 250;
const PATIENCE_LATE = 60;
/** Lines between two headers within which two reports are held to be printed at once. */
const TOGETHER_LINES = 40;
const MAX_RECORD = 1 << 16;
/** A `vmalloc: allocation failure` line belongs to a header that follows within so many lines. */
const VMALLOC_LINES = 6;

export interface AssemblerOutput {
  splat(splat: Splat): void;
  fact(fact: LogFact): void;
  release(release: string, text: string, line: number): void;
}

interface Pending {
  kind: RecordKind;
  text: string;
  line: number;
  caller: string;
  time: SplatTime;
  stamped: boolean;
  rewrapped: boolean;
}

export class Assembler {
  readonly #source: string;
  readonly #output: AssemblerOutput;
  readonly #pending = new Map<string, Pending>();
  #lastKey = '';
  #open: Draft[] = [];
  #suppressed = 0;
  #vmalloc: { bytes: number; line: number } | null = null;
  #release = { release: '', text: '' };

  constructor(source: string, output: AssemblerOutput) {
    this.#source = source;
    this.#output = output;
  }

  /** True while a report is open or a record waits: the next lines must be read. */
  get busy(): boolean {
    return this.#open.length > 0 || this.#pending.size > 0;
  }

  /** Takes one log line with its 1-based number. `cut`: the line before fills a terminal's width. */
  line(log: LogLine, line: number, cut = false): void {
    const text = log.text;
    if (text.trim() === '') {
      this.#flush(log.caller);
      return;
    }
    const kind = kindOf(text);
    const pending = this.#pending.get(log.stamped ? log.caller : this.#lastKey);
    if (cut && pending?.stamped && !log.stamped && fits(pending, text) && /^\S|^\s\S/.test(text)) {
      pending.text += text;
      pending.rewrapped = true;
      return;
    }
    const joins =
      pending !== undefined &&
      kind !== 'header' &&
      (kind === 'noise' || kind === 'counters' || kind === 'frame' || isHead(pending.text)) &&
      !log.stamped &&
      fits(pending, text) &&
      (continues(pending.kind, text) || torn(pending.text, text));
    if (joins) {
      pending.text += `${torn(pending.text, text) ? '' : ' '}${text.trim()}`;
      pending.rewrapped = true;
      return;
    }
    const caller = log.stamped ? log.caller : this.#callerOfFold();
    this.#flush(caller);
    this.#lastKey = caller;
    const { monoNs, wallNs, wallText } = log;
    this.#pending.set(caller, {
      kind,
      text,
      line,
      caller,
      time: { monoNs, wallNs, wallText },
      stamped: log.stamped,
      rewrapped: false,
    });
    if (this.#pending.size > MAX_OPEN) this.#flushOldest();
    this.#expire(line);
  }

  /** An unstamped line of a stamped log (util-linux indents counters) is the last caller's. */
  #callerOfFold(): string {
    return this.#open.length > 0 ? this.#lastKey : '';
  }

  /** Applies every record that waits, if no report is open that it might be folded into. */
  settle(): void {
    if (this.#open.length > 0 || this.#pending.size === 0) return;
    for (const pending of this.#pending.values()) {
      // the next line may still belong to a header
      if (pending.kind === 'header') return;
    }
    this.#flushAll();
  }

  #flushAll(): void {
    for (const key of [...this.#pending.keys()]) this.#flush(key);
  }

  end(): void {
    this.#flushAll();
    for (const draft of [...this.#open]) this.#close(draft);
  }

  #flush(key: string): void {
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    this.#pending.delete(key);
    // a fold may have hidden what the record is
    const kind = pending.rewrapped ? kindOf(pending.text) : pending.kind;
    this.#apply({ ...pending, kind });
  }

  #flushOldest(): void {
    const first = this.#pending.keys().next();
    if (!first.done) this.#flush(first.value);
  }

  #apply(record: LogRecord): void {
    switch (record.kind) {
      case 'header':
        this.#header(record);
        break;
      case 'version':
        this.#version(record);
        break;
      case 'suppressed':
        this.#noteSuppressed(record);
        break;
      case 'vmalloc':
        this.#vmalloc = {
          bytes: numberIn(record.text, /failure: (\d{1,16}) bytes/) ?? 0,
          line: record.line,
        };
        break;
      case 'cma':
        this.#cma(record);
        break;
      case 'noise':
        this.#noise(record);
        break;
      default:
        if (!isHead(record.text)) this.#draftFor(record)?.add(record);
    }
  }

  #header(record: LogRecord): void {
    const fields = parseHeader(record.text);
    if (fields === null) return;
    for (const draft of this.#open.filter((d) => d.key === record.caller)) {
      const together =
        record.caller === '' &&
        !draft.hasMemInfo &&
        !draft.traceEnded &&
        record.line - draft.startLine < TOGETHER_LINES &&
        draft.mayBeAt(record.time) &&
        draft.kind !== 'slub-failure';
      if (!together) this.#close(draft);
    }
    const draft = new Draft(record, fields);
    draft.suppressed = this.#suppressed;
    this.#suppressed = 0;
    if (this.#vmalloc !== null && record.line - this.#vmalloc.line <= VMALLOC_LINES) {
      draft.setVmalloc(this.#vmalloc.bytes);
    }
    this.#vmalloc = null;
    this.#openDraft(draft);
    if (record.caller !== '') return;
    const mixed = this.#open.filter((d) => d.key === '' && !d.hasZones);
    if (mixed.length > 1) for (const d of mixed) d.interleaved = true;
  }

  #openDraft(draft: Draft): void {
    if (this.#open.length >= MAX_OPEN) this.#close(this.#open[0]!);
    this.#open.push(draft);
  }

  /** The report a record belongs to, opened if the record can begin one. */
  #draftFor(record: LogRecord): Draft | null {
    const own = this.#open.filter((draft) => draft.key === record.caller);
    const last = own.at(-1);
    switch (record.kind) {
      case 'context':
        return this.#draftForContext(record, own);
      case 'frame':
      case 'trace':
        return own.findLast((draft) => !draft.hasMemInfo) ?? null;
      case 'meminfo':
        return own.find((draft) => !draft.hasMemInfo) ?? this.#headless(record, own);
      case 'zone':
        return (
          own.find((d) => d.hasMemInfo && !d.hasZone(record.text)) ?? this.#headless(record, own)
        );
      case 'list':
        return (
          own.find((d) => d.hasMemInfo && !d.hasList(record.text)) ?? this.#headless(record, own)
        );
      case 'counters':
      case 'node':
        return own.find((d) => d.hasMemInfo && !d.hasZones) ?? last ?? this.#headless(record, own);
      case 'slub':
        return last ?? this.#headless(record, own);
      case 'reserve':
        return last ?? this.#headless(record, own);
      default:
        return last ?? null;
    }
  }

  #draftForContext(record: LogRecord, own: readonly Draft[]): Draft | null {
    const named = own.find((d) => !d.hasContext && !d.hasZones && sameComm(d, record.text));
    if (named !== undefined) return named;
    const last = own.at(-1);
    if (last === undefined || !last.hasTail) return null;
    return this.#headless(record, own);
  }

  /** A report whose header is not in the log. */
  #headless(record: LogRecord, own: readonly Draft[]): Draft {
    for (const draft of own) this.#close(draft);
    const draft = new Draft(record, null);
    this.#openDraft(draft);
    return draft;
  }

  #version(record: LogRecord): void {
    const text = record.text.trimStart();
    const release = /^Linux version (\S{1,200})/.exec(text)?.[1];
    if (release === undefined) return;
    for (const draft of [...this.#open]) this.#close(draft);
    this.#release = { release, text: text.slice(0, 1000) };
    this.#output.release(release, text.slice(0, 1000), record.line);
  }

  #noteSuppressed(record: LogRecord): void {
    const match = /(?:^|\s)([\w.]{1,64}): (\d{1,12}) (?:callbacks|messages) suppressed/.exec(
      record.text,
    );
    if (match === null || !/^(?:warn_alloc|__ratelimit|printk|slab_out_of_memory)/.test(match[1]!))
      return;
    if (match[1] !== 'slab_out_of_memory') this.#suppressed += Number(match[2]);
    this.#fact('suppressed', Number(match[2]), record);
  }

  #cma(record: LogRecord): void {
    const reserved = /Reserved (\d{1,9}) ([KMG])iB/.exec(record.text);
    if (reserved !== null) {
      const scale = { K: 1, M: 1024, G: 1024 * 1024 }[reserved[2] as 'K' | 'M' | 'G'];
      const address = /at (0x[0-9a-f]{1,16})\b/.exec(record.text)?.[1];
      this.#fact('cma-reserved', Number(reserved[1]) * scale, record, Number(address));
    }
    const failed = numberIn(record.text, /req-size: (\d{1,12}) pages/);
    if (failed !== null) this.#fact('cma-alloc-failed', failed, record);
  }

  #fact(what: LogFact['what'], amount: number, record: LogRecord, address = Number.NaN): void {
    const text = record.text.trim().slice(0, 200);
    const place = Number.isNaN(address) ? {} : { address };
    this.#output.fact({ what, source: this.#source, line: record.line, amount, text, ...place });
  }

  /** Lines that are not the report's own: cpuset folded over several lines (4.14-4.19). */
  #noise(record: LogRecord): void {
    if (!/^\s*mems_allowed=/.test(record.text)) return;
    const own = this.#open.filter((draft) => draft.key === record.caller);
    own.findLast((d) => !d.hasMemInfo)?.add({ ...record, kind: 'cpuset' });
  }

  #expire(line: number): void {
    for (const draft of this.#open.filter((d) => {
      const patience = d.hasZones || d.kind === 'slub-failure' ? PATIENCE_LATE : PATIENCE_EARLY;
      return line - d.lastLine > patience;
    })) {
      this.#close(draft);
    }
  }

  #close(draft: Draft): void {
    this.#open = this.#open.filter((other) => other !== draft);
    const splat = draft.finish(this.#source, this.#release);
    if (splat !== null) this.#output.splat(splat);
  }
}

function fits(pending: Pending, text: string): boolean {
  return pending.text.length + text.length < MAX_RECORD;
}

/** A function's name in a call trace, broken before its end. */
function torn(before: string, text: string): boolean {
  return /\([\w.$]+$/.test(before) && /^[\w.$]*\+0x/.test(text);
}

/** The first word or two of a zone line, folded away from the rest. */
function isHead(text: string): boolean {
  return /^\s*(?:Node \d+)?\s?(?:DMA32|DMA|Normal|HighMem|Movable|Device)?:?$/.test(text);
}

/** Names are cut differently in the two lines; the shorter must begin the longer. */
function sameComm(draft: Draft, text: string): boolean {
  if (draft.comm === '') return true;
  const comm = /[Cc]omm:\s*(.{1,64})/.exec(text)?.[1] ?? '';
  const head = draft.comm.slice(0, 15).trim();
  return (
    comm === '' ||
    comm.startsWith(head) ||
    draft.comm.endsWith(comm.split(/\s+(?:Not|Tainted)/)[0]!)
  );
}
