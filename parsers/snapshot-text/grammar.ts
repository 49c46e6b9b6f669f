/**
 * What the container (snapshot-text) and the line grammars (buddyinfo, zoneinfo …) agree on.
 *
 * The container feeds lines, keeps time and counts; a grammar knows one kernel file: it takes the
 * lines that belong to it, gathers them into a copy and hands the copy over when it is complete.
 * A copy is complete when a row repeats, when a time header or section heading follows, or at the
 * end of the input.
 */
import type { DiagnosticCode } from '../../src/records/diagnostics.js';
import { NO_TIME, type Snapshot, type SnapshotTime } from '../../src/records/snapshot.js';

/** `no`: not mine. `bad`: mine, but it says nothing usable. `cut`: mine, but its end is missing. */
export type LineResult = 'no' | 'taken' | 'bad' | 'cut';

/** Where and when a copy began. */
export class CopyOrigin {
  readonly source: string;
  /** 1-based. */
  readonly line: number;
  readonly #header: SnapshotTime | null;
  readonly #name: SnapshotTime | null;
  #first: SnapshotTime | null = null;
  #last: SnapshotTime | null = null;

  /**
   * @param header time of the header before the copy.
   * @param name time in the file's name, for a copy that has no other.
   */
  constructor(
    source: string,
    line: number,
    header: SnapshotTime | null,
    name: SnapshotTime | null = null,
  ) {
    this.source = source;
    this.line = line;
    this.#header = header;
    this.#name = name;
  }

  /** A row of the copy carried its own stamp (syslog, `ts`). */
  touch(stamp: SnapshotTime): void {
    this.#first ??= stamp;
    this.#last = stamp;
  }

  /** The header's time if there was one, else the span of the rows' stamps, else the name's, else none. */
  get time(): SnapshotTime {
    if (this.#header) return this.#header;
    const first = this.#first;
    const last = this.#last;
    if (!first || !last) return this.#name ?? NO_TIME;
    if (first.clock !== last.clock || last.endNs < first.beginNs) return first;
    return { ...first, endNs: last.endNs };
  }
}

/** What a grammar may ask of the container. */
export interface CopyHost {
  /** 1-based number of the line being offered. */
  readonly lineNumber: number;
  /** Path or name of the file the lines are from, as far as a heading or the input's name tells. */
  readonly hint: string;
  /** Begins a copy, at the present line unless another is given. */
  begin(kind: Snapshot['kind'], line?: number): CopyOrigin;
  /** Hands over a complete copy. */
  emit(snapshot: Snapshot): void;
  /** Says what could not be used. */
  report(
    code: DiagnosticCode,
    line: number,
    data?: Readonly<Record<string, string | number>>,
  ): void;
}

export interface LineGrammar {
  /** Of the copy being gathered, or null. */
  readonly origin: CopyOrigin | null;
  /** Hands the open copy over, if there is one. */
  finish(): void;
}

/** Rows of one copy: more than any machine has zones, so that a hostile file stays small. */
export const MAX_ROWS = 1 << 14;
