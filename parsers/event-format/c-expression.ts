/**
 * The C expressions inside `print fmt` lines: tokens and a small parser (values: c-evaluate.ts).
 *
 * The kernel prints the arguments of each tracepoint's TP_printk as preprocessed C: constants with
 * casts, shifts, masks and `?:`, `REC->field`, and the helpers __print_flags, __print_symbolic and
 * __get_str (include/trace/stages/stage3_trace_output.h, 2.6.32 to 7.x). That is all this knows;
 * anything else (function calls, kernel variables) evaluates to null and the caller says so.
 * Depth and length are limited, so hostile text costs little.
 */
import { evaluate, NO_FIELDS } from './c-evaluate.js';

export type Value = bigint | string;

export type Expression =
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'unary'; readonly op: string; readonly arg: Expression }
  | {
      readonly kind: 'binary';
      readonly op: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'choice';
      readonly test: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  | {
      readonly kind: 'table';
      /** `flags`: names of set bits, joined; `symbol`: the name of one value. */
      readonly table: 'flags' | 'symbol';
      readonly arg: Expression;
      readonly delimiter: string;
      readonly entries: readonly (readonly [bigint, string])[];
    }
  | { readonly kind: 'text'; readonly name: string }
  | { readonly kind: 'unknown' };

const MAX_DEPTH = 200;
/** Operators in one expression; the kernel's longest have some fifty. */
const MAX_OPERATORS = 2000;
const TOKEN =
  /\s+|("(?:[^"\\]|\\[\s\S]|\\$)*(?:"|$))|(0[xX][0-9a-fA-F]+|\d+)[uUlL]*|([A-Za-z_$][\w$]*)|('(?:[^'\\]|\\.)')|(->|<<|>>|<=|>=|==|!=|&&|\|\||[^\s])/gy;

export type Token =
  | { readonly t: 'string'; readonly v: string }
  | { readonly t: 'number'; readonly v: bigint }
  | { readonly t: 'name'; readonly v: string }
  | { readonly t: 'op'; readonly v: string };

/** Splits C text into tokens; characters that start none become one-character operators. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    if (match[1] !== undefined)
      tokens.push({ t: 'string', v: unescapeC(match[1].replace(/^"|"$/g, '')) });
    else if (match[2] !== undefined) tokens.push({ t: 'number', v: parseInteger(match[2]) });
    else if (match[3] !== undefined) tokens.push({ t: 'name', v: match[3] });
    else if (match[4] !== undefined) {
      tokens.push({ t: 'number', v: BigInt(unescapeC(match[4].slice(1, -1)).charCodeAt(0) || 0) });
    } else if (match[5] !== undefined) tokens.push({ t: 'op', v: match[5] });
  }
  return tokens;
}

function parseInteger(text: string): bigint {
  if (text.length > 22) return 0n;
  const octal = /^0[0-7]+$/.test(text);
  return BigInt.asUintN(64, BigInt(octal ? `0o${text.slice(1)}` : text));
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' };

function unescapeC(text: string): string {
  return text.replace(/\\(.)/g, (_, c: string) => ESCAPES[c] ?? c);
}

/** Splits tokens at commas that stand in no bracket. */
export function splitArguments(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.t === 'op') {
      if (token.v === '(' || token.v === '{' || token.v === '[') depth++;
      else if (token.v === ')' || token.v === '}' || token.v === ']') depth--;
      else if (token.v === ',' && depth === 0) {
        parts.push([]);
        continue;
      }
    }
    parts[parts.length - 1]!.push(token);
  }
  return parts;
}

const TYPE_WORDS = new Set(
  'unsigned signed int long short char void const volatile bool _Bool u8 u16 u32 u64 s8 s16 s32 s64 __u8 __u16 __u32 __u64 __s8 __s16 __s32 __s64 __le16 __le32 __le64 __be16 __be32 __be64'.split(
    ' ',
  ),
);
const PRECEDENCE: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '>': 7,
  '<=': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
};
const UNKNOWN: Expression = { kind: 'unknown' };

