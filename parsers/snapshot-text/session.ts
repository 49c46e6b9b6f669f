/**
 * The copies of one machine: offers each line to the grammars and dates what they gather.
 *
 * A time header dates the copies that follow it, one of each kind: a second copy of a kind under
 * the same header was taken later and gets no time. Headers and headings end the copies before
 * them. Rows with stamps of their own date their copy if no header does.
 */
import type { DiagnosticCode } from '../../src/records/diagnostics.js';
import type { Snapshot, SnapshotKind, SnapshotTime } from '../../src/records/snapshot.js';
import { BuddyinfoLines } from '../buddyinfo/parse.js';
import { CollectorLines } from '../collectors/parse.js';
import { ExtfragIndexLines } from '../extfrag-index/parse.js';
import { PagetypeinfoLines } from '../pagetypeinfo/parse.js';
import { SysctlLines } from '../sysctl/parse.js';
import { VersionLines } from '../version/parse.js';
import { VmstatLines } from '../vmstat/parse.js';
import { ZoneinfoLines } from '../zoneinfo/parse.js';
import { type CopyHost, CopyOrigin, type LineGrammar, type LineResult } from './grammar.js';
import { isBlank, isDigit, type NodeRow, scanNodeRow } from './scan.js';

/** Where a session's copies and complaints go. */
export interface SessionOutput {
  readonly source: string;
  readonly lineNumber: number;
  emit(snapshot: Snapshot): void;
  /** The time that the file's name gives copies of this kind without any other. */
  nameTime(kind: SnapshotKind): SnapshotTime | null;
  report(
    code: DiagnosticCode,
    line: number,
    data?: Readonly<Record<string, string | number>>,
  ): void;
}

export class Session implements CopyHost {
  readonly #output: SessionOutput;
  readonly #buddyinfo = new BuddyinfoLines(this);
  readonly #pagetypeinfo = new PagetypeinfoLines(this);
  readonly #zoneinfo = new ZoneinfoLines(this);
  readonly #extfrag = new ExtfragIndexLines(this);
  readonly #vmstat = new VmstatLines(this);
  readonly #sysctl = new SysctlLines(this);
  readonly #version = new VersionLines(this);
  readonly #collectors = new CollectorLines(this);
  readonly #all: readonly LineGrammar[] = [
    ...[this.#version, this.#sysctl, this.#buddyinfo, this.#pagetypeinfo],
    ...[this.#zoneinfo, this.#extfrag, this.#vmstat, this.#collectors],
  ];
  #hint: string;
  #header: SnapshotTime | null = null;
  readonly #dated = new Set<SnapshotKind>();
  /** Copies came before the first header. */
  #undatedFirst = false;
  #headers = 0;

  constructor(output: SessionOutput) {
    this.#output = output;
    this.#hint = output.source;
  }

  get lineNumber(): number {
    return this.#output.lineNumber;
  }

  get hint(): string {
    return this.#hint;
  }

  begin(kind: SnapshotKind, line = this.lineNumber): CopyOrigin {
    const dated = this.#dated.has(kind);
    this.#dated.add(kind);
    const [header, name] = dated ? [null, null] : [this.#header, this.#output.nameTime(kind)];
    return new CopyOrigin(this.#output.source, line, header, name);
  }

  emit(snapshot: Snapshot): void {
    this.#output.emit(snapshot);
  }

  report(code: DiagnosticCode, line: number, data?: Readonly<Record<string, string | number>>) {
    this.#output.report(code, line, data);
  }

  /** Ends the copies before a time header; those after it were taken at its time. */
  header(time: SnapshotTime): void {
    const unused = this.#header !== null && this.#dated.size === 0;
    this.finish();
    if (unused && this.#header?.clock === 'mono' && time.clock === 'wall') return;
    if (this.#headers++ === 0) this.#undatedFirst = this.#dated.size > 0;
    this.#header = time;
    this.#dated.clear();
  }

  /** Whether the file looks as if each stamp was printed after its copy. */
  get stampsAfterCopies(): boolean {
    return this.#undatedFirst && this.#headers > 1 && this.#dated.size === 0;
  }

  /** Ends the copies before a heading; the path helps to tell what follows. */
  section(path: string): void {
    this.finish();
    this.#hint = path;
  }

  /** A path that stands before one row (`grep .`). */
  at(path: string): void {
    this.#hint = path;
  }

  finish(): void {
    for (const grammar of this.#all) grammar.finish();
  }

  /**
   * Offers a line to the grammars.
   * @param cut the line did not end in a newline: its end may be missing.
   * @param stamp the row's own time, if it had one.
   */
  offer(text: string, cut: boolean, stamp: SnapshotTime | null): LineResult {
    const first = text.charCodeAt(0);
    if (first === 78) {
      const row = scanNodeRow(text);
      if (row) return this.#nodeRow(text, row, cut, stamp);
    }
    if (this.#zoneinfo.inZone && isBlank(first)) {
      return this.#stamped(this.#zoneinfo, this.#zoneinfo.line(text, cut), stamp);
    }
    const collected = this.#collectors.line(text, cut);
    if (collected !== 'no') return this.#stamped(this.#collectors, collected, stamp);
    if (first === 80 || first === 70 || first === 78) {
      const result = this.#pagetypeinfo.heading(text);
      if (result !== 'no') return result;
    }
    if (first >= 97 && first <= 122) {
      const result = this.#stamped(this.#vmstat, this.#vmstat.line(text, cut), stamp);
      if (result !== 'no') return result;
    }
    if (first === 76 || first === 107 || isDigit(first)) {
      const result = this.#version.line(text, cut);
      if (result !== 'no') return result;
    }
    if (isBlank(first)) return 'no';
    return this.#stamped(this.#sysctl, this.#sysctl.line(text, cut), stamp);
  }

  /** Tells the four kinds of `Node d, zone name` lines apart by what follows. */
  #nodeRow(text: string, row: NodeRow, cut: boolean, stamp: SnapshotTime | null): LineResult {
    const rest = text.slice(row.rest).trim();
    if (rest === '') {
      return this.#stamped(this.#zoneinfo, this.#zoneinfo.zoneRow(row, cut), stamp);
    }
    if (rest.startsWith(',')) {
      return this.#stamped(this.#pagetypeinfo, this.#pagetypeinfo.typeRow(text, row, cut), stamp);
    }
    if (rest.includes('.')) {
      return this.#stamped(this.#extfrag, this.#extfrag.row(text, row, cut), stamp);
    }
    const block = this.#pagetypeinfo.blockRow(text, row, cut);
    if (block !== 'no') return this.#stamped(this.#pagetypeinfo, block, stamp);
    return this.#stamped(this.#buddyinfo, this.#buddyinfo.row(text, row, cut), stamp);
  }

  #stamped(grammar: LineGrammar, result: LineResult, stamp: SnapshotTime | null): LineResult {
    if (result === 'taken' && stamp) grammar.origin?.touch(stamp);
    return result;
  }
}
