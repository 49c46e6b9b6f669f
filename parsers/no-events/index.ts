/**
 * Files that people give and that cannot help: summaries and conversions in which the page events are
 * gone, and forms that another tool must unpack first. They are named, with what to give instead;
 * nothing is read from them.
 */
import type { Detection, ParseContext, StreamFormat, StreamParser } from '../format.js';
import { KNOWN, type Known } from './known.js';

export const noEvents: StreamFormat = {
  id: 'no-events',
  title: 'recognised, but without page events (summaries, CTF, PCP archives …)',
  mode: 'stream',
  detect: (head): Detection | null => {
    const known = knownOf(head);
    return known && { confidence: 0.5, why: known.why };
  },
  open: (context) => new NamingParser(context),
};

function knownOf(head: Uint8Array): Known | null {
  const text = Buffer.from(head.subarray(0, 4096)).toString('latin1');
  return KNOWN.find((known) => known.fits(text)) ?? null;
}

/** Looks at the first bytes once more and says what they are. */
class NamingParser implements StreamParser {
  readonly #context: ParseContext;
  #head: Uint8Array = new Uint8Array(0);
  #said = false;

  constructor(context: ParseContext) {
    this.#context = context;
  }

  push(chunk: Uint8Array): void {
    if (this.#said) return;
    this.#head = Buffer.concat([this.#head, chunk.subarray(0, 4096)]);
    if (this.#head.length >= 4096) this.#say();
  }

  end(): void {
    if (!this.#said) this.#say();
  }

  #say(): void {
    this.#said = true;
    const { diagnostics, source } = this.#context;
    const known = knownOf(this.#head);
    if (known === null) return;
    source.facts.what = known.what;
    const data = { what: known.what, instead: known.instead };
    diagnostics.report('input-without-events', { source: source.name }, data);
  }
}
