/**
 * The `format` text of one tracepoint: its id, its fields' places, its print format.
 *
 * Grammar (kernel/trace/trace_events.c f_show, 2.6.32 to 7.x):
 *   name: NAME / ID: N / format: / \tfield:TYPE NAME[N];\toffset:N;\tsize:N;[\tsigned:N;]
 *   (a blank line parts common and own fields) / print fmt: "…", ARGUMENTS
 * 2.6.32 prints the line of a field with blanks and without `signed:`. `__data_loc` fields are a
 * u32: offset in the low, length in the high 16 bits; `__rel_loc` counts from behind the field.
 * Lines that fit nothing are passed over: the caller sees what fields exist.
 */
import { type Expression, parseExpression, splitArguments, tokenize } from './c-expression.js';

export interface FormatField {
  readonly name: string;
  /** Bytes from the start of the record (from its u16 common_type). */
  readonly offset: number;
  readonly size: number;
  readonly signed: boolean;
  /** How a text is stored: in place (`char x[16]`), or at a place given by a u32, or not a text. */
  readonly text: 'none' | 'inline' | 'data_loc' | 'rel_loc';
  /** Element size of arrays in bytes, else 0. */
  readonly element: number;
}

export interface EventFormat {
  readonly name: string;
  /** `kmem`, or '' where the source does not say. */
  readonly system: string;
  readonly id: number;
  readonly fields: readonly FormatField[];
  readonly print: PrintFormat;
}

export interface PrintFormat {
  readonly format: string;
  readonly args: readonly Expression[];
  /** Argument by the word before its conversion: `order` for `order=%d`. First one wins. */
  readonly byKey: ReadonlyMap<string, Expression>;
}

/** Longest format text looked at; the kernel's own stay below 64 KiB. */
export const MAX_FORMAT_BYTES = 1 << 18;
const MAX_FIELDS = 512;
const FIELD =
  /^\s*field:\s*([^;]{1,400});\s*offset:\s*(\d{1,9});\s*size:\s*(\d{1,9});(?:\s*signed:\s*(\d))?/;

/** Reads a format text. Null when it has no name or no usable id. */
export function parseEventFormat(text: string, system = ''): EventFormat | null {
  const body = text.length > MAX_FORMAT_BYTES ? text.slice(0, MAX_FORMAT_BYTES) : text;
  const name = /^[ \t]*name:[ \t]*([\w.-]{1,100})[ \t\r]*$/m.exec(body)?.[1];
  const id = Number(/^[ \t]*ID:[ \t]*(\d{1,6})[ \t\r]*$/m.exec(body)?.[1] ?? Number.NaN);
  if (name === undefined || !(id <= 0xffff)) return null;
  return new LazyFormat(name, system, id, body);
}

/** Kernels have thousands of formats and a trace needs a dozen: the parts are parsed when asked for. */
class LazyFormat implements EventFormat {
  readonly name: string;
  readonly system: string;
  readonly id: number;
  readonly #text: string;
  #fields: readonly FormatField[] | null = null;
  #print: PrintFormat | null = null;

  constructor(name: string, system: string, id: number, text: string) {
    this.name = name;
    this.system = system;
    this.id = id;
    this.#text = text;
  }

  get fields(): readonly FormatField[] {
    this.#fields ??= parseFields(this.#text);
    return this.#fields;
  }

  get print(): PrintFormat {
    const at = this.#text.indexOf('print fmt:');
    this.#print ??= parsePrintFormat(at < 0 ? '' : this.#text.slice(at + 'print fmt:'.length));
    return this.#print;
  }
}

/** The `field:` lines of a format text, header_page or header_event text. */
export function parseFields(text: string): FormatField[] {
  const fields: FormatField[] = [];
  for (const line of text.split('\n', 4 * MAX_FIELDS)) {
    const match = FIELD.exec(line);
    if (match === null || fields.length >= MAX_FIELDS) continue;
    const field = fieldOf(match[1]!, Number(match[2]), Number(match[3]), match[4] === '1');
    if (field !== null) fields.push(field);
  }
  return fields;
}

function fieldOf(
  declaration: string,
  offset: number,
  size: number,
  signed: boolean,
): FormatField | null {
  const match = /([A-Za-z_]\w*)\s*(\[[^\]]*\])?\s*$/.exec(declaration);
  if (match === null || offset + size > 0xffff) return null;
  const type = declaration.slice(0, match.index);
  const array = match[2] !== undefined;
  const count = Number(/\[(\d+)\]/.exec(match[2] ?? '')?.[1] ?? 0);
  const loc = /^__(data|rel)_loc\b/.exec(type.trim());
  const chars = /\bchar\b/.test(type);
  let text: FormatField['text'] = 'none';
  if (loc !== null) text = loc[1] === 'data' ? 'data_loc' : 'rel_loc';
  else if (array && chars) text = 'inline';
  return {
    name: match[1]!,
    offset,
    size,
    signed,
    text,
    element: array && count > 0 ? Math.floor(size / count) : 0,
  };
}

const CONVERSION =
  /%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|t|j|L)?([a-zA-Z%])[a-zA-Z]*/g;

const MAX_KEY = 64;

/** `"pfn=0x%lx …", REC->pfn, …` into the format string and its arguments. */
export function parsePrintFormat(text: string): PrintFormat {
  const parts = splitArguments(tokenize(text.trim()));
  const strings = (parts[0] ?? []).filter((token) => token.t === 'string');
  const format = strings.map((token) => token.v).join('');
  const args = parts.slice(1).map(parseExpression);
  const byKey = new Map<string, Expression>();
  let index = 0;
  for (const match of format.matchAll(CONVERSION)) {
    if (match[1] === '%') continue;
    const arg = args[index++];
    const before = format.slice(Math.max(0, match.index - MAX_KEY), match.index);
    const key = /([A-Za-z_][\w-]*)[=:]\(?(?:0x)?$/.exec(before)?.[1];
    if (key !== undefined && arg !== undefined && !byKey.has(key)) byKey.set(key, arg);
  }
  return { format, args, byKey };
}
