/**
 * Diagnostics: how every layer says what it could not use, without throwing.
 *
 * Input problems are data, not exceptions: a reader reports them here and goes on. Every occurrence
 * is counted per code; the first `keepPerCode` of each code are kept with their place and excerpt.
 * Texts live in messages.ts.
 */
import { type DiagnosticCode, MESSAGES, type Severity } from './messages.js';

export type { DiagnosticCode, Severity };

/** One thing that could not be used, or had to be assumed. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  /** The whole sentence, with its data filled in. */
  readonly message: string;
  /** The input it is about (as the user named it), or '' when it is about all of them. */
  readonly source: string;
  /** 1-based line, for text inputs. */
  readonly line?: number;
  /** Byte offset, for binary inputs. */
  readonly offset?: number;
  /** At most 200 characters of the offending input, control characters escaped. */
  readonly excerpt?: string;
  readonly hint?: string;
}

export interface DiagnosticPlace {
  readonly source?: string;
  readonly line?: number;
  readonly offset?: number;
  readonly excerpt?: string;
}

export type MessageData = Readonly<Record<string, string | number>>;

const MAX_EXCERPT = 200;

/** Makes arbitrary input text safe and short enough to show. */
export function excerptOf(text: string): string {
  const cut = text.length > MAX_EXCERPT ? `${text.slice(0, MAX_EXCERPT - 1)}…` : text;
  return cut.replace(
    /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** What was reported of one recording: counted per code, the first of each kept. */
export class Diagnostics {
  readonly #kept: Diagnostic[] = [];
  readonly #counts = new Map<DiagnosticCode, number>();
  readonly #keepPerCode: number;

  constructor(keepPerCode = 20) {
    this.#keepPerCode = keepPerCode;
  }

  report(code: DiagnosticCode, place: DiagnosticPlace = {}, data: MessageData = {}): void {
    const count = (this.#counts.get(code) ?? 0) + 1;
    this.#counts.set(code, count);
    if (count > this.#keepPerCode) return;
    const { severity, text, hint } = MESSAGES[code] as {
      severity: Severity;
      text: string;
      hint?: string;
    };
    this.#kept.push({
      code,
      severity,
      message: text.replace(/\{(\w+)\}/g, (_, name: string) =>
        excerptOf(String(data[name] ?? '?')),
      ),
      source: place.source ?? '',
      ...(place.line === undefined ? {} : { line: place.line }),
      ...(place.offset === undefined ? {} : { offset: place.offset }),
      ...(place.excerpt === undefined ? {} : { excerpt: excerptOf(place.excerpt) }),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** Takes over all that was reported elsewhere, as if it were reported here now. */
  absorb(other: Diagnostics): void {
    const counts = new Map(other.#counts);
    for (const one of other.#kept) {
      const count = (this.#counts.get(one.code) ?? 0) + 1;
      this.#counts.set(one.code, count);
      counts.set(one.code, counts.get(one.code)! - 1);
      if (count <= this.#keepPerCode) this.#kept.push(one);
    }
    for (const [code, more] of counts) {
      this.#counts.set(code, (this.#counts.get(code) ?? 0) + more);
    }
  }

  /** The kept diagnostics, in the order they were reported. */
  get all(): readonly Diagnostic[] {
    return this.#kept;
  }

  count(code: DiagnosticCode): number {
    return this.#counts.get(code) ?? 0;
  }

  /** Occurrences per code, sorted by code. */
  counts(): [DiagnosticCode, number][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  has(severity: Severity): boolean {
    return [...this.#counts.keys()].some((code) => MESSAGES[code].severity === severity);
  }
}
