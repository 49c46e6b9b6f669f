/**
 * Diagnostics with the place they are about filled in: one source, byte offsets.
 */
import type { DiagnosticCode, Diagnostics, MessageData } from '../../src/records/diagnostics.js';

export class Reporter {
  readonly diagnostics: Diagnostics;
  readonly source: string;

  constructor(diagnostics: Diagnostics, source: string) {
    this.diagnostics = diagnostics;
    this.source = source;
  }

  /** Bytes that ought to be there are not. */
  cut(what: string, offset: number, need: number, have: number): void {
    this.report('binary-cut', offset, { what, need, have });
  }

  damaged(what: string, reason: string, offset: number): void {
    this.report('binary-damaged', offset, { what, reason });
  }

  report(code: DiagnosticCode, offset: number | null, data: MessageData): void {
    const place =
      offset === null || !Number.isFinite(offset)
        ? { source: this.source }
        : { source: this.source, offset };
    this.diagnostics.report(code, place, data);
  }
}
