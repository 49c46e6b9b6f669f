/**
 * Android systrace and atrace: ftrace text wrapped in HTML, or behind a `TRACE:` line.
 */

import type { Detection, ParseContext, StreamFormat, StreamParser } from '../format.js';
import { openFtraceText } from '../ftrace-text/parse.js';
import { Unwrapper } from './unwrap.js';

export const systrace: StreamFormat = {
  id: 'systrace',
  title: 'Android systrace (HTML, atrace)',
  mode: 'stream',
  detect,
  open: (context) => new SystraceParser(context),
};

function detect(head: Uint8Array): Detection | null {
  const text = Buffer.from(head).toString('latin1');
  if (/^\s*<!DOCTYPE html|^\s*<html/i.test(text)) {
    const marks = /trace-data|linuxPerfData|Android System Trace|trace-viewer|tr-ui-/.exec(text);
    if (marks === null) return null;
    return { confidence: 1, why: `an HTML page with ${marks[0]}` };
  }
  if (/^(capturing trace\.\.\.[^\n]*\n)?TRACE:\r?\n/.test(text)) {
    return { confidence: 1, why: 'atrace output (TRACE:)' };
  }
  return null;
}

class SystraceParser implements StreamParser {
  readonly #inner: StreamParser;
  readonly #unwrapper: Unwrapper;

  constructor(context: ParseContext) {
    const inner = openFtraceText(context);
    this.#inner = inner;
    this.#unwrapper = new Unwrapper(context, (text) => inner.push(text));
  }

  push(chunk: Uint8Array): void {
    this.#unwrapper.push(chunk);
  }

  end(): void {
    this.#unwrapper.end();
    this.#inner.end();
  }
}