/** Parses one expression; what it does not know becomes `unknown`. Never throws. */
export function parseExpression(tokens: readonly Token[]): Expression {
  const parser = new Parser(tokens);
  const expression = parser.choice(0);
  return parser.atEnd ? expression : UNKNOWN;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #operators = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get atEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  #op(text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.t !== 'op' || token.v !== text) return false;
    this.#at++;
    return true;
  }

  choice(depth: number): Expression {
    if (depth > MAX_DEPTH) return this.#giveUp();
    const test = this.#binary(1, depth + 1);
    if (!this.#op('?')) return test;
    const yes = this.choice(depth + 1);
    if (!this.#op(':')) return this.#giveUp();
    return { kind: 'choice', test, yes, no: this.choice(depth + 1) };
  }

  #giveUp(): Expression {
    this.#at = this.#tokens.length + 1;
    return UNKNOWN;
  }

  #binary(least: number, depth: number): Expression {
    let left = this.#unary(depth);
    for (;;) {
      const token = this.#tokens[this.#at];
      const level = token?.t === 'op' ? (PRECEDENCE[token.v] ?? 0) : 0;
      if (level < least) return left;
      if (++this.#operators > MAX_OPERATORS) return this.#giveUp();
      this.#at++;
      const right = this.#binary(level + 1, depth + 1);
      left = { kind: 'binary', op: String(token!.v), left, right };
    }
  }

  #unary(depth: number): Expression {
    if (depth > MAX_DEPTH) return this.#giveUp();
    for (const op of ['~', '!', '-', '+', '*', '&']) {
      if (!this.#op(op)) continue;
      const arg = this.#unary(depth + 1);
      return op === '*' || op === '&' ? UNKNOWN : { kind: 'unary', op, arg };
    }
    if (this.#skipCast()) return this.#unary(depth + 1);
    return this.#postfix(this.#primary(depth + 1), depth + 1);
  }

  /** `(unsigned long)`, `( gfp_t)`, `(struct page *)`: all types are 64 bits wide here. */
  #skipCast(): boolean {
    let at = this.#at;
    const open = this.#tokens[at++];
    if (open?.t !== 'op' || open.v !== '(') return false;
    let named = false;
    let words = 0;
    for (; ; at++) {
      const token = this.#tokens[at];
      if (token === undefined) return false;
      if (token.t === 'op' && token.v === '*') continue;
      if (token.t === 'op' && token.v === ')') break;
      if (token.t !== 'name') return false;
      const tag = token.v === 'struct' || token.v === 'enum' || token.v === 'union';
      if (!tag && !named && !TYPE_WORDS.has(token.v) && !token.v.endsWith('_t')) return false;
      named = tag;
      words++;
    }
    if (words === 0) return false;
    this.#at = at + 1;
    return true;
  }

  #postfix(base: Expression, depth: number): Expression {
    let result = base;
    for (;;) {
      if (this.#op('[')) {
        this.choice(depth);
        if (!this.#op(']')) return this.#giveUp();
        result = UNKNOWN;
      } else if (this.#op('->') || this.#op('.')) {
        this.#at++;
        result = UNKNOWN;
      } else return result;
    }
  }

  #primary(depth: number): Expression {
    const token = this.#tokens[this.#at++];
    if (token === undefined) return this.#giveUp();
    if (token.t === 'number') return { kind: 'number', value: token.v };
    if (token.t === 'string') return this.#stringRun(token.v);
    if (token.t === 'name') return this.#name(token.v, depth);
    if (token.v !== '(') return this.#giveUp();
    const inner = this.choice(depth);
    return this.#op(')') ? inner : this.#giveUp();
  }

  #stringRun(first: string): Expression {
    let value = first;
    for (;;) {
      const next = this.#tokens[this.#at];
      if (next?.t !== 'string') return { kind: 'string', value };
      value += next.v;
      this.#at++;
    }
  }

  #name(name: string, depth: number): Expression {
    if (name === 'REC' && this.#op('->')) {
      const field = this.#tokens[this.#at++];
      return field?.t === 'name' ? { kind: 'field', name: field.v } : this.#giveUp();
    }
    if (name === 'NULL' || name === 'false') return { kind: 'number', value: 0n };
    if (name === 'true') return { kind: 'number', value: 1n };
    if (!this.#op('(')) return UNKNOWN;
    return callOf(name, this.#callTokens(), depth);
  }

  /** The tokens up to the closing bracket, which is consumed. */
  #callTokens(): readonly Token[] {
    const start = this.#at;
    let level = 1;
    for (; this.#at < this.#tokens.length; this.#at++) {
      const token = this.#tokens[this.#at]!;
      if (token.t !== 'op') continue;
      if (token.v === '(') level++;
      else if (token.v === ')' && --level === 0) return this.#tokens.slice(start, this.#at++);
    }
    this.#giveUp();
    return [];
  }
}

function callOf(name: string, tokens: readonly Token[], depth: number): Expression {
  if (depth > 8) return name === '__get_str' ? textCall(tokens) : UNKNOWN;
  const parts = splitArguments(tokens);
  if (name === '__get_str') return textCall(tokens);
  const flags = name === '__print_flags' || name === '__print_flags_u64';
  if (!flags && !name.startsWith('__print_symbolic')) return UNKNOWN;
  const arg = parseExpression(parts[0] ?? []);
  const delimiter = flags ? parts[1]?.[0] : undefined;
  return {
    kind: 'table',
    table: flags ? 'flags' : 'symbol',
    arg,
    delimiter: delimiter?.t === 'string' ? delimiter.v : '',
    entries: parts.slice(flags ? 2 : 1).flatMap(tableEntry),
  };
}

function textCall(tokens: readonly Token[]): Expression {
  const name = tokens.find((token) => token.t === 'name');
  return name === undefined ? UNKNOWN : { kind: 'text', name: String(name.v) };
}

/** `{ mask, "NAME" }`; the terminator `{ 0, NULL }` has no name and ends nothing but itself. */
function tableEntry(tokens: readonly Token[]): (readonly [bigint, string])[] {
  const last = tokens[tokens.length - 1];
  if (tokens[0]?.v !== '{' || last?.v !== '}') return [];
  const [mask, name] = splitArguments(tokens.slice(1, -1));
  if (mask === undefined || name?.[0]?.t !== 'string') return [];
  const value = evaluate(parseExpression(mask), NO_FIELDS);
  return typeof value === 'bigint' ? [[BigInt.asUintN(64, value), name[0].v]] : [];
}
