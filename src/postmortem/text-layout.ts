/**
 * Laying out words on a terminal: wrapping, hanging indents, colour, and nothing a log could abuse.
 */
import { excerptOf } from '../records/diagnostics.js';

export interface TextOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly colour: boolean;
}

export type Paint = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan';

const CODES: Readonly<Record<Paint, number>> = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  cyan: 36,
};

const MIN_WIDTH = 30;

/** Text of a log made safe: no control or direction characters, at most 200 characters. */
export function safe(text: string): string {
  return excerptOf(text);
}

export class Layout {
  readonly #lines: string[] = [];
  readonly width: number;
  readonly #colour: boolean;

  constructor(options: TextOptions) {
    this.width = Math.max(MIN_WIDTH, options.width);
    this.#colour = options.colour;
  }

  paint(paint: Paint, text: string): string {
    return this.#colour ? `\u001b[${CODES[paint]}m${text}\u001b[0m` : text;
  }

  blank(): void {
    if (this.#lines.length > 0 && this.#lines.at(-1) !== '') this.#lines.push('');
  }

  /** One line as it is, cut at the width. */
  raw(text: string): void {
    this.#lines.push(text.length > this.width ? `${text.slice(0, this.width - 1)}…` : text);
  }

  /** `label` and text, wrapped with a hanging indent. Paints are applied to whole lines. */
  item(label: string, text: string, paint: Paint | null = null): void {
    const most = Math.floor(this.width / 3);
    // a label too long for a narrow terminal gets a line of its own
    const alone = label.length > most;
    if (alone && label.trim() !== '') this.raw(label.trimEnd());
    const indent = ' '.repeat(alone ? Math.min(4, most) : label.length);
    let head = alone ? indent : label;
    for (const line of wrap(text, this.width - indent.length)) {
      this.#lines.push(head + (paint === null ? line : this.paint(paint, line)));
      head = indent;
    }
  }

  text(): string {
    return `${this.#lines.join('\n').trimEnd()}\n`;
  }
}

/** Words into lines of at most `width`; a longer word is cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    let rest = word;
    if (line !== '' && line.length + 1 + rest.length > width) {
      lines.push(line);
      line = '';
    }
    while (rest.length > width) {
      lines.push(rest.slice(0, width));
      rest = rest.slice(width);
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines;
}
