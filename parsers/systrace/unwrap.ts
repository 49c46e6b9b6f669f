/**
 * Finds the ftrace text inside what systrace and atrace write.
 *
 * HTML (catapult systrace/trace_event_importer): `<script class="trace-data" …>`, text lines,
 * `</script>`; a page has megabytes of viewer script before, and may hold several such blocks (other
 * agents' data is not ftrace text and is told by its first lines). Before 2015: `var linuxPerfData =
 * "\`, lines ending in `\n\`, a line starting with `"`. atrace: `TRACE:`, then the text (what -z
 * compresses was undone by src/io).
 */
import { TextLines } from '../event-format/text-lines.js';
import type { ParseContext } from '../format.js';

type State = 'outside' | 'script' | 'string' | 'plain';

export class Unwrapper {
  readonly #context: ParseContext;
  readonly #lines: TextLines;
  readonly #out: (text: Uint8Array) => void;
  #state: State = 'outside';
  #blocks = 0;
  #first = true;
  #pending: string[] = [];
  #pendingLength = 0;

  constructor(context: ParseContext, out: (text: Uint8Array) => void) {
    this.#context = context;
    this.#out = out;
    // Viewer scripts have lines of any length; those outside the data are of no interest.
    const limits = { ...context.limits, lineBytes: Math.max(context.limits.lineBytes, 1 << 22) };
    this.#lines = new TextLines({ ...context, limits }, (line) => this.#line(line));
  }

  push(chunk: Uint8Array): void {
    this.#lines.push(chunk);
    this.#flush();
  }

  end(): void {
    this.#lines.end();
    this.#flush();
    const { source } = this.#context;
    source.facts['data blocks'] = String(this.#blocks);
  }

  #line(line: string): void {
    switch (this.#state) {
      case 'outside':
        this.#open(line);
        break;
      case 'script':
        this.#inScript(line);
        break;
      case 'string':
        if (line.startsWith('"') || line.startsWith('";')) this.#state = 'outside';
        else this.#give(line.replace(/\\n\\?$/, '').replace(/\\(["'\\/])/g, '$1'));
        break;
      case 'plain':
        this.#give(line);
        break;
    }
  }

  #open(line: string): void {
    if (/^TRACE:$/.test(line)) this.#enter('plain');
    else if (/<script[^>]{0,200}class="trace-data"/.test(line)) {
      this.#enter('script');
      const tag = line.indexOf('class="trace-data"');
      const rest = line.slice(line.indexOf('>', tag) + 1);
      if (rest !== '') this.#inScript(rest);
    } else if (/var linuxPerfData = "\\$/.test(line)) this.#enter('string');
  }

  #enter(state: State): void {
    this.#state = state;
    this.#blocks++;
    this.#first = true;
  }

  #inScript(line: string): void {
    const end = line.indexOf('</script>');
    if (end >= 0) this.#state = 'outside';
    const text = end >= 0 ? line.slice(0, end) : line;
    // Other agents' blocks are JSON or processes' lists.
    if (this.#first && /^\s*[{[]/.test(text)) {
      this.#state = this.#state === 'outside' ? 'outside' : 'script';
      return;
    }
    if (text.trim() !== '') this.#give(text);
  }

  #give(line: string): void {
    this.#first = false;
    this.#pending.push(line);
    this.#pendingLength += line.length;
    if (this.#pendingLength > 1 << 20) this.#flush();
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    this.#out(Buffer.from(`${this.#pending.join('\n')}\n`, 'latin1'));
    this.#pending = [];
    this.#pendingLength = 0;
  }
}
